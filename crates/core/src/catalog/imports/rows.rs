//! Rows of files.

use serde_json::{Map, Value};

use super::model::{Failure, Fault};

/// The most rows of a piece.
pub(super) const MOST_ROWS: usize = 1_000;

/// The most bytes of a piece, and so of a row.
pub(super) const PIECE_BYTES: usize = 1024 * 1024;

/// The code of the failure of a file with a row of more bytes.
pub(super) const ROW_TOO_LONG: &str = "row_too_long";

/// A row of a file.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    /// The line where it begins, from 1; in a file with columns, the lines of all its variants.
    pub(super) lines: Vec<u64>,
    /// What it says, as the body of a request would; or why it cannot be read.
    pub(super) said: Result<Map<String, Value>, Fault>,
}

/// The rows of a piece of a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Cut {
    /// The whole rows at its beginning, at most [`MOST_ROWS`].
    pub(super) rows: Vec<Row>,
    /// How many bytes they have.
    pub(super) bytes: usize,
    /// How many lines they have.
    pub(super) lines: u64,
    /// Why the file cannot be read on after them.
    pub(super) failure: Option<Failure>,
}

impl Cut {
    /// Returns the cut that ends after the first `bytes` of `piece`. With nothing cut, the row is too long.
    pub(super) fn at(rows: Vec<Row>, piece: &[u8], bytes: usize, line: u64) -> Self {
        let bytes_cut = piece.get(..bytes).unwrap_or(piece);
        let too_long = || {
            let detail = format!(
                "The row in line {line} has more than {PIECE_BYTES} bytes. Is a quotation mark missing at the end of a text?"
            );
            Failure::new(ROW_TOO_LONG, detail)
        };
        Self {
            rows,
            bytes,
            lines: count_lines(bytes_cut),
            failure: (bytes == 0 && !piece.is_empty()).then(too_long),
        }
    }
}

/// Returns how many lines end in `bytes`.
pub(super) fn count_lines(bytes: &[u8]) -> u64 {
    let ends = bytes.iter().filter(|byte| **byte == b'\n');
    u64::try_from(ends.count()).unwrap_or(u64::MAX)
}

/// Returns `bytes` as text.
///
/// # Errors
/// If they are not UTF-8.
pub(super) fn text(bytes: &[u8], line: u64) -> Result<&str, Failure> {
    std::str::from_utf8(bytes).map_err(|_| {
        let detail =
            format!("Line {line} is not UTF-8. Save the file as UTF-8 and import it again.");
        Failure::new("not_utf8", detail)
    })
}

/// Returns how many bytes the byte order mark at the beginning of a file has.
///
/// # Errors
/// If the file is something else than text in UTF-8.
pub(super) fn beginning(file: &[u8]) -> Result<usize, Failure> {
    const ARCHIVES: [&[u8]; 5] = [
        b"PK\x03\x04",
        b"\x1f\x8b",
        b"BZh",
        b"\x28\xb5\x2f\xfd",
        b"\xfd7zXZ",
    ];
    if ARCHIVES.iter().any(|magic| file.starts_with(magic)) {
        let detail = "The file is compressed, or a spreadsheet. Upload it as plain CSV or NDJSON.";
        return Err(Failure::new("compressed", detail));
    }
    if file.starts_with(b"\xff\xfe") || file.starts_with(b"\xfe\xff") {
        let detail = "The file is UTF-16. Save it as UTF-8 and import it again.";
        return Err(Failure::new("not_utf8", detail));
    }
    Ok(if file.starts_with(b"\xef\xbb\xbf") {
        3
    } else {
        0
    })
}
