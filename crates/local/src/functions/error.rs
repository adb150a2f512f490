//! How an invocation fails, and what each service calls it.

use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use thiserror::Error;

/// Why an invocation has no response.
#[derive(Clone, Debug, Error)]
pub enum InvokeError {
    /// The function returned an error.
    #[error("{error_type}: {message}")]
    Function {
        /// `errorType`.
        error_type: String,
        /// `errorMessage`.
        message: String,
        /// The whole response, as JSON.
        payload: Bytes,
    },
    /// The function ran longer than it may; its process is gone.
    #[error("Task timed out after {}.{:02} seconds", after.as_secs(), after.subsec_millis() / 10)]
    Timeout {
        /// How long it may run.
        after: Duration,
    },
    /// The process ended during the invocation.
    #[error("Runtime exited with error: {status}")]
    Exited {
        /// How it ended.
        status: String,
    },
    /// All of the function's concurrency is in use.
    #[error("Rate Exceeded.")]
    Throttled,
    /// There is no such function.
    #[error("Function not found: {0}")]
    Unknown(String),
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    #[serde(rename = "errorType")]
    error_type: &'a str,
    #[serde(rename = "errorMessage")]
    message: &'a str,
}

impl InvokeError {
    /// What Step Functions make of it: `Error` and `Cause`. The function's own errors keep their
    /// type, and a cause is the function's response as JSON.
    #[must_use]
    pub fn states_error(&self) -> (String, String) {
        let cause = match self {
            Self::Throttled | Self::Unknown(_) => self.to_string(),
            Self::Function { .. } | Self::Timeout { .. } | Self::Exited { .. } => {
                String::from_utf8_lossy(&self.payload()).into_owned()
            }
        };
        (self.error_type().to_owned(), cause)
    }

    /// The error's type, as Lambda (or for a refused invocation, Step Functions) spells it.
    #[must_use]
    pub fn error_type(&self) -> &str {
        match self {
            Self::Function { error_type, .. } => error_type,
            Self::Timeout { .. } => "Sandbox.Timedout",
            Self::Exited { .. } => "Runtime.ExitError",
            Self::Throttled => "Lambda.TooManyRequestsException",
            Self::Unknown(_) => "Lambda.ResourceNotFoundException",
        }
    }

    /// The response that a caller of Lambda gets: `{"errorType", "errorMessage"}`.
    #[must_use]
    pub fn payload(&self) -> Bytes {
        if let Self::Function { payload, .. } = self {
            return payload.clone();
        }
        let body = ErrorBody {
            error_type: self.error_type(),
            message: &self.to_string(),
        };
        serde_json::to_vec(&body).unwrap_or_default().into()
    }

    /// An error that Lambda reports in the function's place.
    pub(crate) fn from_parts(error_type: &str, message: &str) -> Self {
        let payload = serde_json::to_vec(&ErrorBody {
            error_type,
            message,
        })
        .unwrap_or_default();
        Self::Function {
            error_type: error_type.to_owned(),
            message: message.to_owned(),
            payload: payload.into(),
        }
    }

    /// Reads the error document that a function's runtime sends.
    pub(crate) fn from_function(payload: Bytes) -> Self {
        let document: serde_json::Value = serde_json::from_slice(&payload).unwrap_or_default();
        let text = |key| {
            document
                .get(key)
                .and_then(serde_json::Value::as_str)
                .map(str::to_owned)
        };
        Self::Function {
            error_type: text("errorType").unwrap_or_else(|| "Lambda.Unknown".to_owned()),
            message: text("errorMessage").unwrap_or_default(),
            payload,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn step_functions_see_the_functions_own_error_type() {
        let payload = Bytes::from_static(br#"{"errorType":"Declined","errorMessage":"no funds"}"#);
        let (error, cause) = InvokeError::from_function(payload).states_error();
        assert_eq!(error, "Declined");
        assert_eq!(
            cause,
            r#"{"errorType":"Declined","errorMessage":"no funds"}"#
        );
    }

    #[test]
    fn a_timeout_reads_as_lambda_writes_it() {
        let (error, cause) = InvokeError::Timeout {
            after: Duration::from_millis(2500),
        }
        .states_error();
        assert_eq!(error, "Sandbox.Timedout");
        assert!(
            cause.contains("Task timed out after 2.50 seconds"),
            "{cause}"
        );
    }
}
