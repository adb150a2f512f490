//! Tasks: calls of functions.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Run, Thread, check_size, details_of};
use crate::states::failure::{Failure, Stop};
use crate::states::machine::Task;

impl Run {
    pub(super) async fn task(
        &self,
        task: &Task,
        payload: &Value,
        thread: &mut Thread,
    ) -> Result<Value, Stop> {
        check_size(payload)?;
        let (events, scheduled) = if task.wrapped {
            let details = json!({"resourceType": "lambda", "resource": "invoke", "parameters": payload.to_string()});
            ("Task", details)
        } else {
            (
                "LambdaFunction",
                json!({"resource": task.resource, "input": payload.to_string()}),
            )
        };
        self.record(thread, format!("{events}Scheduled"), scheduled);
        self.record(thread, format!("{events}Started"), Value::Null);
        let payload = if task.wrapped {
            payload.get("Payload").unwrap_or(&Value::Null)
        } else {
            payload
        };
        let answer = match self.call(&task.function, payload, task.timeout).await {
            Ok(answer) => answer,
            Err(stop) => {
                if let Stop::Failed(failure) = &stop {
                    let kind = if failure.error == "States.Timeout" {
                        "TimedOut"
                    } else {
                        "Failed"
                    };
                    self.record(thread, format!("{events}{kind}"), details_of(failure));
                }
                return Err(stop);
            }
        };
        let result = if task.wrapped {
            json!({"ExecutedVersion": "$LATEST", "Payload": answer, "StatusCode": 200})
        } else {
            answer
        };
        check_size(&result)?;
        self.record(
            thread,
            format!("{events}Succeeded"),
            json!({"output": result.to_string()}),
        );
        Ok(result)
    }

    /// Calls a function. It goes on running after its caller has stopped waiting, as on AWS.
    async fn call(
        &self,
        function: &str,
        payload: &Value,
        timeout: Option<Duration>,
    ) -> Result<Value, Stop> {
        let before = self.clock.now();
        let remaining = self
            .deadline()
            .filter(|_| !self.clock.is_manual())
            .map(|deadline| {
                Duration::try_from(deadline.duration_since(before)).unwrap_or(Duration::ZERO)
            });
        let call = tokio::spawn((self.invoke)(function, payload.to_string().into()));
        let answer = match timeout.into_iter().chain(remaining).min() {
            None => call.await,
            Some(limit) => match tokio::time::timeout(limit, call).await {
                Ok(answer) => answer,
                Err(_) if Some(limit) == timeout => {
                    return Err(Failure::new("States.Timeout", "").into());
                }
                Err(_) => return Err(Stop::TimedOut),
            },
        };
        if self.clock.is_manual() {
            self.postpone_deadline(self.clock.now().duration_since(before));
        }
        let answer = answer
            .map_err(|error| Failure::runtime(error.to_string()))?
            .map_err(|error| {
                let (error, cause) = error.states_error();
                Failure::new(error, cause)
            })?;
        if answer.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&answer).map_err(|error| {
            Failure::runtime(format!("the function's answer is not JSON: {error}")).into()
        })
    }
}
