//! Decides how an export goes on.

use super::model::{Export, Status, Upload};
use crate::values::clock::Time;

/// A part of the file that has been uploaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its entity tag.
    pub etag: String,
    /// How many rows it has.
    pub rows: u64,
    /// How many bytes it has.
    pub bytes: u64,
    /// Where in the table of products the next part begins, or `None` if this is the last.
    pub next: Option<String>,
}

/// Returns `export` with an upload that has begun.
#[must_use]
pub fn begun(export: &Export, upload_id: String, now: Time) -> Export {
    let upload = Upload {
        id: Some(upload_id),
        ..export.upload.clone()
    };
    Export {
        upload,
        ..next(export, now)
    }
}

/// Returns `export` after one more `part`.
#[must_use]
pub fn advanced(export: &Export, part: Part, now: Time) -> Export {
    let mut upload = export.upload.clone();
    upload.parts.push(part.etag);
    upload.is_whole = part.next.is_none();
    upload.after = part.next;
    Export {
        upload,
        rows: export.rows + part.rows,
        bytes: export.bytes + part.bytes,
        ..next(export, now)
    }
}

/// Returns `export` at its end, which has `status`.
#[must_use]
pub fn ended(export: &Export, status: Status, now: Time) -> Export {
    Export {
        status,
        ..next(export, now)
    }
}

fn next(export: &Export, now: Time) -> Export {
    Export {
        updated_at: now.no_earlier_than(export.updated_at),
        revision: export.revision + 1,
        ..export.clone()
    }
}
