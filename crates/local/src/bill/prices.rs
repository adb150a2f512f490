//! On-demand list prices in the region us-east-1, in 10^-12 dollars, from the public price pages as
//! of 2025: indicative, as prices differ by region and change.
//!
//! Not counted: free tiers, API Gateway requests, storage, backups, streams read by Lambda (free),
//! logs, metrics, traces, secrets, mail and data transfer.

use super::units::{Dollars, Units};
use super::usage::Usage;

/// A Lambda request: 0.20 USD per million. <https://aws.amazon.com/lambda/pricing/>
const INVOCATION: u128 = 200_000;
/// A Lambda GB-second on arm64, first tier: 0.0000133334 USD. <https://aws.amazon.com/lambda/pricing/>
const LAMBDA_GB_SECOND: u128 = 13_333_400;
/// A DynamoDB read request unit: 0.125 USD per million.
/// <https://aws.amazon.com/dynamodb/pricing/on-demand/>
const READ_UNIT: u128 = 125_000;
/// A DynamoDB write request unit: 0.625 USD per million.
/// <https://aws.amazon.com/dynamodb/pricing/on-demand/>
const WRITE_UNIT: u128 = 625_000;
/// A state transition of a STANDARD state machine: 25 USD per million.
/// <https://aws.amazon.com/step-functions/pricing/>
const STATE_TRANSITION: u128 = 25_000_000;
/// A request of an EXPRESS state machine: 1 USD per million.
/// <https://aws.amazon.com/step-functions/pricing/>
const EXPRESS_REQUEST: u128 = 1_000_000;
/// A GB-second of an EXPRESS state machine, first tier: 0.00001667 USD.
/// <https://aws.amazon.com/step-functions/pricing/>
const EXPRESS_GB_SECOND: u128 = 16_670_000;
/// A custom event: 1 USD per million. <https://aws.amazon.com/eventbridge/pricing/>
const EVENT: u128 = 1_000_000;
/// A request to a standard queue: 0.40 USD per million. <https://aws.amazon.com/sqs/pricing/>
const QUEUE_REQUEST: u128 = 400_000;

/// MiB x ms in a GB-second.
const MIB_MS: u128 = 1024 * 1000;

/// What request units cost.
pub(super) fn units(read: Units, write: Units) -> Dollars {
    let read = u128::from(read.in_halves()) * READ_UNIT / 2;
    let write = u128::from(write.in_halves()) * WRITE_UNIT / 2;
    Dollars::pico(read + write)
}

/// What all of a usage costs.
pub(super) fn usage(usage: &Usage) -> Dollars {
    let counted = u128::from(usage.invocations) * INVOCATION
        + usage.gb_seconds.mib_ms * LAMBDA_GB_SECOND / MIB_MS
        + u128::from(usage.state_transitions) * STATE_TRANSITION
        + u128::from(usage.express_requests) * EXPRESS_REQUEST
        + usage.express_memory.mib_ms * EXPRESS_GB_SECOND / MIB_MS
        + u128::from(usage.events) * EVENT
        + u128::from(usage.queue_requests) * QUEUE_REQUEST;
    Dollars::pico(counted)
        + units(
            usage.read_units,
            usage.write_units + usage.index_write_units,
        )
}
