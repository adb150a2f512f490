//! Responses of functions in payload format 2.0.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value};

/// The response, or `None` if this is not one: then API Gateway responds with an internal error.
pub(super) fn from_function(answer: &[u8]) -> Option<Response> {
    let answer: Value = serde_json::from_slice(answer).ok()?;
    match &answer {
        Value::Object(fields) if fields.contains_key("statusCode") => structured(fields),
        // Without a status, the whole response is the body of a success.
        Value::String(text) => Some(success(text.clone())),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            Some(success(answer.to_string()))
        }
    }
}

fn success(body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

fn structured(fields: &Map<String, Value>) -> Option<Response> {
    let status = match fields.get("statusCode")? {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    let status = StatusCode::from_bytes(status.as_bytes()).ok()?;
    let encoded = fields
        .get("isBase64Encoded")
        .and_then(Value::as_bool)
        .unwrap_or(false);
    let body = match fields.get("body") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::String(text)) if encoded => BASE64_STANDARD.decode(text).ok()?,
        Some(Value::String(text)) => text.clone().into_bytes(),
        Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            return None;
        }
    };
    let has_body = !body.is_empty();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    copy_headers(fields.get("headers"), headers)?;
    let cookies = fields.get("cookies").and_then(Value::as_array);
    for cookie in cookies.into_iter().flatten() {
        headers.append(
            header::SET_COOKIE,
            HeaderValue::from_str(cookie.as_str()?).ok()?,
        );
    }
    if has_body && !headers.contains_key(header::CONTENT_TYPE) {
        let text = HeaderValue::from_static("text/plain;charset=UTF-8");
        headers.insert(header::CONTENT_TYPE, text);
    }
    Some(response)
}

fn copy_headers(given: Option<&Value>, headers: &mut HeaderMap) -> Option<()> {
    let given = match given {
        None | Some(Value::Null) => return Some(()),
        Some(given) => given.as_object()?,
    };
    for (name, value) in given {
        let value = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(flag) => flag.to_string(),
            Value::Null | Value::Array(_) | Value::Object(_) => return None,
        };
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        // These belong to the connection, which is the gateway's.
        let own = [
            header::CONNECTION,
            header::CONTENT_LENGTH,
            header::TRANSFER_ENCODING,
        ];
        if !own.contains(&name) {
            headers.append(name, HeaderValue::from_str(&value).ok()?);
        }
    }
    Some(())
}
