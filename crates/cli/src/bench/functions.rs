//! `oxcart bench`: what each function costs before it has done anything. Start to first poll for
//! work, resident memory then, and the size of the zipped binary.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use flate2::{Compression, write::DeflateEncoder};
use oxcart_local::arn::Arns;
use oxcart_local::bill::Bill;
use oxcart_local::clock::Clock;
use oxcart_local::functions::{Functions, Log, Settings};
use oxcart_local::model::Stack;
use oxcart_local::template::Places;

use crate::{Error, build};

/// Starts of each function; the median is printed.
const STARTS: usize = 11;

/// What one function costs.
struct Cost {
    start: Duration,
    resident_kib: u64,
    zipped_bytes: usize,
}

/// Builds the functions `only`, or all if it names none, for release; prints the cost of each, and
/// the median.
///
/// # Errors
/// If the functions do not build or start. Resident memory is read as Linux tells it.
pub(super) async fn run(only: &[String]) -> Result<(), Error> {
    build::functions(true, only).await?;
    let template = build::repository().join("template.yaml");
    let places = Places {
        region: "eu-central-1".to_owned(),
        stack_name: "oxcart".to_owned(),
        endpoint: "http://127.0.0.1:9".to_owned(),
        shop: "http://127.0.0.1:9".to_owned(),
    };
    let stack = Stack::load(&template, &BTreeMap::new(), &places)?;
    let arns = Arns::of(&places.region, &stack);
    let binaries = build::release_binaries()?;
    let settings = Settings {
        binaries: binaries.clone(),
        endpoint: places.endpoint,
        clock: Clock::system(),
        log: Log::Silent,
        bill: Bill::new(&stack),
    };
    let functions = Functions::new(&stack, &arns, settings);
    println!(
        "{:<22} {:>12} {:>14} {:>12}",
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
        let cost = measure(&binaries.join(&function.binary), &environment)?;
        print_row(&function.binary, &cost);
        costs.push(cost);
    }
    print_row(
        "median",
        &median(&costs).ok_or("the template has no such function")?,
    );
    Ok(())
}

fn print_row(name: &str, cost: &Cost) {
    let micros = cost.start.as_micros();
    let kib = u128::from(cost.resident_kib);
    let bytes = cost.zipped_bytes as u128;
    println!(
        "{name:<22} {:>12} {:>14} {:>12}",
        tenths(micros, 1_000),
        tenths(kib * 1_024, 1_000_000),
        tenths(bytes, 1_000_000)
    );
}

/// `amount / unit`, to one decimal, without floats.
fn tenths(amount: u128, unit: u128) -> String {
    let tenths = (amount * 10 + unit / 2) / unit;
    format!("{}.{}", tenths / 10, tenths % 10)
}

fn median(costs: &[Cost]) -> Option<Cost> {
    Some(Cost {
        start: middle(costs.iter().map(|cost| cost.start).collect())?,
        resident_kib: middle(costs.iter().map(|cost| cost.resident_kib).collect())?,
        zipped_bytes: middle(costs.iter().map(|cost| cost.zipped_bytes).collect())?,
    })
}

fn middle<T: Ord + Copy>(mut values: Vec<T>) -> Option<T> {
    values.sort_unstable();
    values.get(values.len() / 2).copied()
}

fn measure(binary: &Path, environment: &BTreeMap<String, String>) -> Result<Cost, Error> {
    let mut starts = Vec::with_capacity(STARTS);
    let mut resident_kib = 0;
    for _ in 0..STARTS {
        let (start, resident) = first_poll(binary, environment)?;
        starts.push(start);
        resident_kib = resident_kib.max(resident);
    }
    let start = middle(starts).ok_or("no start was measured")?;
    let mut zip = DeflateEncoder::new(Vec::new(), Compression::best());
    zip.write_all(&std::fs::read(binary)?)?;
    let zipped_bytes = zip.finish()?.len();
    Ok(Cost {
        start,
        resident_kib,
        zipped_bytes,
    })
}

/// Starts the function and waits until it asks the Runtime API for work.
fn first_poll(
    binary: &Path,
    environment: &BTreeMap<String, String>,
) -> Result<(Duration, u64), Error> {
    let runtime_api = TcpListener::bind("127.0.0.1:0")?;
    let address = runtime_api.local_addr()?.to_string();
    let started = Instant::now();
    let mut process = Command::new(binary)
        .env_clear()
        .envs(environment)
        .env("AWS_LAMBDA_RUNTIME_API", address)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let (mut connection, _) = runtime_api.accept()?;
    let mut request = [0; 256];
    let read = connection.read(&mut request)?;
    let start = started.elapsed();
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id()))?;
    process.kill()?;
    process.wait()?;
    if !String::from_utf8_lossy(&request[..read]).contains("/runtime/invocation/next") {
        return Err(format!("{} did not ask for work", binary.display()).into());
    }
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let resident = resident.and_then(|line| line.trim().split(' ').next()?.parse().ok());
    Ok((
        start,
        resident.ok_or("Linux does not tell the resident memory")?,
    ))
}
