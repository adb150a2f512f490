//! What to run, and where it is then served.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::calls::CallLog;
use crate::clock::Clock;
use crate::faults::Fault;
use crate::functions::Log;

/// What to run, and where.
#[derive(Clone, Debug)]
pub struct Options {
    /// The template.
    pub template: PathBuf,
    /// Values for the template's parameters.
    pub parameters: BTreeMap<String, String>,
    /// The directory of the functions' binaries.
    pub binaries: PathBuf,
    /// The port of the HTTP API; 0 for any free one.
    pub port: u16,
    /// The port of `/_local/...`; 0 for any free one.
    pub control_port: u16,
    /// The port of the AWS APIs; 0 for any free one.
    pub aws_port: u16,
    /// Where tables, buckets and secrets are kept; `None` for nowhere.
    pub data: Option<PathBuf>,
    /// The time.
    pub clock: Clock,
    /// What goes wrong.
    pub faults: Vec<Fault>,
    /// What the faults' chances are drawn from.
    pub fault_seed: u64,
    /// The invocations that all functions together may have at the same time: the account's quota.
    pub concurrency: u32,
    /// Whether functions may do only what their policies say.
    pub policies: bool,
    /// Where the functions' AWS calls are recorded.
    pub record: Option<PathBuf>,
    /// Collects when the functions' AWS calls began and ended.
    pub calls: Option<CallLog>,
    /// The region.
    pub region: String,
    /// The stack's name.
    pub stack_name: String,
    /// Where the functions' output goes.
    pub log: Log,
}

impl Options {
    /// A template and its binaries on any free ports, nothing kept, by the machine's time.
    #[must_use]
    pub fn new(template: impl Into<PathBuf>, binaries: impl Into<PathBuf>) -> Self {
        Self {
            template: template.into(),
            parameters: BTreeMap::new(),
            binaries: binaries.into(),
            port: 0,
            control_port: 0,
            aws_port: 0,
            data: None,
            clock: Clock::system(),
            faults: Vec::new(),
            fault_seed: 1,
            concurrency: 1000,
            policies: true,
            record: None,
            calls: None,
            region: "eu-central-1".to_owned(),
            stack_name: "local".to_owned(),
            log: Log::Stderr,
        }
    }
}

/// Where everything is served.
#[derive(Clone, Debug)]
pub struct Urls {
    /// The HTTP API.
    pub shop: String,
    /// `/_local/...`.
    pub control: String,
    /// The AWS APIs.
    pub aws: String,
}
