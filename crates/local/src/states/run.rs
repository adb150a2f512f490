//! The interpreter: runs one execution from state to state.
//!
//! Waits, the time between retries and whatever times out meanwhile go by the clock. A function
//! that is called takes machine time, which a manual clock does not know: on such a clock a call
//! does not bring an execution's own timeout nearer.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures::future::{BoxFuture, try_join_all};
use futures::stream::{self, StreamExt, TryStreamExt};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::definition::{Each, Kind, Machine, State, Task, Text, Wait};
use super::execution::Execution;
use super::failure::{Failure, Stop};
use super::template::Scope;
use crate::bill::Bill;
use crate::clock::Clock;
use crate::functions::InvokeError;

/// The most that an input or output may have, in bytes (Step Functions quota).
pub(super) const MAX_DATA: usize = 256 * 1024;

/// Calls a function (logical id).
pub(super) type Invoke =
    Arc<dyn Fn(&str, Bytes) -> BoxFuture<'static, Result<Bytes, InvokeError>> + Send + Sync>;

/// One execution under way.
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
        let payload = state
            .parameters
            .as_ref()
            .map(|parameters| parameters.evaluate(scope))
            .transpose()?;
        let next = state.next.as_deref();
        let result = match &state.kind {
            Kind::Task(task) => {
                self.task(task, payload.as_ref().unwrap_or(&input), thread)
                    .await?
            }
            Kind::Pass { result } => result.clone().or(payload).unwrap_or_else(|| input.clone()),
            Kind::Choice { rules, default } => {
                let chosen = choose(rules, default.as_deref(), scope)?;
                return Ok((state.output_path.apply(scope)?, Some(chosen)));
            }
            Kind::Wait(wait) => {
                self.pause(self.until(wait, scope)?).await?;
                return Ok((state.output_path.apply(scope)?, next));
            }
            Kind::Succeed => return Ok((state.output_path.apply(scope)?, None)),
            Kind::Fail { error, cause } => {
                return Err(Failure::new(
                    text(error.as_ref(), scope)?,
                    text(cause.as_ref(), scope)?,
                )
                .into());
            }
            Kind::Parallel { branches } => {
                self.parallel(branches, payload.as_ref().unwrap_or(&input), thread)
                    .await?
            }
            Kind::Map(each) => self.map(each, scope, thread).await?,
        };
        let result_scope = Scope {
            input: &result,
            context,
        };
        let selected = state
            .result_selector
            .as_ref()
            .map(|selector| selector.evaluate(result_scope))
            .transpose()?;
        let combined = state
            .result_path
            .apply(raw.clone(), selected.unwrap_or(result))?;
        Ok((
            state.output_path.apply(Scope {
                input: &combined,
                context,
            })?,
            next,
        ))
    }

    async fn task(&self, task: &Task, payload: &Value, thread: &mut Thread) -> Result<Value, Stop> {
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

    /// Calls a function. It goes on running when nobody waits for it any more, as it does on AWS.
    async fn call(
        &self,
        function: &str,
        payload: &Value,
        timeout: Option<Duration>,
    ) -> Result<Value, Stop> {
        let before = self.clock.now();
        let left = self
            .deadline()
            .filter(|_| !self.clock.is_manual())
            .map(|deadline| {
                Duration::try_from(deadline.duration_since(before)).unwrap_or(Duration::ZERO)
            });
        let call = tokio::spawn((self.invoke)(function, payload.to_string().into()));
        let answer = match timeout.into_iter().chain(left).min() {
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
            Failure::runtime(format!("the function's answer is no JSON: {error}")).into()
        })
    }

    async fn parallel(
        &self,
        branches: &[Machine],
        input: &Value,
        thread: &mut Thread,
    ) -> Result<Value, Stop> {
        self.record(thread, "ParallelStateStarted", Value::Null);
        let threads = branches.iter().map(|branch| {
            let (event, item) = (thread.event, thread.item.clone());
            async move {
                self.branch(branch, input.clone(), &mut Thread { event, item })
                    .await
            }
        });
        let joined = try_join_all(threads).await;
        self.joined(joined, "Parallel", thread)
    }

    async fn map(&self, each: &Each, scope: Scope<'_>, thread: &mut Thread) -> Result<Value, Stop> {
        let Value::Array(items) = each.items.apply(scope)? else {
            return Err(Failure::runtime("the items of a Map are no array").into());
        };
        self.record(thread, "MapStateStarted", json!({"length": items.len()}));
        let event = thread.event;
        let work = items
            .into_iter()
            .enumerate()
            .map(|(index, value)| async move {
                let item = json!({"Item": {"Index": index, "Value": value}});
                let mut context = scope.context.clone();
                context["Map"] = item.clone();
                let input = match &each.selector {
                    None => value,
                    Some(selector) => selector.evaluate(Scope {
                        input: scope.input,
                        context: &context,
                    })?,
                };
                let mut thread = Thread {
                    event,
                    item: Some(item),
                };
                self.record(&mut thread, "MapIterationStarted", json!({"index": index}));
                let outcome = self.branch(&each.processor, input, &mut thread).await;
                let ended = if outcome.is_ok() {
                    "MapIterationSucceeded"
                } else {
                    "MapIterationFailed"
                };
                self.record(&mut thread, ended, json!({"index": index}));
                outcome
            });
        let joined = stream::iter(work)
            .buffered(each.concurrency)
            .try_collect()
            .await;
        self.joined(joined, "Map", thread)
    }

    /// Writes down how branches ended together.
    fn joined(
        &self,
        joined: Result<Vec<Value>, Stop>,
        kind: &str,
        thread: &mut Thread,
    ) -> Result<Value, Stop> {
        match &joined {
            Ok(_) => self.record(thread, format!("{kind}StateSucceeded"), Value::Null),
            Err(Stop::Failed(failure)) => {
                self.record(thread, format!("{kind}StateFailed"), details_of(failure));
            }
            Err(Stop::TimedOut) => {}
        }
        joined.map(Value::Array)
    }

    /// When a Wait ends.
    fn until(&self, wait: &Wait, scope: Scope<'_>) -> Result<Timestamp, Failure> {
        let seconds = |seconds| self.after(Duration::from_secs(seconds));
        match wait {
            Wait::Seconds(given) => Ok(seconds(*given)),
            Wait::Timestamp(at) => Ok(*at),
            Wait::SecondsPath(path) => path
                .find(scope)
                .and_then(|value| value.as_u64())
                .map(seconds)
                .ok_or_else(|| {
                    Failure::runtime(format!("{} is no number of seconds", path.text()))
                }),
            Wait::TimestampPath(path) => path
                .find(scope)
                .and_then(|value| value.as_str()?.parse().ok())
                .ok_or_else(|| Failure::runtime(format!("{} is no timestamp", path.text()))),
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
    /// (<https://aws.amazon.com/step-functions/pricing/>); its examples count the end too.
    fn count_transition(&self) {
        self.execution.count_transition();
        if !self.execution.express {
            self.bill.state_transitions(&self.execution.machine, 1);
        }
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
            text.ok_or_else(|| Failure::runtime(format!("{value} is no text")))
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
