//! What the emulated AWS services have in common: who calls, how they refuse, and how they are
//! called.

use std::pin::Pin;

use bytes::Bytes;
use serde_json::{Map, Value};

/// Who makes a call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    /// The function, by logical id; `None` for the operator: a command line, a test, the runner.
    pub function: Option<String>,
    /// The function's process, as its session token names it.
    pub process: Option<String>,
}

impl Caller {
    /// Not a function: a command line, a test, the runner itself.
    #[must_use]
    pub fn operator() -> Self {
        Self::default()
    }

    /// A function, by logical id.
    #[must_use]
    pub fn function(id: impl Into<String>) -> Self {
        Self {
            function: Some(id.into()),
            process: None,
        }
    }
}

/// An AWS API error, as it goes over the wire.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct AwsError {
    /// The HTTP status.
    pub status: u16,
    /// The error's code, as in `__type`.
    pub code: String,
    /// What went wrong.
    pub message: String,
    /// Further fields of the response, such as `CancellationReasons`.
    pub fields: Map<String, Value>,
}

impl AwsError {
    /// The caller's mistake or misfortune: status 400.
    #[must_use]
    pub fn client(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            status: 400,
            code: code.into(),
            message: message.into(),
            fields: Map::new(),
        }
    }

    /// The service's own failure: status 500, `InternalServerError`.
    #[must_use]
    pub fn internal(message: impl Into<String>) -> Self {
        Self {
            status: 500,
            ..Self::client("InternalServerError", message)
        }
    }

    /// A bad parameter: `ValidationException`.
    #[must_use]
    pub fn validation(message: impl Into<String>) -> Self {
        Self::client("ValidationException", message)
    }

    /// An operation that is not emulated.
    #[must_use]
    pub fn unknown_operation(service: &str, operation: &str) -> Self {
        Self::client(
            "UnknownOperationException",
            format!("{service}:{operation} is not emulated on this machine"),
        )
    }
}

/// Refuses a request that has a top-level parameter other than those `known`.
///
/// # Errors
/// A validation error that names the first unknown parameter, or says that the body is not an
/// object.
pub fn refuse_unknown(operation: &str, body: &Value, known: &[&str]) -> Result<(), AwsError> {
    let Value::Object(parameters) = body else {
        return Err(AwsError::client(
            "SerializationException",
            format!("the request of {operation} is not an object"),
        ));
    };
    match parameters
        .keys()
        .find(|name| !known.contains(&name.as_str()))
    {
        None => Ok(()),
        Some(name) => Err(AwsError::validation(format!(
            "parameter {name} of {operation} is not emulated on this machine"
        ))),
    }
}

/// A call in progress. It returns JSON as text, so that a large response is written once.
pub type Call<'a> = Pin<Box<dyn Future<Output = Result<Bytes, AwsError>> + Send + 'a>>;

/// The text of a response.
#[must_use]
pub fn text(answer: &Value) -> Bytes {
    answer.to_string().into()
}

/// An emulated service: what the endpoint hands a parsed request to.
pub trait Service: Send + Sync + 'static {
    /// Carries out one operation. The body is the request in the service's JSON.
    fn call<'a>(&'a self, caller: &'a Caller, operation: &'a str, body: Value) -> Call<'a>;

    /// Carries out a read on what was there before the last write; where a service has no such
    /// reads, as any other.
    fn call_stale<'a>(&'a self, caller: &'a Caller, operation: &'a str, body: Value) -> Call<'a> {
        self.call(caller, operation, body)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_unknown_parameter_is_refused_by_its_name() {
        let known = ["TableName"];
        assert_eq!(
            refuse_unknown("GetItem", &json!({"TableName": "t"}), &known),
            Ok(())
        );
        let error = refuse_unknown("GetItem", &json!({"Colour": 1}), &known).unwrap_err();
        assert!(
            error.message.contains("Colour") && error.message.contains("GetItem"),
            "{error}"
        );
        assert!(refuse_unknown("GetItem", &json!([]), &known).is_err());
    }
}
