//! SQS: standard queues, and the mappings that feed functions from them.

use std::time::Duration;

use serde_json::Value;
use tokio::task::JoinSet;

use crate::arn::Arns;
use crate::aws::{AwsError, Call, Caller, Service};
use crate::bill::Bill;
use crate::clock::Clock;
use crate::functions::Functions;
use crate::model::Stack;

/// The stack's queues. Clones share them.
#[derive(Clone, Debug)]
pub struct Queues {}

impl Queues {
    /// The queues of `stack`, empty. `endpoint` is what queue URLs begin with.
    #[must_use]
    pub fn new(stack: &Stack, clock: Clock, bill: Bill, arns: Arns, endpoint: &str) -> Self {
        let _ = (stack, clock, bill, arns, endpoint);
        Self {}
    }

    /// Starts to feed functions from queues, as the mappings of `stack` say, for as long as the
    /// answer lives.
    #[must_use]
    pub fn start_mappings(&self, stack: &Stack, functions: &Functions) -> JoinSet<()> {
        let _ = (stack, functions);
        JoinSet::new()
    }

    /// Sends a message to a queue (logical id). `attributes` are message attributes in the API's
    /// JSON, or null. Answers the message's id.
    pub fn send(
        &self,
        queue: &str,
        body: String,
        attributes: Value,
        delay: Option<Duration>,
    ) -> String {
        let _ = (queue, body, attributes, delay);
        String::new()
    }

    /// What `/_local/queues` answers.
    #[must_use]
    pub fn snapshot(&self) -> Value {
        Value::Null
    }

    /// One call of the SQS API.
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
        Err(AwsError::unknown_operation("sqs", operation))
    }
}

impl Service for Queues {
    fn call<'a>(&'a self, caller: &'a Caller, operation: &'a str, body: Value) -> Call<'a> {
        Box::pin(self.call(caller, operation, body))
    }
}
