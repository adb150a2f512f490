//! What an import is.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::aws::dynamo::StoreError;
use crate::http::problem::Problem;
use crate::values::clock::Time;
use crate::values::id::{CustomerId, ImportId};

/// The most faults that an import shows.
pub const MOST_FAULTS: usize = 100;

/// What the rows of a file are.
///
/// Wire and stored shape: `products`, `prices` or `stock`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// Products, each with all its variants.
    Products,
    /// Prices of variants, by SKU.
    Prices,
    /// Stock of variants, by SKU.
    Stock,
}

impl Content {
    /// What can be imported, by its name on the wire.
    pub const IMPORTED: [(&str, Self); 3] = [
        ("products", Self::Products),
        ("prices", Self::Prices),
        ("stock", Self::Stock),
    ];

    /// What can be exported, by its name on the wire.
    pub const EXPORTED: [(&str, Self); 2] =
        [("products", Self::Products), ("prices", Self::Prices)];
}

/// How the rows of a file are written.
///
/// Wire and stored shape: `csv` or `ndjson`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Comma-separated values (RFC 4180), with a header; semicolons and tabs are taken, too.
    Csv,
    /// One JSON object in each line.
    Ndjson,
}

impl Format {
    /// All formats by their names on the wire.
    pub const NAMES: [(&str, Self); 2] = [("csv", Self::Csv), ("ndjson", Self::Ndjson)];
}

/// How far an import is.
///
/// Wire and stored shape: `waiting`, `running`, `completed`, `failed`, `cancelled`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The file has not been uploaded.
    Waiting,
    /// The file is being read.
    Running,
    /// All rows were read; some may have been at fault.
    Completed,
    /// The file cannot be read on. The rows before were taken.
    Failed,
    /// An admin has stopped it. The rows before were taken.
    Cancelled,
}

impl Status {
    /// Returns whether nothing more happens.
    #[must_use]
    pub fn is_over(self) -> bool {
        match self {
            Self::Waiting | Self::Running => false,
            Self::Completed | Self::Failed | Self::Cancelled => true,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        })
    }
}

/// What is wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// The line of the file where the row or its variant begins, from 1.
    pub line: u64,
    /// The column, in a file with columns.
    pub column: Option<String>,
    /// A JSON pointer into what the row says (RFC 6901).
    pub pointer: String,
    /// What kind of fault, as in problem documents.
    pub code: String,
    /// What is wrong, for people.
    pub detail: String,
}

/// Why a file cannot be read on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Which kind, for programs.
    pub code: String,
    /// What is wrong, for people.
    pub detail: String,
}

impl Failure {
    /// Returns a failure.
    pub(super) fn new(code: &str, detail: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            detail: detail.into(),
        }
    }
}

/// The header of a file with columns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// What stands between two cells.
    pub delimiter: char,
    /// The names of the columns.
    pub columns: Vec<String>,
}

/// The file of an import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// Its size in bytes.
    pub size: u64,
    /// Its entity tag, by which it is recognised.
    pub etag: String,
}

/// How many rows an import has read, and what came of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// How many rows were read.
    pub rows: u64,
    /// How many of these the shop is now as they say.
    pub imported: u64,
    /// How many of the imported rows changed something.
    pub changed: u64,
    /// How many were at fault.
    pub failed: u64,
}

/// An import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// Its identifier.
    pub id: ImportId,
    /// The admin who created it.
    pub created_by: CustomerId,
    /// What the rows are.
    pub content: Content,
    /// How they are written; `None` until the file is there, if the admin did not say it.
    pub format: Option<Format>,
    /// Whether rows are only checked.
    pub dry_run: bool,
    /// How far it is.
    pub status: Status,
    /// The file, once it has been uploaded.
    pub upload: Option<Upload>,
    /// How many bytes of the file have been read.
    pub read_bytes: u64,
    /// How many lines of the file have been read.
    pub read_lines: u64,
    /// The header, once it has been read.
    pub header: Option<Header>,
    /// The rows that have been read.
    pub counts: Counts,
    /// The first faults of rows, at most [`MOST_FAULTS`].
    pub faults: Vec<Fault>,
    /// Why it has failed.
    pub failure: Option<Failure>,
    /// When it was created.
    pub created_at: Time,
    /// When something last came of it.
    pub updated_at: Time,
    /// A hash of the request that created it, if that had an `Idempotency-Key`.
    pub request_hash: Option<String>,
    /// The number of its writes, from 1.
    pub revision: u64,
}

impl Import {
    /// Returns the key of its file in the bucket. Each queue is told of the files with its beginning.
    #[must_use]
    pub fn file(&self) -> String {
        let folder = match self.content {
            Content::Products | Content::Prices => "imports",
            Content::Stock => "stock-imports",
        };
        format!("{folder}/{}", self.id)
    }
}

/// Why a request about an import fails.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// There is no import with this identifier, or not any more.
    #[error("there is no such import")]
    NotFound,
    /// It is over, so it cannot be cancelled.
    #[error("This import is {0} and cannot be cancelled.")]
    Over(Status),
    /// The idempotency key was used for another import.
    #[error("the idempotency key was used with another request")]
    KeyReused,
    /// The database did not respond.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<ImportError> for Problem {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::NotFound => Self::NotFound("import"),
            ImportError::Over(_) => Self::Conflict(error.to_string()),
            ImportError::KeyReused => Self::IdempotencyKeyReused,
            ImportError::Store(error) => error.into(),
        }
    }
}
