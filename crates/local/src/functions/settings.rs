//! What functions are started with, and what an invocation may ask for.

use std::path::PathBuf;

use super::log::Log;
use crate::bill::Bill;
use crate::clock::Clock;

/// What an application may ask of one invocation: a payload of 6 MB, in bytes.
///
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
pub const PAYLOAD_LIMIT: usize = 6 * 1024 * 1024;

/// What the functions of a stack are started with.
pub struct Settings {
    /// The directory of the binaries.
    pub binaries: PathBuf,
    /// What `AWS_ENDPOINT_URL` says.
    pub endpoint: String,
    /// What retries of asynchronous invocations go by.
    pub clock: Clock,
    /// Where the functions' output goes.
    pub log: Log,
    /// Counts every invocation that ran.
    pub bill: Bill,
    /// The invocations that all functions together may have at the same time: the account's quota.
    pub concurrency: u32,
}
