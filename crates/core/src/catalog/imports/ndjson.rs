//! Files with one JSON object in each line.

use serde_json::{Map, Value};

use super::model::Fault;
use super::rows::{Cut, MOST_ROWS, Row, text};

/// Returns the rows at the beginning of `piece`, whose first line is `first_line`. Nothing of the file comes after it if
/// it `is_last`.
pub(super) fn cut(piece: &[u8], first_line: u64, is_last: bool) -> Cut {
    let mut rows = Vec::new();
    let mut bytes = 0;
    let mut line = first_line;
    while rows.len() < MOST_ROWS {
        let rest = piece.get(bytes..).unwrap_or_default();
        let end = rest.iter().position(|byte| *byte == b'\n');
        let length = match end {
            Some(end) => end + 1,
            None if is_last => rest.len(),
            None => 0,
        };
        let Some(row) = rest.get(..length).filter(|row| !row.is_empty()) else {
            break;
        };
        let row = match text(row, line) {
            Ok(row) => row.trim_ascii(),
            Err(failure) => {
                return Cut {
                    failure: Some(failure),
                    ..Cut::at(rows, piece, bytes, line)
                };
            }
        };
        if !row.is_empty() {
            rows.push(Row {
                lines: vec![line],
                said: object(row, line),
            });
        }
        bytes += length;
        line += 1;
    }
    Cut::at(rows, piece, bytes, line)
}

fn object(row: &str, line: u64) -> Result<Map<String, Value>, Fault> {
    let malformed = |detail: String| Fault {
        line,
        column: None,
        pointer: String::new(),
        code: "malformed".to_owned(),
        detail,
    };
    match serde_json::from_str(row) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(malformed("each line must be a JSON object".to_owned())),
        Err(error) => Err(malformed(format!(
            "this line is not a JSON object, from its character {} on",
            error.column()
        ))),
    }
}
