//! The loop of a function that a stream, a schedule or API Gateway's authoriser calls.

use std::fmt;

use lambda_runtime::Diagnostic;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::invocation::{Error, read, serve_json, write};
use crate::aws::Aws;
use crate::values::clock::Time;

/// Serves a stream, a schedule or the authoriser. `handler` gets the event as `E`, and what it returns is
/// sent back as JSON. Each failure is logged here.
///
/// # Errors
/// If Lambda's runtime API cannot be reached.
pub async fn serve_event<E, A, X, F, Fut>(aws: &Aws, handler: F) -> Result<(), Error>
where
    E: DeserializeOwned + Send,
    A: Serialize,
    X: Into<Diagnostic> + fmt::Debug,
    F: Fn(E) -> Fut + Sync,
    Fut: Future<Output = Result<A, X>> + Send,
{
    let handler = &handler;
    serve_json(aws, &|event| {
        Box::pin(async move {
            let result = handler(read(event)?).await;
            let result = result.inspect_err(|error| tracing::error!(?error, "invocation failed"));
            write(&result.map_err(Into::into)?)
        })
    })
    .await
}

/// The event of a schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Scheduled {
    /// When the schedule was due, which is the handler's now.
    pub time: Time,
}
