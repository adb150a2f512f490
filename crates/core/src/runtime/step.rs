//! The loop of a function that is a step of the order workflow.

use std::fmt;

use lambda_runtime::Diagnostic;
use serde::{Deserialize, Serialize};

use super::invocation::{Error, read, serve_json, write};
use crate::aws::Aws;
use crate::aws::dynamo::StoreError;
use crate::aws::telemetry;
use crate::values::clock::Time;
use crate::values::id::OrderId;
use crate::values::moment;

/// The input of each step of the order workflow.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Step {
    /// The order.
    pub order_id: OrderId,
    /// When the state was entered: the current time for the step.
    pub now: Time,
    /// The error that led here, on the way to a compensation.
    #[serde(default)]
    pub error: Option<StepFailure>,
    /// How the payment ended, as the step before found, on the way out of a compensation.
    #[serde(default)]
    pub payment_status: Option<String>,
}

/// An error as Step Functions passes it to a `Catch`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct StepFailure {
    /// Its name, as [`StepError::name`].
    pub error: String,
    /// A JSON text with `errorMessage`, when a function failed.
    #[serde(default)]
    pub cause: String,
}

impl StepFailure {
    /// Returns what the function said, or the whole cause if it has another form.
    #[must_use]
    pub fn detail(&self) -> String {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Cause {
            error_message: String,
        }
        serde_json::from_str::<Cause>(&self.cause)
            .map_or_else(|_| self.cause.clone(), |cause| cause.error_message)
    }
}

/// An error of a step. Its name decides what the state machine does: `Catch` takes what is decided
/// (`OutOfStock`), and `Retry` repeats what may succeed later (`Busy`, `Failed`).
#[derive(Debug)]
pub struct StepError {
    /// The error's name.
    pub name: &'static str,
    /// What the order's `failure` will say, or what is logged.
    pub detail: String,
}

impl StepError {
    /// The error `name`.
    pub fn new(name: &'static str, detail: impl Into<String>) -> Self {
        Self {
            name,
            detail: detail.into(),
        }
    }
}

impl StepError {
    fn log(&self) {
        let (name, detail) = (self.name, &self.detail);
        if matches!(name, "Busy" | "Failed" | "OrderNotFound") {
            tracing::error!(error = name, detail, "step failed");
        } else {
            tracing::info!(error = name, detail, "step diverted");
        }
    }
}

impl fmt::Display for StepError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.detail)
    }
}

impl From<StepError> for Diagnostic {
    fn from(error: StepError) -> Self {
        Self {
            error_type: error.name.to_owned(),
            error_message: error.detail,
        }
    }
}

impl From<StoreError> for StepError {
    fn from(error: StoreError) -> Self {
        let name = match error {
            StoreError::Busy(_) => "Busy",
            StoreError::Failed(_) | StoreError::Shape(_) => "Failed",
        };
        Self::new(name, telemetry::chain(&error))
    }
}

/// Serves a step of the order workflow. Failures are logged here. An order that takes another path, which
/// the state machine takes by `Catch`, is not a failure.
///
/// # Errors
/// If Lambda's runtime API cannot be reached.
pub async fn serve_step<A, F, Fut>(aws: &Aws, handler: F) -> Result<(), Error>
where
    A: Serialize,
    F: Fn(Step) -> Fut + Sync,
    Fut: Future<Output = Result<A, StepError>> + Send,
{
    let handler = &handler;
    serve_json(aws, &|event| {
        Box::pin(async move {
            let step: Step = read(event)?;
            let done = moment::during(step.now, handler(step)).await;
            write(&done.inspect_err(StepError::log)?)
        })
    })
    .await
}
