//! Decides how an import goes on.

use super::model::{
    Counts, Failure, Fault, Format, Header, Import, ImportError, MOST_FAULTS, Status, Upload,
};
use crate::values::clock::Time;

/// What came of a piece of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Piece {
    /// How many bytes it has.
    pub bytes: u64,
    /// How many lines it has.
    pub lines: u64,
    /// How the file is written.
    pub format: Option<Format>,
    /// The header, if it was read with this piece.
    pub header: Option<Header>,
    /// Its rows.
    pub counts: Counts,
    /// The faults of its rows.
    pub faults: Vec<Fault>,
    /// Why the file cannot be read on after it.
    pub failure: Option<Failure>,
}

/// Returns `import` with its file, or `None` if it waits for none: it has one already, or is over.
#[must_use]
pub fn uploaded(import: &Import, upload: Upload, now: Time) -> Option<Import> {
    match import.status {
        Status::Waiting => Some(Import {
            status: Status::Running,
            upload: Some(upload),
            ..next(import, now)
        }),
        Status::Running | Status::Completed | Status::Failed | Status::Cancelled => None,
    }
}

/// Returns `import` after a `piece` of its file.
#[must_use]
pub fn advanced(import: &Import, piece: Piece, now: Time) -> Import {
    let read_bytes = import.read_bytes + piece.bytes;
    let size = import.upload.as_ref().map_or(0, |upload| upload.size);
    let status = if piece.failure.is_some() {
        Status::Failed
    } else if read_bytes >= size {
        Status::Completed
    } else {
        import.status
    };
    let mut faults = import.faults.clone();
    faults.extend(piece.faults);
    faults.truncate(MOST_FAULTS);
    let counts = import.counts;
    Import {
        status,
        read_bytes,
        read_lines: import.read_lines + piece.lines,
        format: import.format.or(piece.format),
        header: piece.header.or_else(|| import.header.clone()),
        counts: Counts {
            rows: counts.rows + piece.counts.rows,
            imported: counts.imported + piece.counts.imported,
            changed: counts.changed + piece.counts.changed,
            failed: counts.failed + piece.counts.failed,
        },
        faults,
        failure: piece.failure,
        ..next(import, now)
    }
}

/// Returns `import` as cancelled, or `None` if it is already.
///
/// # Errors
/// [`ImportError::Over`] if it is over otherwise.
pub fn cancelled(import: &Import, now: Time) -> Result<Option<Import>, ImportError> {
    match import.status {
        Status::Waiting | Status::Running => Ok(Some(Import {
            status: Status::Cancelled,
            ..next(import, now)
        })),
        Status::Cancelled => Ok(None),
        Status::Completed | Status::Failed => Err(ImportError::Over(import.status)),
    }
}

/// Returns `import`, which is of stock, as the inventory's `report` says that it is; or `None` if a later report has said
/// more. One that an admin has stopped stays so, unless it was over before the inventory saw that.
#[must_use]
pub fn reported(import: &Import, report: &Import) -> Option<Import> {
    let is_known = match import.status {
        Status::Completed | Status::Failed => true,
        Status::Waiting | Status::Running | Status::Cancelled => {
            !report.status.is_over() && report.read_bytes <= import.read_bytes
        }
    };
    let status = match import.status {
        Status::Cancelled if !report.status.is_over() => Status::Cancelled,
        Status::Waiting
        | Status::Running
        | Status::Completed
        | Status::Failed
        | Status::Cancelled => report.status,
    };
    let reported = Import {
        status,
        updated_at: report.updated_at.no_earlier_than(import.updated_at),
        revision: import.revision + 1,
        ..report.clone()
    };
    (!is_known).then_some(reported)
}

fn next(import: &Import, now: Time) -> Import {
    Import {
        updated_at: now.no_earlier_than(import.updated_at),
        revision: import.revision + 1,
        ..import.clone()
    }
}
