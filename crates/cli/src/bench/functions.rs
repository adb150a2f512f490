//! What each function costs before it has done anything: start to first poll for work, resident
//! memory then, and the size of the zipped binary.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use flate2::{Compression, write::DeflateEncoder};
use oxcart_local::arn::Arns;
use oxcart_local::bill::Bill;
use oxcart_local::clock::Clock;
use oxcart_local::functions::{Functions, Log, Settings};
use oxcart_local::model::Stack;
use oxcart_local::template::Places;
use serde::Serialize;

use super::numbers::{median, micros, tenths};
use super::process::Process;
use crate::{Error, build};

/// Starts of each function; the median counts.
const STARTS: usize = 11;

/// What one function costs.
#[derive(Serialize)]
pub(super) struct FunctionCost {
    function: String,
    /// From its start to its first poll for work.
    start_us: u64,
    /// At that moment; the most of all starts.
    resident_bytes: u64,
    zipped_bytes: u64,
}

/// Prints the cost of each of the functions `only`, or of all if it names none, and the medians.
///
/// # Errors
/// If a function does not start, or the template has none of these names.
pub(super) fn run(only: &[String]) -> Result<Vec<FunctionCost>, Error> {
    let template = build::repository().join("template.yaml");
    let places = Places {
        region: "eu-central-1".to_owned(),
        stack_name: "oxcart".to_owned(),
        endpoint: "http://127.0.0.1:9".to_owned(),
        shop: "http://127.0.0.1:9".to_owned(),
    };
    let stack = Stack::load(&template, &BTreeMap::new(), &places)?;
    for name in only {
        if !stack
            .functions
            .values()
            .any(|function| function.binary == *name)
        {
            return Err(format!("the template has no function {name}").into());
        }
    }
    let binaries = build::release_binaries()?;
    let settings = Settings {
        binaries: binaries.clone(),
        endpoint: places.endpoint,
        clock: Clock::system(),
        log: Log::Silent,
        bill: Bill::new(&stack),
        concurrency: 1000,
    };
    let functions = Functions::new(&stack, &Arns::for_stack(&places.region, &stack), settings);
    println!(
        "\n{:<22} {:>12} {:>14} {:>12}",
        "function", "start, ms", "resident, MB", "zipped, MB"
    );
    let mut costs = Vec::new();
    let wanted = |binary: &String| only.is_empty() || only.contains(binary);
    for (id, function) in stack
        .functions
        .iter()
        .filter(|(_, function)| wanted(&function.binary))
    {
        let environment = functions
            .environment(id)
            .ok_or("a function without environment")?;
        let cost = measure(&function.binary, &binaries, &environment)?;
        cost.print();
        costs.push(cost);
    }
    medians(&costs)
        .ok_or("the template has no functions")?
        .print();
    Ok(costs)
}

impl FunctionCost {
    fn print(&self) {
        println!(
            "{:<22} {:>12} {:>14} {:>12}",
            self.function,
            tenths(self.start_us, 1_000),
            tenths(self.resident_bytes, 1_000_000),
            tenths(self.zipped_bytes, 1_000_000)
        );
    }
}

fn medians(costs: &[FunctionCost]) -> Option<FunctionCost> {
    Some(FunctionCost {
        function: "median".to_owned(),
        start_us: median(costs.iter().map(|cost| cost.start_us).collect())?,
        resident_bytes: median(costs.iter().map(|cost| cost.resident_bytes).collect())?,
        zipped_bytes: median(costs.iter().map(|cost| cost.zipped_bytes).collect())?,
    })
}

fn measure(
    name: &str,
    binaries: &Path,
    environment: &BTreeMap<String, String>,
) -> Result<FunctionCost, Error> {
    let binary = binaries.join(name);
    let mut starts = Vec::with_capacity(STARTS);
    let mut resident_kib = 0;
    for _ in 0..STARTS {
        let (start, resident) = first_poll(&binary, environment)
            .map_err(|error| format!("{}: {error}", binary.display()))?;
        starts.push(micros(start));
        resident_kib = resident_kib.max(resident);
    }
    let mut zip = DeflateEncoder::new(Vec::new(), Compression::best());
    zip.write_all(&std::fs::read(binary)?)?;
    Ok(FunctionCost {
        function: name.to_owned(),
        start_us: median(starts).ok_or("no start was measured")?,
        resident_bytes: resident_kib * 1_024,
        zipped_bytes: u64::try_from(zip.finish()?.len())?,
    })
}

/// Starts the function and waits until it asks the Runtime API for work.
fn first_poll(
    binary: &Path,
    environment: &BTreeMap<String, String>,
) -> Result<(Duration, u64), Error> {
    let process = Process::start(binary, environment)?;
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id()))?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let resident = resident.and_then(|line| line.trim().split(' ').next()?.parse().ok());
    Ok((
        process.start,
        resident.ok_or("Linux does not tell the resident memory")?,
    ))
}
