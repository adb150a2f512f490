//! What a run would cost on AWS: counted units, and indicative list prices.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::aws::Caller;
use crate::model::Stack;

pub use units::{Cost, Dollars, MemoryTime, Units};
pub use usage::{BillReport, TableUsage, Usage};

mod prices;
mod units;
mod usage;

/// Counts what the emulated services are asked to do. Clones count together.
#[derive(Clone, Debug)]
pub struct Bill {
    state: Arc<Mutex<BillReport>>,
    functions: Arc<BTreeMap<String, String>>,
}

impl Bill {
    /// An empty bill for the functions of `stack`.
    #[must_use]
    pub fn new(stack: &Stack) -> Self {
        let functions = stack.functions.iter();
        Self {
            state: Arc::default(),
            functions: Arc::new(
                functions
                    .map(|(id, f)| (id.clone(), f.binary.clone()))
                    .collect(),
            ),
        }
    }

    /// One Lambda invocation of `function` (logical id) that ran for `duration`.
    pub fn invocation(&self, function: &str, duration: Duration, memory_mib: u32) {
        let ms = duration.as_nanos().div_ceil(1_000_000).max(1);
        self.count(function, |usage| {
            usage.invocations += 1;
            usage.gb_seconds += MemoryTime::new(memory_mib, ms);
        });
    }

    /// `n` state transitions of the STANDARD state machine `machine` (logical id).
    pub fn state_transitions(&self, machine: &str, n: u64) {
        self.count_machine(machine, |usage| usage.state_transitions += n);
    }

    /// One execution of the EXPRESS state machine `machine` (logical id): a request, and 64 MiB for
    /// its duration, which is rounded up to 100 ms.
    pub fn express_execution(&self, machine: &str, duration: Duration) {
        let ms = duration.as_nanos().div_ceil(100_000_000).max(1) * 100;
        self.count_machine(machine, |usage| {
            usage.express_requests += 1;
            usage.express_memory += MemoryTime::new(64, ms);
        });
    }

    /// `n` custom events, an event counting once for each 64 KiB begun.
    pub fn events(&self, caller: &Caller, n: u64) {
        self.count(caller.function.as_deref().unwrap_or_default(), |usage| {
            usage.events += n;
        });
    }

    /// `n` SQS requests that `who` has made (a function by logical id, whose poller this may be, or
    /// whatever else), a request counting once for each 64 KiB begun.
    pub fn queue_requests(&self, who: &str, n: u64) {
        self.count(who, |usage| usage.queue_requests += n);
    }

    /// Request units of one call to `table` (physical name).
    pub fn units(&self, caller: &Caller, table: &str, read: Units, write: Units, index: Units) {
        let mut state = self.lock();
        let row = state.tables.entry(table.to_owned()).or_default();
        row.read_units += read;
        row.write_units += write;
        row.index_write_units += index;
        drop(state);
        self.count(caller.function.as_deref().unwrap_or_default(), |usage| {
            usage.read_units += read;
            usage.write_units += write;
            usage.index_write_units += index;
        });
    }

    /// The bill since the start or the last reset.
    #[must_use]
    pub fn snapshot(&self) -> BillReport {
        let mut report = self.lock().clone();
        report.totals.dollars = prices::usage(&report.totals);
        for row in report
            .functions
            .values_mut()
            .chain(report.state_machines.values_mut())
        {
            row.dollars = prices::usage(row);
        }
        for row in report.tables.values_mut() {
            row.dollars = prices::units(row.read_units, row.write_units + row.index_write_units);
        }
        report
    }

    /// Forgets everything counted.
    pub fn reset(&self) {
        *self.lock() = BillReport::default();
    }

    /// The name under which the bill lists a function.
    #[must_use]
    pub fn name_of<'a>(&'a self, function: &'a str) -> &'a str {
        self.functions
            .get(function)
            .map_or(function, String::as_str)
    }

    /// Counts in the totals and, when `who` is a function's logical id, in its row.
    fn count(&self, who: &str, add: impl Fn(&mut Usage)) {
        let mut state = self.lock();
        add(&mut state.totals);
        if let Some(name) = self.functions.get(who) {
            add(state.functions.entry(name.clone()).or_default());
        }
    }

    fn count_machine(&self, machine: &str, add: impl Fn(&mut Usage)) {
        let mut state = self.lock();
        add(&mut state.totals);
        add(state.state_machines.entry(machine.to_owned()).or_default());
    }

    fn lock(&self) -> MutexGuard<'_, BillReport> {
        // Counting does not panic halfway, so a poisoned bill is still right.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
