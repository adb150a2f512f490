//! Errors of the database, without the SDK's types.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

use super::shape::unreadable;

/// Why a call to the database failed. None of these says anything about the shop.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Throttled, or in conflict with others, after all retries; nothing is written.
    #[error("the database is busy")]
    Busy(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Any other failure; it is unknown whether anything was written.
    #[error("the database failed")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A stored item does not have the expected shape.
    #[error("a stored item cannot be read or written")]
    Shape(#[from] serde_dynamo::Error),
}

impl StoreError {
    /// A stored item that cannot be read because of `error`.
    pub(crate) fn unreadable(error: impl std::fmt::Display) -> Self {
        Self::Shape(unreadable(error))
    }

    pub(super) fn from_sdk<E>(error: SdkError<E>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let busy = matches!(
            error.code(),
            Some(
                "ProvisionedThroughputExceededException"
                    | "RequestLimitExceeded"
                    | "ThrottlingException"
                    | "TransactionConflictException"
                    | "TransactionInProgressException"
            )
        );
        if busy {
            Self::Busy(error.into())
        } else {
            Self::Failed(error.into())
        }
    }
}
