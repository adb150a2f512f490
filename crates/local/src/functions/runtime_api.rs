//! The Lambda Runtime API of one process.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>. Each process has a listener of
//! its own: `AWS_LAMBDA_RUNTIME_API` is a host and a port, so nothing else could tell them apart.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use jiff::{SignedDuration, Timestamp};
use tokio::net::TcpListener;

use super::error::InvokeError;
use super::process::Process;
use super::settings::PAYLOAD_LIMIT;

/// Serves one process until the task is aborted.
pub(super) async fn serve(listener: TcpListener, process: Arc<Process>) {
    let api = Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route(
            "/2018-06-01/runtime/invocation/{id}/response",
            post(response),
        )
        .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
        .route("/2018-06-01/runtime/init/error", post(init_error))
        .with_state(process);
    let listener = listener.tap_io(|connection| {
        // Slower, but still right, where it is refused.
        let _ = connection.set_nodelay(true);
    });
    if let Err(error) = axum::serve(listener, api).await {
        tracing::error!(%error, "a runtime api ended");
    }
}

async fn next(State(process): State<Arc<Process>>) -> Response {
    let Some(invocation) = process.next().await else {
        // The process is about to be killed. On any response, its runtime would log a failure.
        return std::future::pending().await;
    };
    let timeout = SignedDuration::try_from(invocation.timeout).unwrap_or(SignedDuration::MAX);
    let deadline = Timestamp::now()
        .saturating_add(timeout)
        .unwrap_or(Timestamp::MAX);
    let named = |name: &'static str, value: String| (HeaderName::from_static(name), value);
    let headers = [
        named("lambda-runtime-aws-request-id", invocation.id),
        named(
            "lambda-runtime-deadline-ms",
            deadline.as_millisecond().to_string(),
        ),
        named("lambda-runtime-invoked-function-arn", invocation.arn),
        named("lambda-runtime-trace-id", invocation.trace),
        (header::CONTENT_TYPE, "application/json".to_owned()),
    ];
    (headers, invocation.payload).into_response()
}

async fn response(
    State(process): State<Arc<Process>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    if headers.contains_key("lambda-runtime-function-response-mode") {
        let message = "the local runner does not emulate streamed responses";
        let error = InvokeError::from_parts("Runtime.Unsupported", message);
        return accepted(process.finish(&id, Err(error)));
    }
    let Ok(answer) = to_bytes(body, PAYLOAD_LIMIT).await else {
        let message = format!(
            "Response payload size exceeded maximum allowed payload size ({PAYLOAD_LIMIT} bytes)."
        );
        let error = InvokeError::from_parts("Function.ResponseSizeTooLarge", &message);
        process.finish(&id, Err(error));
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    accepted(process.finish(&id, Ok(answer)))
}

async fn error(
    State(process): State<Arc<Process>>,
    Path(id): Path<String>,
    body: Body,
) -> Response {
    let error = InvokeError::from_function(to_bytes(body, PAYLOAD_LIMIT).await.unwrap_or_default());
    accepted(process.finish(&id, Err(error)))
}

async fn init_error(State(process): State<Arc<Process>>, body: Body) -> Response {
    let error = InvokeError::from_function(to_bytes(body, PAYLOAD_LIMIT).await.unwrap_or_default());
    process.cannot_start(error);
    accepted(true)
}

fn accepted(known: bool) -> Response {
    let json = [(header::CONTENT_TYPE, "application/json")];
    if known {
        (StatusCode::ACCEPTED, json, r#"{"status":"OK"}"#).into_response()
    } else {
        let body = r#"{"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}"#;
        (StatusCode::BAD_REQUEST, json, body).into_response()
    }
}
