//! State machines as they are run: states, what each does, and where it leads.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::choice::Rule;
use super::path::Reference;
use super::retry::{Catcher, Retrier};
use super::template::{Expression, Filter, ResultPath, Template};

/// A state machine, or a branch of one.
#[derive(Clone, Debug)]
pub(super) struct Machine {
    pub(super) start_at: String,
    pub(super) states: BTreeMap<String, State>,
    pub(super) timeout: Option<Duration>,
}

/// A state.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// Where it leads; `None` where the branch ends. A Choice has its own.
    pub(super) next: Option<String>,
    pub(super) input_path: Filter,
    pub(super) output_path: Filter,
    pub(super) parameters: Option<Template>,
    pub(super) result_selector: Option<Template>,
    pub(super) result_path: ResultPath,
    pub(super) retry: Vec<Retrier>,
    pub(super) catch: Vec<Catcher>,
}

/// What a state does.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    Task(Task),
    Pass {
        result: Option<Value>,
    },
    Choice {
        rules: Vec<(Rule, String)>,
        default: Option<String>,
    },
    Wait(Wait),
    Succeed,
    Fail {
        error: Option<Text>,
        cause: Option<Text>,
    },
    Parallel {
        branches: Vec<Machine>,
    },
    Map(Box<MapWork>),
}

/// The work of a Task: a Lambda function.
#[derive(Clone, Debug)]
pub(super) struct Task {
    /// The function, by logical id.
    pub(super) function: String,
    pub(super) resource: String,
    /// Whether it is `arn:aws:states:::lambda:invoke`, whose input and result are wrapped.
    pub(super) wrapped: bool,
    pub(super) timeout: Option<Duration>,
}

/// How long a Wait waits.
#[derive(Clone, Debug)]
pub(super) enum Wait {
    Seconds(u64),
    SecondsPath(Reference),
    Timestamp(jiff::Timestamp),
    TimestampPath(Reference),
}

/// The work of a Map.
#[derive(Clone, Debug)]
pub(super) struct MapWork {
    pub(super) items: Filter,
    pub(super) selector: Option<Template>,
    /// At most so many at a time.
    pub(super) concurrency: usize,
    pub(super) processor: Machine,
}

/// An error or cause: given, or computed.
#[derive(Clone, Debug)]
pub(super) enum Text {
    Given(String),
    Computed(Expression),
}

impl State {
    /// The states that may follow.
    pub(super) fn ways(&self) -> Vec<&str> {
        let mut ways: Vec<&str> = self.next.iter().map(String::as_str).collect();
        ways.extend(self.catch.iter().map(|catcher| catcher.next.as_str()));
        if let Kind::Choice { rules, default } = &self.kind {
            ways.extend(rules.iter().map(|(_, next)| next.as_str()));
            ways.extend(default.as_deref());
        }
        ways
    }
}

impl Kind {
    /// The type's name, as history events spell it.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Task(_) => "Task",
            Self::Pass { .. } => "Pass",
            Self::Choice { .. } => "Choice",
            Self::Wait(_) => "Wait",
            Self::Succeed => "Succeed",
            Self::Fail { .. } => "Fail",
            Self::Parallel { .. } => "Parallel",
            Self::Map(_) => "Map",
        }
    }
}
