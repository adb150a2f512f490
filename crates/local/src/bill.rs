//! What a run would cost on AWS: counted units, and indicative list prices.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;

use crate::aws::Caller;
use crate::model::Stack;

pub use units::{Cost, Dollars, MemoryTime, Units};

mod prices;
mod units;

/// What one caller, or everybody, has used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Usage {
    /// Lambda invocations.
    pub invocations: u64,
    /// Lambda memory time, each invocation's duration rounded up to a millisecond.
    pub gb_seconds: MemoryTime,
    /// DynamoDB read request units.
    pub read_units: Units,
    /// DynamoDB write request units of tables themselves.
    pub write_units: Units,
    /// DynamoDB write request units of tables' indexes.
    pub index_write_units: Units,
    /// State transitions of STANDARD state machines.
    pub state_transitions: u64,
    /// EventBridge custom events, in chunks of 64 KiB.
    pub events: u64,
    /// SQS requests, in chunks of 64 KiB.
    pub queue_requests: u64,
    /// EXPRESS executions started.
    #[serde(skip)]
    pub express_requests: u64,
    /// EXPRESS memory time.
    #[serde(skip)]
    pub express_memory: MemoryTime,
    /// All of it at list price.
    pub dollars: Dollars,
}

/// What calls to one table have used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TableUsage {
    /// Read request units, of the table and its indexes.
    pub read_units: Units,
    /// Write request units of the table itself.
    pub write_units: Units,
    /// Write request units of its indexes.
    pub index_write_units: Units,
    /// All of it at list price.
    pub dollars: Dollars,
}

/// What `GET /_local/bill` answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BillReport {
    /// Everybody's, the operator's calls included.
    pub totals: Usage,
    /// By function, which is named as its binary is.
    pub functions: BTreeMap<String, Usage>,
    /// By table, by physical name.
    pub tables: BTreeMap<String, TableUsage>,
    /// By state machine, by logical id.
    pub state_machines: BTreeMap<String, Usage>,
}

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
        // A count is never left half made, so whoever panicked left a usable bill.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
