//! Step Functions: state machines in the Amazon States Language, with `JSONPath` as their query
//! language.
//!
//! What a definition asks for and is not emulated (other query languages, integrations other than
//! Lambda, callbacks, distributed maps) is an error when it is loaded. A STANDARD execution's name
//! is its own for 90 days: starting it again with the same input while it runs returns the same
//! execution, anything else fails. EXPRESS names may repeat.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use serde_json::Value;
use thiserror::Error;
use uuid::Uuid;

use self::execution::{Execution, Start};
use self::machine::Machine;
use self::run::{Invoke, MAX_DATA, Run};
use crate::arn::Arns;
use crate::aws::AwsError;
use crate::bill::Bill;
use crate::clock::Clock;
use crate::functions::Functions;
use crate::model::{ACCOUNT, Stack};

mod api;
mod choice;
mod definition;
mod execution;
mod failure;
mod fields;
mod intrinsic;
mod machine;
mod path;
mod retry;
mod run;
mod template;
#[cfg(test)]
mod tests;

/// So many executions are remembered; older ones are forgotten, names included.
const KEPT: usize = 10_000;

/// Of so many of them, the latest, the history is remembered: it takes most of the memory.
const WITH_HISTORY: usize = 1_000;

/// How long the name of an ended STANDARD execution stays taken.
const NAME_TAKEN: SignedDuration = SignedDuration::from_hours(90 * 24);

/// The longest that an EXPRESS execution may take.
const EXPRESS_LIMIT: Duration = Duration::from_mins(5);

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
pub struct StateMachines {
    inner: Arc<Inner>,
}

struct Inner {
    arns: Arns,
    bill: Bill,
    clock: Clock,
    executions: Mutex<Executions>,
    invoke: Invoke,
    machines: BTreeMap<String, Loaded>,
}

struct Loaded {
    name: String,
    express: bool,
    machine: Arc<Machine>,
}

#[derive(Default)]
struct Executions {
    by_arn: HashMap<String, Arc<Execution>>,
    /// ARNs, oldest first.
    order: VecDeque<String>,
}

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
        let invoke: Invoke = Arc::new(move |function, payload| {
            let (functions, function) = (functions.clone(), function.to_owned());
            Box::pin(async move { functions.invoke(&function, payload).await })
        });
        Self::with_invoke(stack, clock, bill, arns, invoke)
    }

    fn with_invoke(
        stack: &Stack,
        clock: Clock,
        bill: Bill,
        arns: Arns,
        invoke: Invoke,
    ) -> Result<Self, DefinitionError> {
        let find = |text: &str| {
            let by_name = || {
                stack
                    .functions
                    .iter()
                    .find(|(_, function)| function.name == text)
                    .map(|(id, _)| id.clone())
            };
            arns.find_function(text).map(str::to_owned).or_else(by_name)
        };
        let machines = stack.state_machines.iter().map(|(id, declared)| {
            let machine =
                Machine::parse(&declared.definition, &find).map_err(|fault| DefinitionError {
                    machine: id.clone(),
                    fault,
                })?;
            let (name, express) = (declared.name.clone(), declared.express);
            Ok((
                id.clone(),
                Loaded {
                    name,
                    express,
                    machine: Arc::new(machine),
                },
            ))
        });
        let machines = machines.collect::<Result<_, _>>()?;
        let executions = Mutex::default();
        Ok(Self {
            inner: Arc::new(Inner {
                arns,
                bill,
                clock,
                executions,
                invoke,
                machines,
            }),
        })
    }

    /// Starts an execution of a state machine (logical id), and returns its ARN. Needs a Tokio
    /// runtime to run in.
    ///
    /// # Errors
    /// As those of `StartExecution`.
    pub fn start(
        &self,
        machine: &str,
        name: Option<String>,
        input: Value,
    ) -> Result<String, AwsError> {
        self.start_execution(machine, name, input)
            .map(|execution| execution.arn.clone())
    }

    fn start_execution(
        &self,
        id: &str,
        name: Option<String>,
        input: Value,
    ) -> Result<Arc<Execution>, AwsError> {
        let inner = &self.inner;
        let loaded = inner.machines.get(id).ok_or_else(|| no_machine(id))?;
        let name = name.unwrap_or_else(|| Uuid::new_v4().to_string());
        check_name(&name)?;
        if input.to_string().len() > MAX_DATA {
            return Err(AwsError::client(
                "InvalidExecutionInput",
                "the input has more than 262144 bytes",
            ));
        }
        let arn = if loaded.express {
            inner
                .arns
                .express(&loaded.name, &name, &Uuid::new_v4().to_string())
        } else {
            inner.arns.execution(&loaded.name, &name)
        };
        let now = inner.clock.now();
        let mut executions = self.lock();
        if let Some(existing) = executions.by_arn.get(&arn) {
            let taken = match existing.stopped_at() {
                None if existing.input == input => return Ok(Arc::clone(existing)),
                None => true,
                Some(at) => now.duration_since(at) < NAME_TAKEN,
            };
            if taken {
                return Err(AwsError::client(
                    "ExecutionAlreadyExists",
                    format!("Execution Already Exists: '{arn}'"),
                ));
            }
        }
        let execution = Arc::new(Execution::new(Start {
            arn,
            name,
            machine: id.to_owned(),
            machine_arn: inner.arns.state_machine(&loaded.name),
            machine_name: loaded.name.clone(),
            role_arn: format!("arn:aws:iam::{ACCOUNT}:role/{}", loaded.name),
            express: loaded.express,
            input,
            started_at: now,
        }));
        executions.keep(&execution);
        drop(executions);
        self.spawn(loaded, Arc::clone(&execution));
        Ok(execution)
    }

    fn spawn(&self, loaded: &Loaded, execution: Arc<Execution>) {
        let inner = &self.inner;
        let machine = Arc::clone(&loaded.machine);
        let express = loaded.express.then_some(EXPRESS_LIMIT);
        let limit = machine.timeout.into_iter().chain(express).min();
        let started_at = execution.started_at;
        let deadline = limit.and_then(|limit| {
            started_at
                .checked_add(SignedDuration::try_from(limit).ok()?)
                .ok()
        });
        let (clock, bill) = (inner.clock.clone(), inner.bill.clone());
        let run = Run {
            execution: Arc::clone(&execution),
            clock: clock.clone(),
            bill: bill.clone(),
            invoke: Arc::clone(&inner.invoke),
            deadline: Mutex::new(deadline),
        };
        tokio::spawn(async move {
            let begun = Instant::now();
            run.execute(machine).await;
            if execution.express {
                let waited = if clock.is_manual() {
                    clock.now().duration_since(started_at)
                } else {
                    SignedDuration::ZERO
                };
                let waited = Duration::try_from(waited).unwrap_or_default();
                bill.express_execution(&execution.machine, begun.elapsed() + waited);
            }
        });
    }

    /// The body of `/_local/executions/{name}`: the latest execution of that name, as `{name, arn,
    /// machine, status, input, output, error, cause, started_at, stopped_at, transitions, history}`.
    #[must_use]
    pub fn execution(&self, name: &str) -> Option<Value> {
        let executions = self.lock();
        let mut latest_first = executions
            .order
            .iter()
            .rev()
            .filter_map(|arn| executions.by_arn.get(arn));
        latest_first
            .find(|execution| execution.name == name)
            .map(|execution| execution.report())
    }

    fn lock(&self) -> MutexGuard<'_, Executions> {
        self.inner
            .executions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StateMachines")
            .field("machines", &self.machines.keys())
            .finish_non_exhaustive()
    }
}

impl Executions {
    fn keep(&mut self, execution: &Arc<Execution>) {
        if self
            .by_arn
            .insert(execution.arn.clone(), Arc::clone(execution))
            .is_some()
        {
            self.order.retain(|arn| *arn != execution.arn);
        }
        self.order.push_back(execution.arn.clone());
        let without = self.order.len().checked_sub(WITH_HISTORY + 1);
        let without = without.and_then(|at| self.by_arn.get(self.order.get(at)?));
        if let Some(execution) = without {
            execution.forget_history();
        }
        if self.order.len() > KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            self.by_arn.remove(&oldest);
        }
    }
}

/// Refuses what an execution may not be called (API reference, `StartExecution`).
fn check_name(name: &str) -> Result<(), AwsError> {
    let forbidden =
        |c: char| c.is_whitespace() || c.is_control() || "<>{}[]?*\"#%\\^|~`$&,;:/".contains(c);
    if name.is_empty() || name.chars().count() > 80 || name.contains(forbidden) {
        return Err(AwsError::client(
            "InvalidName",
            format!("Invalid Name: '{name}'"),
        ));
    }
    Ok(())
}

fn no_machine(arn: &str) -> AwsError {
    AwsError::client(
        "StateMachineDoesNotExist",
        format!("State Machine Does Not Exist: '{arn}'"),
    )
}
