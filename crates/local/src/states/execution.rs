//! One execution: what is asked about it, while it runs and after.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::failure::{Failure, Stop};

/// A STANDARD execution may have so many events (Step Functions quota).
pub(super) const MAX_EVENTS: u64 = 25_000;

/// What is known of an execution from its start.
#[derive(Debug)]
pub(super) struct Execution {
    pub(super) arn: String,
    pub(super) name: String,
    /// The state machine, by logical id.
    pub(super) machine: String,
    pub(super) machine_arn: String,
    pub(super) machine_name: String,
    pub(super) role_arn: String,
    pub(super) express: bool,
    pub(super) input: Value,
    pub(super) started_at: Timestamp,
    progress: Mutex<Progress>,
}

#[derive(Debug, Default)]
struct Progress {
    outcome: Option<(Timestamp, Result<Value, Stop>)>,
    transitions: u64,
    events: Vec<Event>,
}

#[derive(Clone, Debug)]
struct Event {
    at: Timestamp,
    previous: u64,
    kind: String,
    details: Value,
}

/// What an execution is for.
pub(super) struct Start {
    pub(super) arn: String,
    pub(super) name: String,
    pub(super) machine: String,
    pub(super) machine_arn: String,
    pub(super) machine_name: String,
    pub(super) role_arn: String,
    pub(super) express: bool,
    pub(super) input: Value,
    pub(super) started_at: Timestamp,
}

impl Execution {
    pub(super) fn new(start: Start) -> Self {
        let Start {
            arn,
            name,
            machine,
            machine_arn,
            machine_name,
            role_arn,
            express,
            input,
            started_at,
        } = start;
        let progress = Mutex::default();
        Self {
            arn,
            name,
            machine,
            machine_arn,
            machine_name,
            role_arn,
            express,
            input,
            started_at,
            progress,
        }
    }

    /// Writes an event into the history, and returns its id. `previous` is the one it follows from.
    pub(super) fn record(
        &self,
        previous: u64,
        at: Timestamp,
        kind: impl Into<String>,
        details: Value,
    ) -> u64 {
        let mut progress = self.lock();
        progress.events.push(Event {
            at,
            previous,
            kind: kind.into(),
            details,
        });
        progress.events.len() as u64
    }

    /// Counts a state transition.
    pub(super) fn count_transition(&self) {
        self.lock().transitions += 1;
    }

    /// Whether the history has as many events as it may.
    pub(super) fn is_full(&self) -> bool {
        self.lock().events.len() as u64 >= MAX_EVENTS
    }

    /// Ends the execution.
    pub(super) fn finish(&self, at: Timestamp, outcome: Result<Value, Stop>) {
        self.lock().outcome = Some((at, outcome));
    }

    /// Forgets the history, unless the execution still runs.
    pub(super) fn forget_history(&self) {
        let mut progress = self.lock();
        if progress.outcome.is_some() {
            progress.events = Vec::new();
        }
    }

    /// When it ended; `None` while it runs.
    pub(super) fn stopped_at(&self) -> Option<Timestamp> {
        self.lock().outcome.as_ref().map(|(at, _)| *at)
    }

    /// `RUNNING`, `SUCCEEDED`, `FAILED` or `TIMED_OUT`.
    pub(super) fn status(&self) -> &'static str {
        status(&self.lock())
    }

    /// The body of `/_local/executions/{name}`.
    pub(super) fn report(&self) -> Value {
        let progress = self.lock();
        let failure = failure(&progress);
        json!({
            "name": self.name,
            "arn": self.arn,
            "machine": self.machine,
            "status": status(&progress),
            "input": self.input,
            "output": output(&progress),
            "error": failure.as_ref().map(|failure| &failure.error),
            "cause": failure.as_ref().map(|failure| &failure.cause),
            "started_at": self.started_at.to_string(),
            "stopped_at": progress.outcome.as_ref().map(|(at, _)| at.to_string()),
            "transitions": progress.transitions,
            "history": events(&progress, |at| at.to_string().into()),
        })
    }

    /// The response to `DescribeExecution`.
    pub(super) fn describe(&self) -> Value {
        let progress = self.lock();
        let mut answer = Map::new();
        let mut put = |name: &str, value: Value| answer.insert(name.to_owned(), value);
        put("executionArn", self.arn.as_str().into());
        put("stateMachineArn", self.machine_arn.as_str().into());
        put("name", self.name.as_str().into());
        put("status", status(&progress).into());
        put("startDate", epoch_seconds(self.started_at));
        put("input", self.input.to_string().into());
        put("inputDetails", json!({"included": true}));
        if let Some((at, _)) = &progress.outcome {
            put("stopDate", epoch_seconds(*at));
        }
        if let Some(output) = output(&progress) {
            put("output", output.to_string().into());
            put("outputDetails", json!({"included": true}));
        }
        if let Some(failure) = failure(&progress) {
            put("error", failure.error.into());
            put("cause", failure.cause.into());
        }
        answer.into()
    }

    /// The history's events, oldest first, as `GetExecutionHistory` writes them.
    pub(super) fn history(&self) -> Vec<Value> {
        events(&self.lock(), epoch_seconds)
    }

    fn lock(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn status(progress: &Progress) -> &'static str {
    match &progress.outcome {
        None => "RUNNING",
        Some((_, Ok(_))) => "SUCCEEDED",
        Some((_, Err(Stop::Failed(_)))) => "FAILED",
        Some((_, Err(Stop::TimedOut))) => "TIMED_OUT",
    }
}

fn output(progress: &Progress) -> Option<&Value> {
    progress
        .outcome
        .as_ref()
        .and_then(|(_, outcome)| outcome.as_ref().ok())
}

fn failure(progress: &Progress) -> Option<Failure> {
    match &progress.outcome {
        Some((_, Err(Stop::Failed(failure)))) => Some(failure.clone()),
        Some((_, Err(Stop::TimedOut))) => Some(Failure::new(
            "States.Timeout",
            "The execution took longer than it may",
        )),
        Some((_, Ok(_))) | None => None,
    }
}

fn events(progress: &Progress, time: impl Fn(Timestamp) -> Value) -> Vec<Value> {
    let numbered = progress.events.iter().zip(1_u64..);
    numbered
        .map(|(event, id)| {
            let mut written = json!({
                "id": id,
                "previousEventId": event.previous,
                "timestamp": time(event.at),
                "type": event.kind,
            });
            if !event.details.is_null() {
                written[details_name(&event.kind)] = event.details.clone();
            }
            written
        })
        .collect()
}

/// The name of the field that has an event's details.
fn details_name(kind: &str) -> String {
    if kind.ends_with("StateEntered") {
        return "stateEnteredEventDetails".to_owned();
    }
    if kind.ends_with("StateExited") {
        return "stateExitedEventDetails".to_owned();
    }
    let mut chars = kind.chars();
    let first = chars.next().map(|c| c.to_ascii_lowercase());
    format!(
        "{}{}EventDetails",
        first.unwrap_or_default(),
        chars.as_str()
    )
}

/// A time as AWS writes it in JSON: seconds, with milliseconds as a fraction.
pub(super) fn epoch_seconds(at: Timestamp) -> Value {
    let ms = at.as_millisecond();
    serde_json::from_str(&format!(
        "{}.{:03}",
        ms.div_euclid(1000),
        ms.rem_euclid(1000)
    ))
    .unwrap_or_default()
}
