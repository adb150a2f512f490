//! Responses as handlers make them.

use http::StatusCode;
use serde::Serialize;

use crate::http::problem::Problem;
use crate::values::digest::sha256_hex;

/// How many characters of a hash in hexadecimal are an entity tag.
const TAG_CHARACTERS: usize = 32;

/// An HTTP response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// Headers beside `Content-Type`.
    pub headers: Vec<(&'static str, String)>,
    /// The body's media type; empty if there is no body.
    pub content_type: &'static str,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// Returns a response of `status` with `body` as JSON.
    ///
    /// # Errors
    /// [`Problem::Internal`] if `body` cannot be written as JSON.
    pub fn json(status: StatusCode, body: &impl Serialize) -> Result<Self, Problem> {
        let body = serde_json::to_vec(body).map_err(Problem::internal)?;
        Ok(Self {
            status,
            headers: Vec::new(),
            content_type: "application/json",
            body,
        })
    }

    /// Returns 200 with `body`.
    ///
    /// # Errors
    /// As [`Response::json`].
    pub fn ok(body: &impl Serialize) -> Result<Self, Problem> {
        Self::json(StatusCode::OK, body)
    }

    /// Returns 204 without a body.
    #[must_use]
    pub fn no_content() -> Self {
        Self {
            status: StatusCode::NO_CONTENT,
            headers: Vec::new(),
            content_type: "",
            body: Vec::new(),
        }
    }

    /// Returns 202 without a body: the request will be carried out later.
    #[must_use]
    pub fn accepted() -> Self {
        Self {
            status: StatusCode::ACCEPTED,
            ..Self::no_content()
        }
    }

    /// Returns 201 with `body` for a resource at `location`.
    ///
    /// # Errors
    /// As [`Response::json`].
    pub fn created(location: String, body: &impl Serialize) -> Result<Self, Problem> {
        Ok(Self::json(StatusCode::CREATED, body)?.header("Location", location))
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Adds the entity tag `tag` (RFC 9110 section 8.8.3), which is quoted here.
    #[must_use]
    pub fn etag(self, tag: &str) -> Self {
        self.header("ETag", format!("\"{tag}\""))
    }

    /// Adds an entity tag that is a hash of the body, for what has no version of its own.
    #[must_use]
    pub fn tagged(self) -> Self {
        let hash = sha256_hex(&self.body);
        self.etag(&hash[..TAG_CHARACTERS])
    }

    /// Returns the entity tag, without its quotes, if there is one.
    #[must_use]
    pub fn entity_tag(&self) -> Option<&str> {
        let mut headers = self.headers.iter();
        let (_, value) = headers.find(|(name, _)| *name == "ETag")?;
        value.strip_prefix('"')?.strip_suffix('"')
    }

    /// Returns 304 with the headers of this response: the client has its body.
    #[must_use]
    pub fn not_modified(self) -> Self {
        Self {
            headers: self.headers,
            status: StatusCode::NOT_MODIFIED,
            ..Self::no_content()
        }
    }

    /// Marks the response as a repeated one if `replayed`.
    #[must_use]
    pub fn replayed(self, replayed: bool) -> Self {
        if replayed {
            self.header("Idempotent-Replayed", "true")
        } else {
            self
        }
    }

    /// Returns the response to the request `request_id` that ended in `problem`. An internal error is logged
    /// here, once, with its chain.
    #[must_use]
    pub fn problem(problem: &Problem, request_id: &str) -> Self {
        if problem.status().is_server_error() {
            tracing::error!(
                error = crate::aws::telemetry::chain(problem),
                "request failed"
            );
        }
        let response = Self {
            status: problem.status(),
            headers: Vec::new(),
            content_type: "application/problem+json",
            body: problem.document(request_id),
        };
        match problem {
            Problem::Unauthenticated(_) => {
                response.header("WWW-Authenticate", "Bearer error=\"invalid_token\"")
            }
            Problem::TooManyRequests {
                retry_after_seconds,
            } => response.header("Retry-After", retry_after_seconds.to_string()),
            Problem::Busy(_) => response.header("Retry-After", "1"),
            Problem::Malformed(_)
            | Problem::InvalidParameters(_)
            | Problem::InvalidBody(_)
            | Problem::UnsupportedMediaType
            | Problem::TooLarge { .. }
            | Problem::HeadersTooLarge { .. }
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
            | Problem::Internal(_) => response,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_over_the_limit_is_told_when_to_retry() {
        let problem = Problem::TooManyRequests {
            retry_after_seconds: 7,
        };
        let response = Response::problem(&problem, "MJy3ZgkZFiAEJ8Q=");
        assert_eq!(response.status, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(response.headers, [("Retry-After", "7".to_owned())]);
    }
}
