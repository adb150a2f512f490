//! The runner's own port: what is going on, and the clock, at `/_local/...`.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::body::{Bytes, to_bytes};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::net::TcpListener;

use crate::bill::Bill;
use crate::buckets::Buckets;
use crate::clock::Clock;
use crate::faults::Faults;
use crate::functions::{Functions, InvokeError, PAYLOAD_LIMIT};
use crate::loopback;
use crate::mail::Mail;
use crate::queues::Queues;
use crate::states::StateMachines;

/// What the control port shows and does.
pub(crate) struct Control {
    pub(crate) bill: Bill,
    pub(crate) buckets: Buckets,
    pub(crate) clock: Clock,
    pub(crate) faults: Faults,
    pub(crate) functions: Functions,
    pub(crate) machines: StateMachines,
    pub(crate) mail: Mail,
    pub(crate) queues: Queues,
    pub(crate) shop: String,
    /// The users to try the shop as, once it is ready.
    pub(crate) ready: OnceLock<Value>,
}

type Shared = State<Arc<Control>>;

#[derive(Serialize)]
struct Ready<'a> {
    shop: &'a str,
    users: &'a Value,
}

#[derive(Serialize)]
struct Now {
    now: jiff::Timestamp,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    seconds: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewFaults {
    faults: Vec<String>,
}

#[derive(Serialize)]
struct Problem {
    message: String,
}

/// Serves the control port until the task is dropped.
pub(crate) async fn serve(listener: TcpListener, control: Arc<Control>) -> std::io::Result<()> {
    let app = Router::new()
        .route("/_local/ready", get(ready))
        .route(
            "/_local/bill",
            get(|State(control): Shared| async move { Json(control.bill.snapshot()) }),
        )
        .route("/_local/bill/reset", post(reset_bill))
        .route(
            "/_local/mail",
            get(|State(control): Shared| async move { Json(control.mail.messages()) }),
        )
        .route(
            "/_local/queues",
            get(|State(control): Shared| async move { Json(control.queues.snapshot()) }),
        )
        .route("/_local/executions/{name}", get(execution))
        .route("/_local/buckets/{name}", get(bucket))
        .route(
            "/_local/clock",
            get(|State(control): Shared| async move {
                Json(Now {
                    now: control.clock.now(),
                })
            }),
        )
        .route("/_local/clock/advance", post(advance))
        .route(
            "/_local/faults",
            get(faults).put(set_faults).post(set_faults),
        )
        .route("/_local/functions/{name}/environment", get(environment))
        .route("/_local/invoke/{name}", post(invoke))
        .fallback(|uri: Uri| async move { not_found(&format!("nothing at {uri}")) })
        .layer(middleware::from_fn(loopback::only_local))
        .with_state(control);
    axum::serve(listener, app).await
}

async fn ready(State(control): Shared) -> Response {
    match control.ready.get() {
        Some(users) => Json(Ready {
            shop: &control.shop,
            users,
        })
        .into_response(),
        None => problem(StatusCode::SERVICE_UNAVAILABLE, "not ready yet"),
    }
}

async fn reset_bill(State(control): Shared) -> StatusCode {
    control.bill.reset();
    StatusCode::NO_CONTENT
}

async fn execution(State(control): Shared, Path(name): Path<String>) -> Response {
    let execution = control.machines.execution(&name);
    execution.map_or_else(
        || not_found(&format!("no execution {name}")),
        |execution| Json(execution).into_response(),
    )
}

async fn bucket(State(control): Shared, Path(name): Path<String>) -> Response {
    match control.buckets.list(&name) {
        Ok(Some(listing)) => Json(listing).into_response(),
        Ok(None) => not_found(&format!("no bucket {name}")),
        Err(error) => problem(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

async fn advance(State(control): Shared, body: Bytes) -> Response {
    let by: Advance = match serde_json::from_slice(&body) {
        Ok(by) => by,
        Err(error) => {
            return problem(
                StatusCode::BAD_REQUEST,
                &format!("expected {{\"seconds\":n}}: {error}"),
            );
        }
    };
    match control.clock.advance(Duration::from_secs(by.seconds)) {
        Some(now) => Json(Now { now }).into_response(),
        None => problem(
            StatusCode::CONFLICT,
            "the clock is the machine's; start with a manual one",
        ),
    }
}

async fn faults(State(control): Shared) -> Response {
    Json(control.faults.report()).into_response()
}

async fn set_faults(State(control): Shared, body: Bytes) -> Response {
    let faults: NewFaults = match serde_json::from_slice(&body) {
        Ok(faults) => faults,
        Err(error) => {
            return problem(
                StatusCode::BAD_REQUEST,
                &format!("expected {{\"faults\":[...]}}: {error}"),
            );
        }
    };
    match control.faults.set_text(&faults.faults) {
        Ok(()) => Json(control.faults.report()).into_response(),
        Err(error) => problem(StatusCode::BAD_REQUEST, &error.to_string()),
    }
}

async fn environment(State(control): Shared, Path(name): Path<String>) -> Response {
    let environment = control
        .functions
        .find(&name)
        .and_then(|id| control.functions.environment(id));
    environment.map_or_else(
        || not_found(&format!("no function {name}")),
        |environment| Json(environment).into_response(),
    )
}

/// As Lambda's `Invoke`: a function's error has status 200 and a header that says so.
async fn invoke(State(control): Shared, Path(name): Path<String>, request: Request) -> Response {
    let Some(id) = control.functions.find(&name) else {
        return not_found(&format!("no function {name}"));
    };
    let (parts, body) = request.into_parts();
    let Ok(payload) = to_bytes(body, PAYLOAD_LIMIT).await else {
        return problem(StatusCode::PAYLOAD_TOO_LARGE, "the payload is over 6 MB");
    };
    if is_event(&parts.headers) {
        control.functions.invoke_async(id, payload);
        return StatusCode::ACCEPTED.into_response();
    }
    let json = [(header::CONTENT_TYPE, "application/json")];
    match control.functions.invoke(id, payload).await {
        Ok(answer) => (json, answer).into_response(),
        Err(error @ InvokeError::Throttled) => {
            problem(StatusCode::TOO_MANY_REQUESTS, &error.to_string())
        }
        Err(error) => (
            json,
            [("x-amz-function-error", "Unhandled")],
            error.payload(),
        )
            .into_response(),
    }
}

fn is_event(headers: &HeaderMap) -> bool {
    headers
        .get("x-amz-invocation-type")
        .is_some_and(|kind| kind == "Event")
}

fn not_found(message: &str) -> Response {
    problem(StatusCode::NOT_FOUND, message)
}

fn problem(status: StatusCode, message: &str) -> Response {
    (
        status,
        Json(Problem {
            message: message.to_owned(),
        }),
    )
        .into_response()
}
