//! The interpreter: runs one execution from state to state.
//!
//! Waits, the time between retries and whatever times out meanwhile go by the clock. A function
//! that is called takes machine time, which a manual clock does not know: on such a clock a call
//! does not bring an execution's own timeout nearer.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::execution::Execution;
use super::failure::{Failure, Stop};
use super::machine::{Kind, Machine, State, Text, Wait};
use super::path::Scope;
use crate::bill::Bill;
use crate::clock::Clock;
use crate::functions::InvokeError;

mod branches;
mod task;

/// The most that an input or output may have, in bytes (Step Functions quota).
pub(super) const MAX_DATA: usize = 256 * 1024;

/// Calls a function (logical id).
pub(super) type Invoke =
    Arc<dyn Fn(&str, Bytes) -> BoxFuture<'static, Result<Bytes, InvokeError>> + Send + Sync>;

/// One execution in progress.
pub(super) struct Run {
    pub(super) execution: Arc<Execution>,
    pub(super) clock: Clock,
    pub(super) bill: Bill,
    pub(super) invoke: Invoke,
    pub(super) deadline: Mutex<Option<Timestamp>>,
}

/// One way through the states, of several in a Parallel or Map.
struct Thread {
    /// The latest event, which the next one follows from.
    event: u64,
    /// The context object's `Map`, inside a Map.
    item: Option<Value>,
}

/// What came of a state: its output, and the state that follows.
type Outcome<'a> = (Value, Option<&'a str>);

impl Run {
    /// Runs `machine` to its end, and writes down how it ended.
    pub(super) async fn execute(self, machine: Arc<Machine>) {
        let execution = &self.execution;
        let mut thread = Thread {
            event: 0,
            item: None,
        };
        let details = json!({"input": execution.input.to_string(), "roleArn": execution.role_arn});
        self.record(&mut thread, "ExecutionStarted", details);
        let outcome = self
            .branch(&machine, execution.input.clone(), &mut thread)
            .await;
        // The way from the last state to the end.
        self.count_transition();
        match &outcome {
            Ok(output) => {
                self.record(
                    &mut thread,
                    "ExecutionSucceeded",
                    json!({"output": output.to_string()}),
                );
            }
            Err(Stop::Failed(failure)) => {
                self.record(&mut thread, "ExecutionFailed", details_of(failure));
            }
            Err(Stop::TimedOut) => self.record(
                &mut thread,
                "ExecutionTimedOut",
                json!({"error": "States.Timeout"}),
            ),
        }
        execution.finish(self.clock.now(), outcome);
    }

    /// Runs a machine or branch from its first state to its end.
    fn branch<'a>(
        &'a self,
        machine: &'a Machine,
        input: Value,
        thread: &'a mut Thread,
    ) -> BoxFuture<'a, Result<Value, Stop>> {
        Box::pin(async move {
            let (mut name, mut data) = (machine.start_at.as_str(), input);
            // Every name was checked when the definition was read.
            while let Some(state) = machine.states.get(name) {
                let (output, next) = self.state(state, data, thread).await?;
                data = output;
                match next {
                    Some(next) => name = next,
                    None => break,
                }
                tokio::task::yield_now().await;
            }
            Ok(data)
        })
    }

    /// Runs a state with its retries, and its catchers if they do not help.
    async fn state<'a>(
        &self,
        state: &'a State,
        input: Value,
        thread: &mut Thread,
    ) -> Result<Outcome<'a>, Stop> {
        let entered_at = self.clock.now();
        self.enter(state, &input, thread)?;
        let mut tries = vec![0; state.retry.len()];
        let outcome = loop {
            let context = self.context(state, entered_at, tries.iter().sum(), thread);
            let failure = match self.attempt(state, &input, &context, thread).await {
                Ok(outcome) => break outcome,
                Err(Stop::TimedOut) => return Err(Stop::TimedOut),
                Err(Stop::Failed(failure)) => failure,
            };
            let mut retriers = state.retry.iter().zip(&mut tries);
            let retrier = retriers.find(|(retrier, _)| failure.matches(&retrier.errors));
            if let Some((retrier, tried)) =
                retrier.filter(|(retrier, tried)| **tried < retrier.max_attempts)
            {
                *tried += 1;
                self.pause(self.after(retrier.delay(*tried))).await?;
                self.count_transition();
                continue;
            }
            let Some(catcher) = state
                .catch
                .iter()
                .find(|catcher| failure.matches(&catcher.errors))
            else {
                return Err(failure.into());
            };
            let caught = json!({"Error": failure.error, "Cause": failure.cause});
            break (
                catcher.result_path.apply(input, caught)?,
                Some(catcher.next.as_str()),
            );
        };
        check_size(&outcome.0)?;
        if !matches!(state.kind, Kind::Fail { .. }) {
            let details = json!({"name": state.name, "output": outcome.0.to_string()});
            self.record(thread, format!("{}StateExited", state.kind.name()), details);
        }
        Ok(outcome)
    }

    fn enter(&self, state: &State, input: &Value, thread: &mut Thread) -> Result<(), Stop> {
        if self.execution.is_full() {
            let cause = "The execution reached the maximum number of history events (25000).";
            return Err(Failure::runtime(cause).into());
        }
        if !self.clock.is_manual()
            && self
                .deadline()
                .is_some_and(|deadline| deadline <= self.clock.now())
        {
            return Err(Stop::TimedOut);
        }
        let details = json!({"name": state.name, "input": input.to_string()});
        self.record(
            thread,
            format!("{}StateEntered", state.kind.name()),
            details,
        );
        self.count_transition();
        Ok(())
    }

    /// Runs a state once: input path, parameters, work, result selector, result path, output path.
    async fn attempt<'a>(
        &self,
        state: &'a State,
        raw: &Value,
        context: &Value,
        thread: &mut Thread,
    ) -> Result<Outcome<'a>, Stop> {
        let input = state.input_path.apply(Scope {
            input: raw,
            context,
        })?;
        let scope = Scope {
            input: &input,
            context,
        };
        let next = state.next.as_deref();
        let passed = |next| Ok((state.output_path.apply(scope)?, next));
        let result = match &state.kind {
            Kind::Choice { rules, default } => {
                return passed(Some(choose(rules, default.as_deref(), scope)?));
            }
            Kind::Succeed => return passed(None),
            Kind::Wait(wait) => {
                self.pause(self.wait_end(wait, scope)?).await?;
                return passed(next);
            }
            Kind::Fail { error, cause } => {
                let (error, cause) = (text(error.as_ref(), scope)?, text(cause.as_ref(), scope)?);
                return Err(Failure::new(error, cause).into());
            }
            Kind::Task(task) => self.task(task, &payload(state, scope)?, thread).await?,
            Kind::Pass { result } => {
                let payload = payload(state, scope)?;
                result.clone().unwrap_or(payload)
            }
            Kind::Parallel { branches } => {
                self.parallel(branches, &payload(state, scope)?, thread)
                    .await?
            }
            Kind::Map(each) => self.map(each, scope, thread).await?,
        };
        let result = match &state.result_selector {
            None => result,
            Some(selector) => selector.evaluate(Scope {
                input: &result,
                context,
            })?,
        };
        let combined = state.result_path.apply(raw.clone(), result)?;
        let scope = Scope {
            input: &combined,
            context,
        };
        Ok((state.output_path.apply(scope)?, next))
    }

    /// When a Wait ends.
    fn wait_end(&self, wait: &Wait, scope: Scope<'_>) -> Result<Timestamp, Failure> {
        let seconds = |seconds| self.after(Duration::from_secs(seconds));
        match wait {
            Wait::Seconds(given) => Ok(seconds(*given)),
            Wait::Timestamp(at) => Ok(*at),
            Wait::SecondsPath(path) => path
                .find(scope)
                .and_then(|value| value.as_u64())
                .map(seconds)
                .ok_or_else(|| {
                    Failure::runtime(format!("{} is not a number of seconds", path.text()))
                }),
            Wait::TimestampPath(path) => path
                .find(scope)
                .and_then(|value| value.as_str()?.parse().ok())
                .ok_or_else(|| Failure::runtime(format!("{} is not a timestamp", path.text()))),
        }
    }

    /// Waits on the clock, but not past the execution's deadline.
    async fn pause(&self, until: Timestamp) -> Result<(), Stop> {
        match self.deadline() {
            Some(deadline) if deadline < until => {
                self.clock.sleep_until(deadline).await;
                Err(Stop::TimedOut)
            }
            _ => {
                self.clock.sleep_until(until).await;
                Ok(())
            }
        }
    }

    fn after(&self, duration: Duration) -> Timestamp {
        let by = SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX);
        self.clock
            .now()
            .saturating_add(by)
            .unwrap_or(Timestamp::MAX)
    }

    fn deadline(&self) -> Option<Timestamp> {
        *self.deadline.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn postpone_deadline(&self, by: SignedDuration) {
        let mut deadline = self.deadline.lock().unwrap_or_else(PoisonError::into_inner);
        *deadline = deadline.map(|at| at.saturating_add(by).unwrap_or(Timestamp::MAX));
    }

    /// The context object.
    fn context(
        &self,
        state: &State,
        entered_at: Timestamp,
        retries: u32,
        thread: &Thread,
    ) -> Value {
        let execution = &self.execution;
        let mut context = json!({
            "Execution": {
                "Id": execution.arn,
                "Input": execution.input,
                "Name": execution.name,
                "RedriveCount": 0,
                "RoleArn": execution.role_arn,
                "StartTime": milliseconds(execution.started_at),
            },
            "State": {"EnteredTime": milliseconds(entered_at), "Name": state.name, "RetryCount": retries},
            "StateMachine": {"Id": execution.machine_arn, "Name": execution.machine_name},
        });
        if let Some(item) = &thread.item {
            context["Map"] = item.clone();
        }
        context
    }

    /// Writes an event into the history of a STANDARD execution; of an EXPRESS one likewise, where
    /// AWS would write a log.
    fn record(&self, thread: &mut Thread, kind: impl Into<String>, details: Value) {
        thread.event = self
            .execution
            .record(thread.event, self.clock.now(), kind, details);
    }

    /// Counts a transition: the way into a state, a retry, and the way from the last state to the
    /// end. AWS charges "each time a step of your workflow is executed", and for each retry
    /// (<https://aws.amazon.com/step-functions/pricing/>). That page does not say whether start and
    /// end are steps; with one more for them the bill is rather too high than too low.
    fn count_transition(&self) {
        self.execution.count_transition();
        if !self.execution.express {
            self.bill.state_transitions(&self.execution.machine, 1);
        }
    }
}

/// What a state works on: its parameters, or its input.
fn payload(state: &State, scope: Scope<'_>) -> Result<Value, Failure> {
    match &state.parameters {
        None => Ok(scope.input.clone()),
        Some(parameters) => parameters.evaluate(scope),
    }
}

fn choose<'a>(
    rules: &'a [(super::choice::Rule, String)],
    default: Option<&'a str>,
    scope: Scope<'_>,
) -> Result<&'a str, Failure> {
    for (rule, next) in rules {
        if rule.holds(scope)? {
            return Ok(next);
        }
    }
    default.ok_or_else(|| {
        Failure::new(
            "States.NoChoiceMatched",
            "no rule holds, and there is no default",
        )
    })
}

fn text(text: Option<&Text>, scope: Scope<'_>) -> Result<String, Failure> {
    match text {
        None => Ok(String::new()),
        Some(Text::Given(text)) => Ok(text.clone()),
        Some(Text::Computed(expression)) => {
            let value = expression.evaluate(scope)?;
            let text = value.as_str().map(str::to_owned);
            text.ok_or_else(|| Failure::runtime(format!("{value} is not a string")))
        }
    }
}

fn check_size(data: &Value) -> Result<(), Failure> {
    let bytes = data.to_string().len();
    if bytes <= MAX_DATA {
        return Ok(());
    }
    let cause =
        format!("{bytes} bytes are more than the {MAX_DATA} that an input or output may have");
    Err(Failure::new("States.DataLimitExceeded", cause))
}

fn details_of(failure: &Failure) -> Value {
    json!({"error": failure.error, "cause": failure.cause})
}

/// A time in RFC 3339 with milliseconds, as in the context object.
fn milliseconds(at: Timestamp) -> String {
    format!("{at:.3}")
}
