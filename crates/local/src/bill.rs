//! What a run would cost on AWS: counted units, and indicative list prices.

use std::collections::BTreeMap;
use std::ops::{Add, AddAssign};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::aws::Caller;
use crate::model::Stack;

mod prices;

/// DynamoDB request units. Reads come in halves, so halves are what is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Units {
    halves: u64,
}

impl Units {
    /// Nothing.
    pub const ZERO: Self = Self { halves: 0 };

    /// Whole units.
    #[must_use]
    pub const fn whole(units: u64) -> Self {
        Self {
            halves: units.saturating_mul(2),
        }
    }

    /// Half units.
    #[must_use]
    pub const fn halves(halves: u64) -> Self {
        Self { halves }
    }

    /// How many halves these are.
    #[must_use]
    pub const fn in_halves(self) -> u64 {
        self.halves
    }

    /// Twice as many: what a transaction costs.
    #[must_use]
    pub const fn doubled(self) -> Self {
        Self {
            halves: self.halves.saturating_mul(2),
        }
    }
}

impl Add for Units {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            halves: self.halves.saturating_add(other.halves),
        }
    }
}

impl AddAssign for Units {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl std::iter::Sum for Units {
    fn sum<I: Iterator<Item = Self>>(units: I) -> Self {
        units.fold(Self::ZERO, Add::add)
    }
}

/// As a JSON number: whole units as an integer, else with `.5`.
impl Serialize for Units {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        decimal(u128::from(self.halves), 2, serializer)
    }
}

/// A counted sum in thousands of millions of millionths of a dollar (10^-12).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dollars {
    pico: u128,
}

impl Dollars {
    /// That many millionths of millionths of a dollar.
    #[must_use]
    pub const fn pico(pico: u128) -> Self {
        Self { pico }
    }
}

impl Add for Dollars {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            pico: self.pico.saturating_add(other.pico),
        }
    }
}

/// As a JSON number in dollars, to a billionth, rounded down.
impl Serialize for Dollars {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        decimal(self.pico / 1_000, 1_000_000_000, serializer)
    }
}

/// Memory held over time, in MiB x ms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct MemoryTime {
    mib_ms: u128,
}

impl MemoryTime {
    /// `memory_mib` held for `ms` milliseconds.
    #[must_use]
    pub fn new(memory_mib: u32, ms: u128) -> Self {
        Self {
            mib_ms: u128::from(memory_mib).saturating_mul(ms),
        }
    }
}

impl AddAssign for MemoryTime {
    fn add_assign(&mut self, other: Self) {
        self.mib_ms = self.mib_ms.saturating_add(other.mib_ms);
    }
}

/// As a JSON number in GB-seconds.
impl Serialize for MemoryTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        decimal(self.mib_ms, 1024 * 1000, serializer)
    }
}

/// Prints `count / per` as a JSON number; sums are made in whole numbers before.
fn decimal<S: Serializer>(count: u128, per: u32, serializer: S) -> Result<S::Ok, S::Error> {
    if count.is_multiple_of(u128::from(per))
        && let Ok(whole) = u64::try_from(count / u128::from(per))
    {
        return serializer.serialize_u64(whole);
    }
    #[expect(
        clippy::disallowed_types,
        clippy::cast_precision_loss,
        reason = "JSON has no other number than this for a fraction, and nothing is computed from it"
    )]
    let number = count as f64 / f64::from(per);
    serializer.serialize_f64(number)
}

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
mod tests {
    use expect_test::expect;
    use serde_json::json;

    use super::*;
    use crate::model::Function;

    fn stack() -> Stack {
        let function = Function {
            name: "shop-place-order".into(),
            binary: "place-order".into(),
            environment: BTreeMap::new(),
            timeout: Duration::from_secs(1),
            memory_mib: 256,
            reserved_concurrency: None,
            async_retries: 2,
            async_on_failure: None,
        };
        Stack {
            functions: [("PlaceOrder".into(), function)].into(),
            ..Stack::default()
        }
    }

    #[test]
    fn a_bill_has_the_documented_shape() {
        let bill = Bill::new(&stack());
        let caller = Caller::function("PlaceOrder");
        bill.invocation("PlaceOrder", Duration::from_micros(1500), 256);
        bill.units(
            &caller,
            "orders",
            Units::halves(3),
            Units::whole(4),
            Units::whole(1),
        );
        bill.events(&caller, 1);
        bill.queue_requests("the bus", 1);
        bill.state_transitions("OrderWorkflow", 7);
        expect![[r#"
            {
              "totals": {
                "invocations": 1,
                "gb_seconds": 0.0005,
                "read_units": 1.5,
                "write_units": 4,
                "index_write_units": 1,
                "state_transitions": 7,
                "events": 1,
                "queue_requests": 1,
                "dollars": 0.000179919
              },
              "functions": {
                "place-order": {
                  "invocations": 1,
                  "gb_seconds": 0.0005,
                  "read_units": 1.5,
                  "write_units": 4,
                  "index_write_units": 1,
                  "state_transitions": 0,
                  "events": 1,
                  "queue_requests": 0,
                  "dollars": 4.519e-6
                }
              },
              "tables": {
                "orders": {
                  "read_units": 1.5,
                  "write_units": 4,
                  "index_write_units": 1,
                  "dollars": 3.312e-6
                }
              },
              "state_machines": {
                "OrderWorkflow": {
                  "invocations": 0,
                  "gb_seconds": 0,
                  "read_units": 0,
                  "write_units": 0,
                  "index_write_units": 0,
                  "state_transitions": 7,
                  "events": 0,
                  "queue_requests": 0,
                  "dollars": 0.000175
                }
              }
            }"#]]
        .assert_eq(&serde_json::to_string_pretty(&bill.snapshot()).unwrap());
    }

    #[test]
    fn a_reset_bill_is_empty() {
        let bill = Bill::new(&stack());
        bill.state_transitions("OrderWorkflow", 1);
        bill.reset();
        assert_eq!(bill.snapshot(), BillReport::default());
    }

    #[test]
    fn an_express_execution_is_billed_by_tenths_of_a_second() {
        let bill = Bill::new(&stack());
        bill.express_execution("OrderWorkflow", Duration::from_millis(101));
        let row = bill.snapshot().totals;
        assert_eq!(row.express_memory, MemoryTime::new(64, 200));
        // 1 request, and 64 MiB for 200 ms at 16.67 millionths per GB-second.
        assert_eq!(row.dollars, Dollars::pico(1_000_000 + 208_375));
        assert_eq!(
            serde_json::to_value(row.dollars).unwrap(),
            json!(0.000_001_208)
        );
    }
}
