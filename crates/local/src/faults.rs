//! Faults that are put in on purpose, because the engine and one machine have none of their own.
//!
//! One fault is `service:operation@function=mode`, and several are joined by commas; a part without
//! `=` is a further mode of the target before it.
//!
//! - service: as in IAM actions (`dynamodb`, `events`, `s3`, `secretsmanager`, `ses`, `sqs`, `states`), or
//!   `lambda` for functions that are themselves to fail, or `*`.
//! - operation: as in the API (`UpdateItem`), `Invoke` for `lambda`, or `Deliver` for what a service
//!   hands to a function on its own (an event, a message, a stream record), `Expire` for the time to
//!   live of `dynamodb`, `Poll` for what `sqs` takes from a queue for its function, or `*`.
//! - function: the caller, or for `lambda` and `Deliver` the function invoked; by the name of its
//!   binary or by logical id; or `*` for any function. Calls that no function makes never fail.
//! - mode: see [`Mode`]; `delay` has its milliseconds after a colon (`delay:250`).
//! - then, after a colon, the probability of each call to be hit: `throttle:0.1`.
//! - then how often: `throttle*3` hits only the first three that it can, `kill-after#2` only the
//!   second call that matches.
//!
//! Several faults may match a call: their delays add up, and the first other one that hits is taken.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde::Serialize;

use crate::aws::Caller;
use crate::model::Stack;

pub use mode::{FaultError, Mode};
pub use parse::Fault;

mod mode;
mod parse;

/// What is to happen to one call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    /// How long to wait before anything else.
    pub delay: Duration,
    /// What goes wrong, if anything.
    pub mode: Option<Mode>,
}

/// The faults in force. Clones share them.
#[derive(Clone)]
pub struct Faults {
    state: Arc<Mutex<State>>,
    /// The binary's name of each function, by logical id.
    functions: Arc<BTreeMap<String, String>>,
    seed: u64,
}

type OnChange = Box<dyn Fn(&[Fault]) + Send + Sync>;

struct State {
    faults: Vec<Active>,
    random: StdRng,
    on_change: Option<OnChange>,
}

struct Active {
    fault: Fault,
    /// Calls that matched.
    matched: u64,
    /// Calls that were hit.
    hit: u64,
}

/// One fault in force, as `GET /_local/faults` tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// As it was written.
    pub fault: String,
    /// How many calls have matched.
    pub matched: u64,
    /// How many of them were hit.
    pub hit: u64,
}

impl std::fmt::Debug for Faults {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Faults")
            .field("seed", &self.seed)
            .finish_non_exhaustive()
    }
}

impl Faults {
    /// No faults yet, for the functions of `stack`. The same seed and the same calls in the same
    /// order give the same hits.
    #[must_use]
    pub fn new(stack: &Stack, seed: u64) -> Self {
        let functions = stack
            .functions
            .iter()
            .map(|(id, f)| (id.clone(), f.binary.clone()));
        let state = State {
            faults: Vec::new(),
            random: StdRng::seed_from_u64(seed),
            on_change: None,
        };
        Self {
            state: Arc::new(Mutex::new(state)),
            functions: Arc::new(functions.collect()),
            seed,
        }
    }

    /// The seed of the randomness.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Puts these faults in the place of those in force; counts begin anew.
    ///
    /// # Errors
    /// [`FaultError`] for the first one that names a function that the stack does not have; those
    /// in force then stay.
    pub fn set(&self, faults: Vec<Fault>) -> Result<(), FaultError> {
        if let Some(unknown) = faults.iter().find(|fault| !self.knows(&fault.function)) {
            let problem = format!("there is no function {}", unknown.function);
            return Err(FaultError {
                fault: unknown.to_string(),
                problem,
            });
        }
        let mut state = self.lock();
        if let Some(on_change) = &state.on_change {
            on_change(&faults);
        }
        if !faults.is_empty() {
            tracing::info!(seed = self.seed, faults = faults.len(), "faults in force");
        }
        let active = |fault| Active {
            fault,
            matched: 0,
            hit: 0,
        };
        state.faults = faults.into_iter().map(active).collect();
        Ok(())
    }

    /// Reads faults, each text being one or several joined by commas, and puts them in force.
    ///
    /// # Errors
    /// [`FaultError`] for the first one that is not understood or names what is not there; those in
    /// force then stay.
    pub fn set_text<S: AsRef<str>>(&self, texts: &[S]) -> Result<(), FaultError> {
        let faults: Result<Vec<_>, _> = texts
            .iter()
            .map(|text| Fault::parse(text.as_ref()))
            .collect();
        self.set(faults?.into_iter().flatten().collect())
    }

    fn knows(&self, function: &str) -> bool {
        function == "*"
            || self
                .functions
                .iter()
                .any(|(id, binary)| id == function || binary == function)
    }

    /// The faults in force and what they have hit.
    #[must_use]
    pub fn report(&self) -> Vec<Report> {
        let state = self.lock();
        let report = |active: &Active| Report {
            fault: active.fault.to_string(),
            matched: active.matched,
            hit: active.hit,
        };
        state.faults.iter().map(report).collect()
    }

    /// Calls `on_change` now and whenever other faults are put in force. The last one counts.
    pub fn on_change(&self, on_change: impl Fn(&[Fault]) + Send + Sync + 'static) {
        let mut state = self.lock();
        let now: Vec<Fault> = state
            .faults
            .iter()
            .map(|active| active.fault.clone())
            .collect();
        on_change(&now);
        state.on_change = Some(Box::new(on_change));
    }

    /// What is to happen to a call of an API.
    #[must_use]
    pub fn for_call(&self, caller: &Caller, service: &str, operation: &str) -> Decision {
        caller
            .function
            .as_deref()
            .map_or_else(Decision::default, |function| {
                self.decide(service, operation, function)
            })
    }

    /// What is to happen to an invocation of `function` (logical id).
    #[must_use]
    pub fn for_invocation(&self, function: &str) -> Decision {
        self.decide("lambda", "Invoke", function)
    }

    /// Whether `service` is to hand something twice to a target (a function by logical id, or
    /// whatever else there is).
    #[must_use]
    pub fn duplicates(&self, service: &str, target: &str) -> bool {
        self.decide(service, "Deliver", target).mode == Some(Mode::Duplicate)
    }

    /// Whether what has outlived its time to live is to stay.
    #[must_use]
    pub fn keep_expired(&self) -> bool {
        self.decide("dynamodb", "Expire", "*").mode == Some(Mode::Keep)
    }

    /// The order in which `function` (logical id) is to get the messages of its queue: a seed, or `None` for that in which
    /// they came.
    #[must_use]
    pub fn order(&self, function: &str) -> Option<u64> {
        let reorders = self.decide("sqs", "Poll", function).mode == Some(Mode::Reorder);
        reorders.then(|| self.lock().random.random())
    }

    fn decide(&self, service: &str, operation: &str, function: &str) -> Decision {
        let binary = self
            .functions
            .get(function)
            .map_or(function, String::as_str);
        let mut state = self.lock();
        let State { faults, random, .. } = &mut *state;
        let mut decision = Decision::default();
        for active in faults {
            if !active
                .fault
                .matches(service, operation, &[function, binary])
            {
                continue;
            }
            let is_delay = matches!(active.fault.mode, Mode::Delay(_));
            if decision.mode.is_some() && !is_delay {
                continue;
            }
            active.matched += 1;
            if !active.fault.hits(
                active.matched,
                active.hit,
                random.random_range(0..1_000_000),
            ) {
                continue;
            }
            active.hit += 1;
            tracing::info!(fault = %active.fault, service, operation, function = binary, "fault");
            if let Mode::Delay(by) = active.fault.mode {
                decision.delay = decision.delay.saturating_add(by);
            } else {
                decision.mode = Some(active.fault.mode);
            }
        }
        decision
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Counts are never left half made.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
