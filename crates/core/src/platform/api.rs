//! The HTTP handlers of the platform, and their wire types.

use http::StatusCode;
use serde::Serialize;

use crate::http::exchange::{Request, Response};
use crate::http::problem::Problem;
use crate::values::digest::sha256_hex;

#[derive(Serialize)]
struct HealthBody {
    status: &'static str,
    version: &'static str,
}

/// `GET /health`: tells that the API answers, and with which version. Asks nothing else, so that an
/// outage elsewhere does not take the whole API out of a load balancer.
///
/// # Errors
/// None that a client could cause.
#[expect(
    clippy::unused_async,
    reason = "handlers have one shape, which is asynchronous"
)]
pub async fn get_health(_request: Request) -> Result<Response, Problem> {
    let body = HealthBody {
        status: "ok",
        version: env!("CARGO_PKG_VERSION"),
    };
    Ok(Response::ok(&body)?.header("Cache-Control", "no-store"))
}

/// A document that is answered as it is.
#[derive(Clone, Debug)]
pub struct Document {
    text: &'static str,
    tag: String,
}

impl Document {
    /// The document `text`. Its entity tag is the first half of its SHA-256, in hexadecimal.
    #[must_use]
    pub fn new(text: &'static str) -> Self {
        let mut tag = sha256_hex(text);
        tag.truncate(32);
        Self { text, tag }
    }
}

/// `GET /openapi.json`: the description of the API (OpenAPI 3.1). It may be kept for five minutes; 304 for
/// whoever has it already.
///
/// # Errors
/// None that a client could cause.
#[expect(
    clippy::unused_async,
    reason = "handlers have one shape, which is asynchronous"
)]
pub async fn get_openapi(document: &Document, request: Request) -> Result<Response, Problem> {
    let answer = if request.knows(&document.tag) {
        Response {
            status: StatusCode::NOT_MODIFIED,
            ..Response::no_content()
        }
    } else {
        Response {
            status: StatusCode::OK,
            headers: Vec::new(),
            content_type: "application/json",
            body: document.text.into(),
        }
    };
    let answer = answer.header("Cache-Control", "public, max-age=300");
    Ok(answer.etag(&document.tag))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::testing;
    use crate::values::clock::Time;

    #[tokio::test]
    async fn health_needs_nothing_else() {
        let request = testing::request(Time::from_millis(0), &Value::Null);
        let answer = get_health(request).await.unwrap();
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(
            body,
            json!({"status": "ok", "version": env!("CARGO_PKG_VERSION")})
        );
    }
}
