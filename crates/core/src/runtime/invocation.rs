//! What the loops share: reading an event and writing its result.

use std::pin::Pin;

use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub use lambda_runtime::Error;

use crate::aws::Aws;

/// The future of a handler.
pub(super) type Doing<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

pub(super) fn read<E: DeserializeOwned>(event: Value) -> Result<E, Diagnostic> {
    serde_json::from_value(event).map_err(|error| not_json("UnreadableEvent", &error))
}

pub(super) fn write(result: &impl Serialize) -> Result<Value, Diagnostic> {
    serde_json::to_value(result).map_err(|error| not_json("UnwritableAnswer", &error))
}

fn not_json(name: &str, error: &serde_json::Error) -> Diagnostic {
    tracing::error!(%error, "invocation failed");
    Diagnostic {
        error_type: name.to_owned(),
        error_message: error.to_string(),
    }
}

/// Passes each event to `handle`, which is boxed and without a type of the caller's, so that the runtime is
/// compiled once, here, and not with each function: an `async fn` is compiled where it is awaited.
pub(super) fn serve_json<'a>(
    aws: &'a Aws,
    handle: &'a (dyn Fn(Value) -> Doing<'a, Result<Value, Diagnostic>> + Sync),
) -> Pin<Box<dyn Future<Output = Result<(), Error>> + 'a>> {
    Box::pin(async move {
        aws.connect().await;
        lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| async move {
            handle(event.payload).await
        }))
        .await
    })
}
