//! The HTTP routes of the platform.

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

/// Returns that the API works, and its version: `GET /health`. It depends on nothing else, so that an outage elsewhere
/// does not take the whole API out of a load balancer.
///
/// # Errors
/// None that a client can cause.
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

/// A document that is served unchanged.
#[derive(Clone, Debug)]
pub struct Document {
    text: &'static str,
    tag: String,
}

impl Document {
    /// Creates the document `text`. Its entity tag is the first half of its SHA-256, in hexadecimal.
    #[must_use]
    pub fn new(text: &'static str) -> Self {
        let mut tag = sha256_hex(text);
        tag.truncate(32);
        Self { text, tag }
    }
}

/// Returns the description of the API (OpenAPI 3.1): `GET /openapi.json`. Clients may cache it for five minutes.
///
/// # Errors
/// None that a client can cause.
#[expect(
    clippy::unused_async,
    reason = "handlers have one shape, which is asynchronous"
)]
pub async fn get_openapi(document: &Document) -> Result<Response, Problem> {
    let response = Response {
        status: StatusCode::OK,
        headers: Vec::new(),
        content_type: "application/json",
        body: document.text.into(),
    };
    let response = response.header("Cache-Control", "public, max-age=300");
    Ok(response.etag(&document.tag))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::testing;
    use crate::values::clock::Time;

    #[tokio::test]
    async fn health_returns_ok_and_the_version() {
        let request = testing::request(Time::from_millis(0), &Value::Null);
        let response = get_health(request).await.unwrap();
        let body: Value = serde_json::from_slice(&response.body).unwrap();
        assert_eq!(
            body,
            json!({"status": "ok", "version": env!("CARGO_PKG_VERSION")})
        );
    }
}
