//! What can go wrong, and what a fault's text may get wrong.

use std::time::Duration;

use thiserror::Error;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// `throttle`: the service refuses, as it does under load. Nothing is done.
    Throttle,
    /// `conflict`: a write or a transaction of DynamoDB meets another transaction. Nothing is done.
    Conflict,
    /// `error`: the service responds with an internal error (500). Nothing is done.
    Error,
    /// `timeout-before`: the service does not respond until the caller's own time is up; nothing is
    /// done. An invocation counts as timed out at once.
    TimeoutBefore,
    /// `lost-answer`: the call is carried out, and the connection closed without a response. An
    /// invocation runs and counts as failed.
    LostAnswer,
    /// `stale-read`: a read of DynamoDB that does not ask for consistency sees its table as it was
    /// before the last write to it.
    StaleRead,
    /// `duplicate`: carried out twice, and the second response returned; a delivery: made twice.
    Duplicate,
    /// `reorder`: what waits in a standard queue is handed to its function in another order.
    Reorder,
    /// `keep`: DynamoDB keeps what has outlived its time to live, as it may for days.
    Keep,
    /// `partial`: the first entry of a batch is left out and reported as failed or unprocessed.
    Partial,
    /// `delay:ms`: the response comes later, by the machine's time.
    Delay(Duration),
    /// `kill` or `kill-before`: the caller's process is killed, and nothing is done. An invocation
    /// fails as if its process had ended.
    KillBefore,
    /// `kill-after`: the call is carried out, and the caller's process killed.
    KillAfter,
}

/// Why a fault cannot be parsed.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("fault {fault}: {problem}")]
pub struct FaultError {
    /// The fault as it was written.
    pub fault: String,
    /// What is wrong with it.
    pub problem: String,
}
