//! Requests and responses as they go over the wire: JSON 1.0 and 1.1, and SES's paths.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use bytes::Bytes;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::aws::{self, AwsError};

/// The service and operation that a request names; `None` if it names none that there could be.
pub(super) fn operation(
    method: &Method,
    path: &str,
    headers: &HeaderMap,
) -> Option<(&'static str, String)> {
    if let Some(target) = headers.get("x-amz-target") {
        let (prefix, operation) = target.to_str().ok()?.rsplit_once('.')?;
        let service = match prefix {
            "DynamoDB_20120810" => "dynamodb",
            "AWSEvents" => "events",
            "AmazonSQS" => "sqs",
            "AWSStepFunctions" => "states",
            "secretsmanager" => "secretsmanager",
            _ => return None,
        };
        return Some((service, operation.to_owned()));
    }
    match (method.as_str(), path) {
        ("POST", "/v2/email/outbound-emails") => Some(("ses", "SendEmail".to_owned())),
        _ => None,
    }
}

/// The access key that a request is signed with.
pub(super) fn access_key(headers: &HeaderMap) -> Option<&str> {
    let authorization = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (_, credential) = authorization.split_once("Credential=")?;
    credential.split('/').next()
}

/// The body of a request; an empty one is an empty object.
pub(super) fn body(bytes: &Bytes) -> Result<Value, AwsError> {
    if bytes.is_empty() {
        return Ok(json!({}));
    }
    serde_json::from_slice(bytes)
        .map_err(|error| AwsError::client("SerializationException", error.to_string()))
}

/// The response to a request with these headers.
pub(super) fn answer(result: Result<Bytes, AwsError>, headers: &HeaderMap) -> Response<Body> {
    let (status, code, body) = match result {
        Ok(body) => (StatusCode::OK, None, body),
        Err(error) => {
            let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::BAD_REQUEST);
            let mut body = error.fields;
            body.insert("__type".into(), json!(error.code));
            body.insert("message".into(), json!(error.message));
            (status, Some(error.code), aws::text(&Value::Object(body)))
        }
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let json = || HeaderValue::from_static("application/x-amz-json-1.0");
    let content_type = headers
        .get(header::CONTENT_TYPE)
        .cloned()
        .unwrap_or_else(json);
    let is_query_compatible = headers.contains_key("x-amzn-query-mode");
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, content_type);
    if let Some(code) = code.as_deref().filter(|_| is_query_compatible)
        && let Ok(error) = HeaderValue::from_str(&query_error(code, status))
    {
        headers.insert("x-amzn-query-error", error);
    }
    if let Ok(id) = HeaderValue::from_str(&Uuid::new_v4().to_string()) {
        headers.insert("x-amzn-requestid", id);
    }
    if let Some(code) = code.and_then(|code| HeaderValue::from_str(&code).ok()) {
        headers.insert("x-amzn-errortype", code);
    }
    response
}

/// The code that an error has in SQS's older protocol, and whose fault it is. SDKs go by it, where
/// they say that they know it: "AWS JSON 1.0 protocol, query-compatible" of Smithy.
fn query_error(code: &str, status: StatusCode) -> String {
    let prefix = match code {
        "BatchEntryIdsNotDistinct"
        | "BatchRequestTooLong"
        | "EmptyBatchRequest"
        | "InvalidBatchEntryId"
        | "MessageNotInflight"
        | "PurgeQueueInProgress"
        | "TooManyEntriesInBatchRequest"
        | "UnsupportedOperation" => "AWS.SimpleQueueService.",
        "AccessDeniedException" => return "AccessDenied;Sender".to_owned(),
        "QueueDoesNotExist" => return "AWS.SimpleQueueService.NonExistentQueue;Sender".to_owned(),
        _ => "",
    };
    let whose = if status.is_server_error() {
        "Receiver"
    } else {
        "Sender"
    };
    format!("{prefix}{code};{whose}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_sqs_carries_its_older_name_too() {
        let query_error = |asked: bool, code: &str| {
            let mut headers = HeaderMap::new();
            if asked {
                headers.insert("x-amzn-query-mode", HeaderValue::from_static("true"));
            }
            let answer = answer(Err(AwsError::client(code, "")), &headers);
            let error = answer.headers().get("x-amzn-query-error");
            error.map(|error| error.to_str().unwrap().to_owned())
        };
        let missing = "AWS.SimpleQueueService.NonExistentQueue;Sender";
        assert_eq!(
            query_error(true, "QueueDoesNotExist").as_deref(),
            Some(missing)
        );
        assert_eq!(
            query_error(true, "ReceiptHandleIsInvalid").as_deref(),
            Some("ReceiptHandleIsInvalid;Sender")
        );
        assert_eq!(
            query_error(true, "AccessDeniedException").as_deref(),
            Some("AccessDenied;Sender")
        );
        assert_eq!(query_error(false, "QueueDoesNotExist"), None);
    }
}
