//! Imports a piece of a file.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::aws::dynamo::StoreError;
use crate::http::problem;
use crate::values::money::Currency;

use super::model::{Counts, Failure, Fault, Format, Header, Import, MOST_FAULTS};
use super::rows::{Cut, ROW_TOO_LONG, Row, beginning, count_lines};
use super::rules::Piece;
use super::{ndjson, sheet};

/// How many rows are imported with one look at the tables.
const ROWS_AT_ONCE: usize = 100;

/// How many writes are made at the same time.
pub const AT_ONCE: usize = 16;

/// What a row says, as the body of a request.
pub type Fields = Map<String, Value>;

/// What came of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Came {
    /// The shop has changed.
    Changed,
    /// The shop was as the row says.
    Same,
    /// Nothing was done.
    Faults(Vec<problem::Fault>),
}

impl Came {
    /// Returns what comes of a row about a variant that is not there.
    #[must_use]
    pub fn unknown_sku() -> Self {
        Self::fault("/sku", "unknown_sku", "no variant has this SKU")
    }

    /// Returns what comes of a row with one fault.
    #[must_use]
    pub fn fault(pointer: &str, code: &'static str, detail: &str) -> Self {
        Self::Faults(vec![problem::Fault {
            pointer: pointer.to_owned(),
            code,
            detail: detail.to_owned(),
        }])
    }
}

/// Returns the SKU of `row`, if it has one: what no two rows about variants may have in common.
#[must_use]
pub fn sku_key(row: &Fields) -> Vec<String> {
    let sku = row.get("sku").and_then(Value::as_str);
    sku.map(str::to_owned).into_iter().collect()
}

/// Imports rows of one kind.
pub trait Importer {
    /// Returns what no two rows that are imported at the same time may have in common.
    fn keys(&self, row: &Fields) -> Vec<String>;

    /// Imports `rows`, at most a hundred, which have no key in common. Returns what came of each.
    ///
    /// # Errors
    /// [`StoreError`]; some rows may have been imported.
    fn import(&self, rows: &[Fields])
    -> impl Future<Output = Result<Vec<Came>, StoreError>> + Send;
}

/// Imports the rows at the beginning of `bytes`, which are those of the file of `size` bytes from where `import` is.
///
/// # Errors
/// [`StoreError`]; some rows may have been imported.
pub async fn import_piece(
    importer: &impl Importer,
    currency: Currency,
    import: &Import,
    size: u64,
    bytes: &[u8],
) -> Result<Piece, StoreError> {
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let is_last = import.read_bytes.saturating_add(length) >= size;
    let (format, header, start) = match begin(import, bytes) {
        Ok(begun) => begun,
        Err(failure) => {
            return Ok(Piece {
                failure: Some(failure),
                ..Piece::default()
            });
        }
    };
    let rest = bytes.get(start..).unwrap_or_default();
    let start_lines = count_lines(bytes.get(..start).unwrap_or_default());
    let first_line = import.read_lines + start_lines + 1;
    let cut = match (format, &header) {
        (Format::Csv, Some(header)) => {
            sheet::cut(rest, header, import.content, currency, first_line, is_last)
        }
        (Format::Csv | Format::Ndjson, _) => ndjson::cut(rest, first_line, is_last),
    };
    let Cut {
        rows,
        bytes,
        lines,
        failure,
    } = cut;
    let (counts, faults) = import_rows(importer, header.as_ref(), rows).await?;
    Ok(Piece {
        bytes: u64::try_from(start + bytes).unwrap_or(u64::MAX),
        lines: start_lines + lines,
        format: Some(format),
        header,
        counts,
        faults,
        // After a header, the next piece has more room for the row.
        failure: failure.filter(|failure| start == 0 || failure.code != ROW_TOO_LONG),
    })
}

/// Returns how the file of `import` is written, its header, and where in `bytes` its next row begins.
fn begin(import: &Import, bytes: &[u8]) -> Result<(Format, Option<Header>, usize), Failure> {
    if import.read_bytes > 0 {
        let format = import.format.unwrap_or(Format::Csv);
        return Ok((format, import.header.clone(), 0));
    }
    let mark = beginning(bytes)?;
    let rest = bytes.get(mark..).unwrap_or_default();
    let is_json = rest.trim_ascii_start().starts_with(b"{");
    let found = if is_json { Format::Ndjson } else { Format::Csv };
    match import.format.unwrap_or(found) {
        Format::Ndjson => Ok((Format::Ndjson, None, mark)),
        Format::Csv => {
            let (header, end) = sheet::header(rest, import.content)?;
            Ok((Format::Csv, Some(header), mark + end))
        }
    }
}

/// Imports `rows`, and returns how many of what became of them, and the first faults.
async fn import_rows(
    importer: &impl Importer,
    header: Option<&Header>,
    rows: Vec<Row>,
) -> Result<(Counts, Vec<Fault>), StoreError> {
    let mut counts = Counts::default();
    let mut faults = Vec::new();
    let mut left = rows.into_iter().peekable();
    while left.peek().is_some() {
        let mut keys: BTreeSet<String> = BTreeSet::new();
        let mut batch: Vec<Fields> = Vec::new();
        let mut lines: Vec<Vec<u64>> = Vec::new();
        while batch.len() < ROWS_AT_ONCE
            && let Some(row) = left.next_if(|row| is_apart(importer, row, &mut keys))
        {
            match row.said {
                Ok(fields) => {
                    batch.push(fields);
                    lines.push(row.lines);
                }
                Err(fault) => {
                    counts.rows += 1;
                    counts.failed += 1;
                    faults.push(fault);
                }
            }
        }
        let came = importer.import(&batch).await?;
        for (came, lines) in came.into_iter().zip(&lines) {
            counts.add(&came);
            if let Came::Faults(found) = came {
                faults.extend(found.into_iter().map(|fault| placed(header, lines, fault)));
            }
        }
        faults.sort_by_key(|fault| fault.line);
        faults.truncate(MOST_FAULTS);
    }
    Ok((counts, faults))
}

/// Returns whether `row` has no key in common with rows before, whose `keys` are added to.
fn is_apart(importer: &impl Importer, row: &Row, keys: &mut BTreeSet<String>) -> bool {
    let Ok(fields) = &row.said else { return true };
    let own = importer.keys(fields);
    let is_apart = own.iter().all(|key| !keys.contains(key));
    if is_apart {
        keys.extend(own);
    }
    is_apart
}

fn placed(header: Option<&Header>, lines: &[u64], fault: problem::Fault) -> Fault {
    let first = || (lines.first().copied().unwrap_or_default(), None);
    let place = header.map(|header| sheet::locate(header, lines, &fault.pointer));
    let (line, column) = place.unwrap_or_else(first);
    Fault {
        line,
        column,
        pointer: fault.pointer,
        code: fault.code.to_owned(),
        detail: fault.detail,
    }
}

impl Counts {
    fn add(&mut self, came: &Came) {
        self.rows += 1;
        match came {
            Came::Changed => {
                self.imported += 1;
                self.changed += 1;
            }
            Came::Same => self.imported += 1,
            Came::Faults(_) => self.failed += 1,
        }
    }
}
