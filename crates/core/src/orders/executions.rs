//! Executions of the order workflow, in Step Functions.

use std::fmt::Display;

use aws_sdk_sfn::Client;
use aws_sdk_sfn::operation::start_execution::StartExecutionError;
use futures::future::BoxFuture;

use crate::aws::settings::{Setting, SettingError};
use crate::aws::{Aws, gate};
use crate::http::problem::Problem;
use crate::values::id::OrderId;

/// Why a run was not started. `run-due-orders` starts another one.
#[derive(Debug, thiserror::Error)]
#[error("the order workflow was not started")]
pub struct NotStarted(#[source] Box<dyn std::error::Error + Send + Sync>);

impl From<NotStarted> for Problem {
    /// For a route whose request can be sent again.
    fn from(error: NotStarted) -> Self {
        Self::Busy(error.into())
    }
}

/// The order workflow.
#[derive(Clone, Debug)]
pub struct OrderWorkflow {
    client: Client,
    arn: String,
}

impl OrderWorkflow {
    /// Uses the state machine that the setting `ORDER_WORKFLOW_ARN` names.
    ///
    /// # Errors
    /// Returns [`SettingError`] if the setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        Ok(Self {
            client: aws.states(),
            arn: aws.settings().read(Setting::OrderWorkflowArn)?,
        })
    }

    /// Starts the run of the order `id` with the name `run`, of at most 43 letters, digits and hyphens. A STANDARD state machine does not start the same run twice. An
    /// EXPRESS one does, which does no harm.
    ///
    /// # Errors
    /// Returns [`NotStarted`] if Step Functions does not accept the execution.
    #[must_use]
    pub fn start(&self, id: OrderId, run: impl Display) -> BoxFuture<'_, Result<(), NotStarted>> {
        let request = self
            .client
            .start_execution()
            .state_machine_arn(&self.arn)
            .name(format!("{id}-{run}"))
            .input(format!("{{\"order_id\":\"{id}\"}}"));
        Box::pin(async move {
            gate::admitted().await;
            let Err(error) = request.send().await else {
                return Ok(());
            };
            let reason = error.as_service_error();
            if reason.is_some_and(StartExecutionError::is_execution_already_exists) {
                return Ok(());
            }
            Err(NotStarted(error.into()))
        })
    }
}
