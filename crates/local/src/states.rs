//! Step Functions: state machines in the Amazon States Language.

use serde_json::Value;
use thiserror::Error;

use crate::arn::Arns;
use crate::aws::{AwsError, Call, Caller, Service};
use crate::bill::Bill;
use crate::clock::Clock;
use crate::functions::Functions;
use crate::model::Stack;

/// Why a definition cannot be run here.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("state machine {machine}: {fault}")]
pub struct DefinitionError {
    /// The state machine, by logical id.
    pub machine: String,
    /// What is wrong; names the state.
    pub fault: String,
}

/// The stack's state machines and their executions. Clones share them.
#[derive(Clone, Debug)]
pub struct StateMachines {}

impl StateMachines {
    /// The state machines of `stack`.
    ///
    /// # Errors
    /// [`DefinitionError`] for the first definition that is wrong or asks for what is not emulated.
    pub fn new(
        stack: &Stack,
        clock: Clock,
        bill: Bill,
        arns: Arns,
        functions: Functions,
    ) -> Result<Self, DefinitionError> {
        let _ = (stack, clock, bill, arns, functions);
        Ok(Self {})
    }

    /// Starts an execution of a state machine (logical id), and answers its ARN.
    ///
    /// # Errors
    /// As those of `StartExecution`.
    pub fn start(
        &self,
        machine: &str,
        name: Option<String>,
        input: Value,
    ) -> Result<String, AwsError> {
        let _ = (name, input);
        Err(AwsError::client("StateMachineDoesNotExist", machine))
    }

    /// What `/_local/executions/{name}` answers: the latest execution of that name.
    #[must_use]
    pub fn execution(&self, name: &str) -> Option<Value> {
        let _ = name;
        None
    }

    /// One call of the Step Functions API.
    ///
    /// # Errors
    /// As the API's own; an operation or parameter that is not emulated is refused by name.
    pub async fn call(
        &self,
        caller: &Caller,
        operation: &str,
        body: Value,
    ) -> Result<Value, AwsError> {
        let _ = (caller, body);
        Err(AwsError::unknown_operation("states", operation))
    }
}

impl Service for StateMachines {
    fn call<'a>(&'a self, caller: &'a Caller, operation: &'a str, body: Value) -> Call<'a> {
        Box::pin(self.call(caller, operation, body))
    }
}
