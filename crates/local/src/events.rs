//! EventBridge: buses, rules and their targets.
//!
//! A delivery that its target refuses for a passing reason is tried again, after 1, 2, 4 ... seconds
//! on the clock and at most ten minutes, until the target's retries or age are used up; then, or
//! when it is refused for good, the event goes to the target's dead-letter queue.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use quamina::Quamina;
use serde_json::{Value, json};
use thiserror::Error;

use self::input::{Input, RuleContext};
use crate::arn::Arns;
use crate::bill::Bill;
use crate::clock::Clock;
use crate::faults::Faults;
use crate::functions::Functions;
use crate::model::{self, Stack, TargetKind};
use crate::queues::Queues;
use crate::states::StateMachines;

mod api;
mod input;
pub(crate) mod pattern;
#[cfg(test)]
mod tests;

/// The longest time between two tries.
const MAX_BACKOFF: Duration = Duration::from_mins(10);

/// The bus that every account has.
const DEFAULT_BUS: &str = "default";

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
pub struct EventBridge {
    inner: Arc<Inner>,
}

struct Inner {
    arns: Arns,
    bill: Bill,
    /// Physical names, by logical id.
    buses: BTreeMap<String, String>,
    clock: Clock,
    faults: OnceLock<Faults>,
    functions: Functions,
    machines: StateMachines,
    /// Finds the rules of each bus by their patterns.
    matchers: BTreeMap<String, Quamina>,
    queues: Queues,
    rules: BTreeMap<String, Rule>,
}

struct Rule {
    name: String,
    arn: String,
    targets: Vec<Arc<Target>>,
}

struct Target {
    settings: model::Target,
    input: Input,
    arn: String,
}

/// Why a target has not taken an event.
struct Refused {
    code: String,
    message: String,
    /// Whether it may take it later.
    passing: bool,
}

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
        let mut matchers: BTreeMap<String, Quamina> = BTreeMap::new();
        let mut rules = BTreeMap::new();
        for (id, rule) in &stack.rules {
            let refuse = |fault| RuleError {
                rule: id.clone(),
                fault,
            };
            let matcher = matchers.entry(rule.bus.clone()).or_default();
            pattern::add(matcher, id, &rule.pattern).map_err(refuse)?;
            let targets = rule.targets.iter().map(|target| {
                let input = Input::parse(&target.input).map_err(refuse)?;
                let arn = target_arn(stack, &arns, &target.kind);
                let arn =
                    arn.ok_or_else(|| refuse(format!("the target {} is not there", target.id)))?;
                Ok(Arc::new(Target {
                    settings: target.clone(),
                    input,
                    arn,
                }))
            });
            let bus = stack
                .buses
                .get(&rule.bus)
                .map_or(DEFAULT_BUS, String::as_str);
            let arn = arns.rule(bus, &rule.name);
            let targets = targets.collect::<Result<_, _>>()?;
            rules.insert(
                id.clone(),
                Rule {
                    name: rule.name.clone(),
                    arn,
                    targets,
                },
            );
        }
        let (buses, faults) = (stack.buses.clone(), OnceLock::new());
        let inner = Inner {
            arns,
            bill,
            buses,
            clock,
            faults,
            functions,
            machines,
            matchers,
            queues,
            rules,
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// Says which deliveries to queues and state machines are made twice (functions know of
    /// theirs): at least once is all that EventBridge promises. The first call counts.
    pub fn set_faults(&self, faults: Faults) {
        // A second one would have no way to win; the runner sets it once.
        let _ = self.inner.faults.set(faults);
    }

    /// Puts a complete event on a bus (logical id): nothing is added to it. Needs a Tokio runtime
    /// to deliver in.
    pub fn put(&self, bus: &str, event: Value) {
        let Some(matcher) = self.inner.matchers.get(bus) else {
            return;
        };
        let matching = match matcher.matches_for_event(event.to_string().as_bytes()) {
            Ok(matching) => matching,
            Err(error) => {
                tracing::error!(%error, "an event could not be matched");
                return;
            }
        };
        let event = Arc::new(event);
        for rule_id in matching {
            let Some(rule) = self.inner.rules.get(&rule_id) else {
                continue;
            };
            for target in &rule.targets {
                let faults = self.inner.faults.get();
                let twice = match &target.settings.kind {
                    // `invoke_async_from` asks for itself.
                    TargetKind::Function(_) => false,
                    TargetKind::Queue(id) | TargetKind::StateMachine(id) => {
                        faults.is_some_and(|faults| faults.duplicates("events", id))
                    }
                };
                for _ in 0..if twice { 2 } else { 1 } {
                    let delivery = self.clone().deliver(
                        rule_id.clone(),
                        Arc::clone(target),
                        Arc::clone(&event),
                    );
                    tokio::spawn(delivery);
                }
            }
        }
    }

    /// The logical id of a bus, by its name or ARN.
    fn find_bus(&self, name: &str) -> Option<String> {
        let mut buses = self.inner.buses.iter();
        let found = buses.find(|(_, bus)| *bus == name || self.inner.arns.bus(bus) == name);
        let default = || (name == DEFAULT_BUS).then(|| DEFAULT_BUS.to_owned());
        found.map(|(id, _)| id.clone()).or_else(default)
    }

    /// Delivers an event to one target, with its retries.
    async fn deliver(self, rule_id: String, target: Arc<Target>, event: Arc<Value>) {
        let Some(rule) = self.inner.rules.get(&rule_id) else {
            return;
        };
        let clock = &self.inner.clock;
        let begun = clock.now();
        let ingested_at = begun.to_string();
        let facts = RuleContext {
            rule_arn: &rule.arn,
            rule_name: &rule.name,
            ingested_at: &ingested_at,
        };
        let input = match target.input.build(&event, facts) {
            Ok(input) => input,
            Err(message) => {
                let code = "INVALID_JSON".to_owned();
                return self.give_up(
                    rule,
                    &target,
                    &event,
                    &Refused {
                        code,
                        message,
                        passing: false,
                    },
                    0,
                );
            }
        };
        let mut tries = 0;
        let mut backoff = Duration::from_secs(1);
        while let Err(refused) = self.try_once(&target, &input) {
            let again_at = after(clock.now(), backoff);
            let too_old = again_at > after(begun, target.settings.max_age);
            if !refused.passing || tries >= target.settings.retries || too_old {
                return self.give_up(rule, &target, &event, &refused, tries);
            }
            tries += 1;
            clock.sleep_until(again_at).await;
            backoff = (backoff * 2).min(MAX_BACKOFF);
        }
    }

    fn try_once(&self, target: &Target, input: &Value) -> Result<(), Refused> {
        match &target.settings.kind {
            TargetKind::Function(id) => {
                self.inner
                    .functions
                    .invoke_async_from("events", id, input.to_string().into());
            }
            TargetKind::Queue(id) => {
                self.inner
                    .queues
                    .send(id, input.to_string(), Value::Null, None);
            }
            TargetKind::StateMachine(id) => {
                self.inner
                    .machines
                    .start(id, None, input.clone())
                    .map_err(|error| Refused {
                        passing: error.status >= 500 || error.code == "ExecutionLimitExceeded",
                        code: error.code,
                        message: error.message,
                    })?;
            }
        }
        Ok(())
    }

    fn give_up(&self, rule: &Rule, target: &Target, event: &Value, refused: &Refused, tries: u32) {
        let Refused {
            code,
            message,
            passing,
        } = refused;
        tracing::warn!(
            rule = rule.name,
            target = target.arn,
            code,
            message,
            "an event was not delivered"
        );
        let Some(queue) = &target.settings.dead_letter_queue else {
            return;
        };
        let text = |value: &str| json!({"DataType": "String", "StringValue": value});
        let mut attributes = json!({
            "RULE_ARN": text(&rule.arn),
            "TARGET_ARN": text(&target.arn),
            "ERROR_CODE": text(code),
            "ERROR_MESSAGE": text(message),
            "RETRY_ATTEMPTS": {"DataType": "Number", "StringValue": tries.to_string()},
        });
        if *passing {
            let condition = if tries >= target.settings.retries {
                "MaximumRetryAttempts"
            } else {
                "MaximumEventAgeInSeconds"
            };
            attributes["EXHAUSTED_RETRY_CONDITION"] = text(condition);
        }
        self.inner
            .queues
            .send(queue, event.to_string(), attributes, None);
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventBridge")
            .field("rules", &self.rules.keys())
            .finish_non_exhaustive()
    }
}

/// The ARN of a target; `None` if the stack does not have it.
fn target_arn(stack: &Stack, arns: &Arns, kind: &TargetKind) -> Option<String> {
    Some(match kind {
        TargetKind::Function(id) => arns.function(&stack.functions.get(id)?.name),
        TargetKind::Queue(id) => arns.queue(&stack.queues.get(id)?.name),
        TargetKind::StateMachine(id) => arns.state_machine(&stack.state_machines.get(id)?.name),
    })
}

fn after(at: Timestamp, by: Duration) -> Timestamp {
    let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
    at.saturating_add(by).unwrap_or(Timestamp::MAX)
}
