//! Problems as clients see them: RFC 9457 problem documents. The status, type and title of each kind are
//! defined only here; `docs/problems.md` explains each type to the reader of an error.

use http::StatusCode;
use serde::Serialize;

use crate::aws::dynamo::StoreError;
use crate::values::money::Money;

/// One fault of the input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Where: a JSON pointer into the body (RFC 6901), or `?name` for a query parameter.
    pub pointer: String,
    /// What kind of fault, for programs: `required`, `unknown_field`, `type`, `range`, ...
    pub code: &'static str,
    /// What is wrong, for people.
    pub detail: String,
}

/// A source that is logged and never shown.
pub type Source = Box<dyn std::error::Error + Send + Sync>;

/// Why a request did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// The request cannot be read at all: broken JSON, a body where an object should be.
    #[error("{0}")]
    Malformed(String),
    /// Query parameters or headers that are not valid.
    #[error("the request has parameters that are not valid")]
    InvalidParameters(Vec<Fault>),
    /// A body that can be read but not accepted; every fault at once.
    #[error("the request body is not valid")]
    InvalidBody(Vec<Fault>),
    /// A body that is not JSON by its `Content-Type`.
    #[error("the body must be sent as application/json")]
    UnsupportedMediaType,
    /// A body beyond what is accepted.
    #[error("the body is larger than {limit_bytes} bytes")]
    TooLarge {
        /// The most that is accepted.
        limit_bytes: usize,
    },
    /// Headers beyond what is accepted.
    #[error("the headers are larger than {limit_bytes} bytes")]
    HeadersTooLarge {
        /// The most that is accepted.
        limit_bytes: usize,
    },
    /// Nobody is signed in, or the sign-in has expired.
    #[error("{0}")]
    Unauthenticated(&'static str),
    /// The caller who is signed in may not do this.
    #[error("your account may not do this")]
    Forbidden,
    /// The resource does not exist, or not for this caller.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// An update without `If-Match`.
    #[error("send the ETag that you read in If-Match")]
    PreconditionRequired,
    /// The resource has changed since it was read.
    #[error("it has changed since you read it: read it again")]
    PreconditionFailed,
    /// A create without the `Idempotency-Key` that it needs.
    #[error("send an Idempotency-Key header of 1 to 255 visible ASCII characters")]
    IdempotencyKeyRequired,
    /// The same `Idempotency-Key` with another body.
    #[error("this Idempotency-Key was used with another request")]
    IdempotencyKeyReused,
    /// The resource's state does not allow the change.
    #[error("{0}")]
    Conflict(String),
    /// The order costs a different amount than the client expects; nothing is done.
    #[error("the order costs {total_amount} now")]
    PriceChanged {
        /// What it costs.
        total_amount: Money,
    },
    /// Something is not in stock in the quantity that is wanted; nothing is done.
    #[error("not everything is in stock as you want it")]
    OutOfStock(Vec<Fault>),
    /// The quote is not honoured any more; nothing is done.
    #[error("the quote has expired: ask for a new one")]
    QuoteExpired,
    /// The caller has sent more than its share; nothing is done.
    #[error("you are sending too many requests: send this again in {retry_after_seconds} s")]
    TooManyRequests {
        /// When it will be accepted, at the earliest, in seconds from now; at least 1.
        retry_after_seconds: u64,
    },
    /// Too many changed the same thing at once, or the database is at its limit; nothing is done.
    #[error("too many requests at once: try again")]
    Busy(#[source] Source),
    /// An internal error, of which the client learns nothing.
    #[error("something went wrong on our side")]
    Internal(#[source] Source),
}

#[derive(Serialize)]
struct Document<'a> {
    r#type: String,
    title: &'static str,
    status: u16,
    detail: String,
    instance: String,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [Fault],
    #[serde(skip_serializing_if = "Option::is_none")]
    total_amount: Option<Money>,
}

impl Problem {
    /// Returns an internal error because of `source`.
    pub fn internal(source: impl Into<Source>) -> Self {
        Self::Internal(source.into())
    }

    /// Refuses the query parameters `others`, each with `code` and `detail`, if there are any.
    ///
    /// # Errors
    /// [`Problem::InvalidParameters`].
    pub fn unexpected<'a>(
        others: impl Iterator<Item = &'a str>,
        code: &'static str,
        detail: &str,
    ) -> Result<(), Self> {
        let mut others: Vec<&str> = others.collect();
        others.sort_unstable();
        let faults = others.into_iter().map(|name| Fault {
            pointer: format!("?{name}"),
            code,
            detail: detail.to_owned(),
        });
        let faults: Vec<Fault> = faults.collect();
        if faults.is_empty() {
            Ok(())
        } else {
            Err(Self::InvalidParameters(faults))
        }
    }

    /// One query parameter or header that is not valid.
    pub fn parameter(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        let fault = Fault {
            pointer: pointer.into(),
            code: "invalid",
            detail: detail.into(),
        };
        Self::InvalidParameters(vec![fault])
    }

    /// One field of the body that is not valid.
    pub fn field(pointer: &str, code: &'static str, detail: impl Into<String>) -> Self {
        Self::InvalidBody(vec![Fault {
            pointer: pointer.to_owned(),
            code,
            detail: detail.into(),
        }])
    }

    /// The status of this kind of problem.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.parts().0
    }

    /// Status, the last part of the type, title.
    fn parts(&self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::Malformed(_) => (
                StatusCode::BAD_REQUEST,
                "malformed-request",
                "Malformed request",
            ),
            Self::InvalidParameters(_) => (
                StatusCode::BAD_REQUEST,
                "invalid-parameters",
                "Invalid parameters",
            ),
            Self::InvalidBody(_) => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid-body",
                "Invalid body",
            ),
            Self::UnsupportedMediaType => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported-media-type",
                "Unsupported media type",
            ),
            Self::TooLarge { .. } => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "body-too-large",
                "Body too large",
            ),
            Self::HeadersTooLarge { .. } => (
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
                "headers-too-large",
                "Headers too large",
            ),
            Self::Unauthenticated(_) => {
                (StatusCode::UNAUTHORIZED, "unauthenticated", "Not signed in")
            }
            Self::Forbidden => (StatusCode::FORBIDDEN, "forbidden", "Forbidden"),
            Self::NotFound(_) => (StatusCode::NOT_FOUND, "not-found", "Not found"),
            Self::PreconditionRequired => (
                StatusCode::PRECONDITION_REQUIRED,
                "precondition-required",
                "Precondition required",
            ),
            Self::PreconditionFailed => (
                StatusCode::PRECONDITION_FAILED,
                "precondition-failed",
                "Precondition failed",
            ),
            Self::IdempotencyKeyRequired => (
                StatusCode::BAD_REQUEST,
                "idempotency-key-required",
                "Idempotency key required",
            ),
            Self::IdempotencyKeyReused => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency-key-reused",
                "Idempotency key reused",
            ),
            Self::Conflict(_) => (StatusCode::CONFLICT, "conflict", "Conflict"),
            Self::PriceChanged { .. } => (StatusCode::CONFLICT, "price-changed", "Price changed"),
            Self::OutOfStock(_) => (StatusCode::CONFLICT, "out-of-stock", "Out of stock"),
            Self::QuoteExpired => (StatusCode::CONFLICT, "quote-expired", "Quote expired"),
            Self::TooManyRequests { .. } => (
                StatusCode::TOO_MANY_REQUESTS,
                "too-many-requests",
                "Too many requests",
            ),
            Self::Busy(_) => (StatusCode::SERVICE_UNAVAILABLE, "busy", "Busy"),
            Self::Internal(_) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal",
                "Internal error",
            ),
        }
    }

    /// Returns the problem document (`application/problem+json`) of the request `request_id`, which is this occurrence of
    /// the problem (RFC 9457 section 3.1.5).
    #[must_use]
    pub fn document(&self, request_id: &str) -> Vec<u8> {
        let (status, slug, title) = self.parts();
        let errors = match self {
            Self::InvalidParameters(faults)
            | Self::InvalidBody(faults)
            | Self::OutOfStock(faults) => faults.as_slice(),
            Self::Malformed(_)
            | Self::UnsupportedMediaType
            | Self::TooLarge { .. }
            | Self::HeadersTooLarge { .. }
            | Self::Unauthenticated(_)
            | Self::Forbidden
            | Self::NotFound(_)
            | Self::PreconditionRequired
            | Self::PreconditionFailed
            | Self::IdempotencyKeyRequired
            | Self::IdempotencyKeyReused
            | Self::Conflict(_)
            | Self::PriceChanged { .. }
            | Self::QuoteExpired
            | Self::TooManyRequests { .. }
            | Self::Busy(_)
            | Self::Internal(_) => &[],
        };
        let total_amount = if let Self::PriceChanged { total_amount } = self {
            Some(*total_amount)
        } else {
            None
        };
        let document = Document {
            r#type: format!("urn:oxcart:problem:{slug}"),
            title,
            status: status.as_u16(),
            detail: self.to_string(),
            instance: format!("urn:oxcart:request:{request_id}"),
            errors,
            total_amount,
        };
        serde_json::to_vec(&document).unwrap_or_default()
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Busy(_) => Self::Busy(error.into()),
            StoreError::Failed(_) | StoreError::Shape(_) => Self::internal(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One problem of each kind.
    fn all() -> Vec<Problem> {
        let faults = || {
            vec![Fault {
                pointer: "/items".to_owned(),
                code: "required",
                detail: "this field is required".to_owned(),
            }]
        };
        let problems = vec![
            Problem::Malformed("broken".to_owned()),
            Problem::InvalidParameters(faults()),
            Problem::InvalidBody(faults()),
            Problem::UnsupportedMediaType,
            Problem::TooLarge { limit_bytes: 1 },
            Problem::HeadersTooLarge { limit_bytes: 1 },
            Problem::Unauthenticated("sign in"),
            Problem::Forbidden,
            Problem::NotFound("order"),
            Problem::PreconditionRequired,
            Problem::PreconditionFailed,
            Problem::IdempotencyKeyRequired,
            Problem::IdempotencyKeyReused,
            Problem::Conflict("shipped".to_owned()),
            Problem::PriceChanged {
                total_amount: Money::zero("EUR".parse().unwrap()),
            },
            Problem::OutOfStock(faults()),
            Problem::QuoteExpired,
            Problem::TooManyRequests {
                retry_after_seconds: 1,
            },
            Problem::Busy("throttled".into()),
            Problem::internal("secret"),
        ];
        // This does not compile without a new kind: add it above, too.
        for problem in &problems {
            match problem {
                Problem::Malformed(_)
                | Problem::InvalidParameters(_)
                | Problem::InvalidBody(_)
                | Problem::UnsupportedMediaType
                | Problem::TooLarge { .. }
                | Problem::HeadersTooLarge { .. }
                | Problem::Unauthenticated(_)
                | Problem::Forbidden
                | Problem::NotFound(_)
                | Problem::PreconditionRequired
                | Problem::PreconditionFailed
                | Problem::IdempotencyKeyRequired
                | Problem::IdempotencyKeyReused
                | Problem::Conflict(_)
                | Problem::PriceChanged { .. }
                | Problem::OutOfStock(_)
                | Problem::QuoteExpired
                | Problem::TooManyRequests { .. }
                | Problem::Busy(_)
                | Problem::Internal(_) => {}
            }
        }
        problems
    }

    #[test]
    fn every_type_is_explained_with_its_status() {
        let explained = include_str!("../../../../docs/problems.md");
        for problem in all() {
            let (status, slug, _) = problem.parts();
            let row = format!("| [{slug}](#{slug}) | {} |", status.as_u16());
            assert!(explained.contains(&row), "{row}");
            let section = format!("\n## {slug}\n\n{}", status.as_u16());
            assert!(explained.contains(&section), "{section}");
        }
        let sections = explained.matches("\n## ").count();
        assert_eq!(sections, all().len(), "a type that does not exist");
    }

    #[test]
    fn a_document_says_what_is_wrong_and_nothing_internal() {
        for problem in all() {
            let document: serde_json::Value =
                serde_json::from_slice(&problem.document("MJy3ZgkZFiAEJ8Q=")).unwrap();
            assert_eq!(document["status"], problem.status().as_u16());
            assert_eq!(document["instance"], "urn:oxcart:request:MJy3ZgkZFiAEJ8Q=");
            let with_errors = matches!(
                problem,
                Problem::InvalidBody(_) | Problem::InvalidParameters(_) | Problem::OutOfStock(_)
            );
            assert_eq!(document.get("errors").is_some(), with_errors);
            let text = document.to_string();
            assert!(
                !text.contains("secret") && !text.contains("throttled"),
                "{text}"
            );
        }
    }
}
