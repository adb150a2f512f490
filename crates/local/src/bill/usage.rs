//! What was used, as the bill shows it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::units::{Dollars, MemoryTime, Units};

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

/// The body of `GET /_local/bill`.
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
