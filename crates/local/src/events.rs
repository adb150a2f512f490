//! EventBridge: buses, rules and their targets.

use serde_json::Value;
use thiserror::Error;

use crate::arn::Arns;
use crate::aws::{AwsError, Call, Caller, Service};
use crate::bill::Bill;
use crate::clock::Clock;
use crate::functions::Functions;
use crate::model::Stack;
use crate::queues::Queues;
use crate::states::StateMachines;

/// Why a rule cannot be run here.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("rule {rule}: {fault}")]
pub struct RuleError {
    /// The rule, by logical id.
    pub rule: String,
    /// What is wrong.
    pub fault: String,
}

/// The stack's event buses. Clones share them.
#[derive(Clone, Debug)]
pub struct EventBridge {}

impl EventBridge {
    /// The buses and rules of `stack`, with what their targets are delivered to.
    ///
    /// # Errors
    /// [`RuleError`] for the first rule whose pattern or target cannot be understood.
    pub fn new(
        stack: &Stack,
        clock: Clock,
        bill: Bill,
        arns: Arns,
        functions: Functions,
        queues: Queues,
        machines: StateMachines,
    ) -> Result<Self, RuleError> {
        let _ = (stack, clock, bill, arns, functions, queues, machines);
        Ok(Self {})
    }

    /// Puts a complete event on a bus (logical id): whatever is not in it is not added.
    pub fn put(&self, bus: &str, event: Value) {
        let _ = (bus, event);
    }

    /// One call of the EventBridge API.
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
        Err(AwsError::unknown_operation("events", operation))
    }
}

impl Service for EventBridge {
    fn call<'a>(&'a self, caller: &'a Caller, operation: &'a str, body: Value) -> Call<'a> {
        Box::pin(self.call(caller, operation, body))
    }
}
