//! The operations of the Step Functions API.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::execution::{Execution, epoch_seconds};
use super::{StateMachines, no_machine};
use crate::aws::{self, AwsError, Call, Caller, Service};
use crate::params;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct StartExecution {
    state_machine_arn: String,
    name: Option<String>,
    input: Option<String>,
    /// Tracing has no meaning on one machine.
    #[serde(rename = "traceHeader")]
    _trace_header: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct DescribeExecution {
    execution_arn: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct GetExecutionHistory {
    execution_arn: String,
    #[serde(default)]
    max_results: usize,
    #[serde(default)]
    reverse_order: bool,
    next_token: Option<String>,
    /// The data are always included.
    #[serde(rename = "includeExecutionData")]
    _include_data: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ListExecutions {
    state_machine_arn: String,
    status_filter: Option<String>,
    #[serde(default)]
    max_results: usize,
    next_token: Option<String>,
}

impl StateMachines {
    /// One call of the Step Functions API.
    ///
    /// # Errors
    /// As the API's own; an operation or parameter that is not emulated is refused by name.
    pub fn call(&self, operation: &str, body: Value) -> Result<Value, AwsError> {
        call(self, operation, body)
    }
}

impl Service for StateMachines {
    fn call<'a>(&'a self, _: &'a Caller, operation: &'a str, body: Value) -> Call<'a> {
        Box::pin(async move { Ok(aws::text(&self.call(operation, body)?)) })
    }
}

fn call(machines: &StateMachines, operation: &str, body: Value) -> Result<Value, AwsError> {
    match operation {
        "StartExecution" => start(machines, params::read(operation, body)?),
        "DescribeExecution" => {
            let request: DescribeExecution = params::read(operation, body)?;
            standard(machines, &request.execution_arn).map(|execution| execution.describe())
        }
        "GetExecutionHistory" => history(machines, &params::read(operation, body)?),
        "ListExecutions" => list(machines, &params::read(operation, body)?),
        other => Err(AwsError::unknown_operation("states", other)),
    }
}

fn start(machines: &StateMachines, request: StartExecution) -> Result<Value, AwsError> {
    let arn = &request.state_machine_arn;
    let machine = machines
        .inner
        .arns
        .find_state_machine(arn)
        .ok_or_else(|| no_machine(arn))?;
    let input =
        serde_json::from_str(request.input.as_deref().unwrap_or("{}")).map_err(|error| {
            AwsError::client(
                "InvalidExecutionInput",
                format!("Invalid State Machine Execution Input: {error}"),
            )
        })?;
    let execution = machines.start_execution(machine, request.name, input)?;
    Ok(json!({"executionArn": execution.arn, "startDate": epoch_seconds(execution.started_at)}))
}

/// Finds a STANDARD execution.
fn standard(machines: &StateMachines, arn: &str) -> Result<Arc<Execution>, AwsError> {
    if arn.contains(":express:") {
        return Err(AwsError::client(
            "InvalidArn",
            format!("Invalid Arn: '{arn}' is of an EXPRESS execution"),
        ));
    }
    let found = machines.lock().by_arn.get(arn).cloned();
    found.ok_or_else(|| {
        AwsError::client(
            "ExecutionDoesNotExist",
            format!("Execution Does Not Exist: '{arn}'"),
        )
    })
}

fn history(machines: &StateMachines, request: &GetExecutionHistory) -> Result<Value, AwsError> {
    let mut events = standard(machines, &request.execution_arn)?.history();
    if request.reverse_order {
        events.reverse();
    }
    page(
        "events",
        events,
        request.max_results,
        request.next_token.as_deref(),
    )
}

fn list(machines: &StateMachines, request: &ListExecutions) -> Result<Value, AwsError> {
    let arn = &request.state_machine_arn;
    let id = machines
        .inner
        .arns
        .find_state_machine(arn)
        .ok_or_else(|| no_machine(arn))?;
    if machines
        .inner
        .machines
        .get(id)
        .is_some_and(|loaded| loaded.express)
    {
        let message = "This operation is not supported by this type of state machine";
        return Err(AwsError::client("StateMachineTypeNotSupported", message));
    }
    let executions = machines.lock();
    let found = executions
        .order
        .iter()
        .rev()
        .filter_map(|arn| executions.by_arn.get(arn))
        .filter(|execution| {
            execution.machine == id
                && request
                    .status_filter
                    .as_deref()
                    .is_none_or(|status| status == execution.status())
        });
    let found = found.map(|execution| {
        let mut entry = json!({
            "executionArn": execution.arn,
            "name": execution.name,
            "startDate": epoch_seconds(execution.started_at),
            "stateMachineArn": execution.machine_arn,
            "status": execution.status(),
        });
        if let Some(at) = execution.stopped_at() {
            entry["stopDate"] = epoch_seconds(at);
        }
        entry
    });
    page(
        "executions",
        found.collect(),
        request.max_results,
        request.next_token.as_deref(),
    )
}

/// One page of a list: 100 entries unless asked otherwise, 1000 at most. The token is where the
/// next page begins.
fn page(
    name: &str,
    entries: Vec<Value>,
    most: usize,
    token: Option<&str>,
) -> Result<Value, AwsError> {
    let from: usize = token
        .map_or(Ok(0), str::parse)
        .map_err(|_| AwsError::client("InvalidToken", "Invalid Token"))?;
    let most = if most == 0 { 100 } else { most.min(1000) };
    let more = entries.len() > from.saturating_add(most);
    let entries: Vec<Value> = entries.into_iter().skip(from).take(most).collect();
    let mut answer = json!({ name: entries });
    if more {
        answer["nextToken"] = (from + most).to_string().into();
    }
    Ok(answer)
}
