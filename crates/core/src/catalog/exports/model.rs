//! What an export is.

use serde::{Deserialize, Serialize};

use crate::aws::dynamo::StoreError;
use crate::catalog::imports::model::{Content, Format};
use crate::http::problem::Problem;
use crate::values::clock::Time;
use crate::values::id::{CustomerId, ExportId};

/// How far an export is.
///
/// Wire and stored shape: `running`, `completed`, `failed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The file is being written.
    Running,
    /// The file is there.
    Completed,
    /// The file was lost before it was complete.
    Failed,
}

/// An upload of a file in parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Upload {
    /// What S3 calls it, once it has begun.
    pub id: Option<String>,
    /// The entity tags of its parts, in their order.
    pub parts: Vec<String>,
    /// Where in the table of products the next part begins.
    pub after: Option<String>,
    /// Whether the last part is there.
    pub is_whole: bool,
}

/// An export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// Its identifier.
    pub id: ExportId,
    /// The admin who created it.
    pub created_by: CustomerId,
    /// What its rows are.
    pub content: Content,
    /// How they are written.
    pub format: Format,
    /// How far it is.
    pub status: Status,
    /// The upload of its file.
    pub upload: Upload,
    /// How many rows are in the parts.
    pub rows: u64,
    /// How many bytes are in the parts.
    pub bytes: u64,
    /// When it was created.
    pub created_at: Time,
    /// When something last came of it.
    pub updated_at: Time,
    /// A hash of the request that created it, if that had an `Idempotency-Key`.
    pub request_hash: Option<String>,
    /// The number of its writes, from 1.
    pub revision: u64,
}

/// Why a request about an export fails.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// There is no export with this identifier, or not any more.
    #[error("there is no such export")]
    NotFound,
    /// The idempotency key was used for another export.
    #[error("the idempotency key was used with another request")]
    KeyReused,
    /// The database did not respond.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<ExportError> for Problem {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::NotFound => Self::NotFound("export"),
            ExportError::KeyReused => Self::IdempotencyKeyReused,
            ExportError::Store(error) => error.into(),
        }
    }
}
