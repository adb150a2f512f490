//! Requests per second, latency and CPU time under load.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::clients::{self, Bounds, Outcome};
use super::numbers::{micros, millis, per, percentile, tenths};
use super::processes::{Snapshot, Used};
use super::requests::Kind;
use super::shop::{Invocations, Shop};
use crate::Error;

/// What is measured, and with how many clients.
const LOADS: [(Kind, usize); 5] = [
    (Kind::Health, 8),
    (Kind::Product, 8),
    (Kind::List, 8),
    (Kind::Order { wait: true }, 1),
    (Kind::Order { wait: true }, 16),
];

/// How many requests each client sends before it is measured, so that processes have started.
const WARM_UP: u64 = 5;

/// The most time that this takes.
const WARM_UP_TIME: Duration = Duration::from_secs(10);

/// What one kind of request costs with so many clients.
#[derive(Serialize)]
pub(super) struct LoadCosts {
    request: &'static str,
    clients: usize,
    /// Successful requests.
    requests: u64,
    failed: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_failure: Option<String>,
    elapsed_us: u64,
    requests_per_second: u64,
    p50_us: u64,
    p99_us: u64,
    functions_cpu_us_per_request: u64,
    runner_cpu_us_per_request: u64,
    clients_cpu_us_per_request: u64,
    /// By the name of the function's binary.
    functions: BTreeMap<String, FunctionLoad>,
}

/// What one function did for a kind of request.
#[derive(Default, Serialize)]
struct FunctionLoad {
    invocations: u64,
    /// User and system time of its processes.
    cpu_us: u64,
    cpu_us_per_request: u64,
}

/// Starts a shop and measures each kind of request.
///
/// # Errors
/// If the shop does not start or come to rest, or no request of a kind succeeds.
pub(super) async fn run(bounds: Bounds) -> Result<Vec<LoadCosts>, Error> {
    let shop = Shop::start(None).await?;
    let costs = measure_all(&shop, bounds).await;
    shop.stop().await;
    let costs = costs?;
    print_functions(&costs);
    Ok(costs)
}

async fn measure_all(shop: &Shop, bounds: Bounds) -> Result<Vec<LoadCosts>, Error> {
    print_heading();
    let mut costs = Vec::new();
    for (kind, clients) in LOADS {
        let load = measure(shop, kind, clients, bounds).await?;
        load.print();
        costs.push(load);
    }
    Ok(costs)
}

async fn measure(
    shop: &Shop,
    kind: Kind,
    clients: usize,
    bounds: Bounds,
) -> Result<LoadCosts, Error> {
    let warm_up = Bounds {
        requests: WARM_UP * u64::try_from(clients)?,
        time: WARM_UP_TIME,
    };
    let series = format!("{}-{clients}", kind.name());
    clients::drive(
        shop.target(&format!("{series}-before")),
        kind,
        clients,
        warm_up,
    )
    .await?;
    shop.settle().await?;
    shop.reset_invocations().await?;
    let before = Snapshot::take()?;
    let outcome = clients::drive(shop.target(&series), kind, clients, bounds).await?;
    // What a request sets off is part of its cost.
    shop.settle().await?;
    let used = Snapshot::take()?.since(&before);
    let invocations = shop.invocations().await?;
    LoadCosts::new(kind, clients, outcome, &used, invocations)
}

impl LoadCosts {
    fn new(
        kind: Kind,
        clients: usize,
        outcome: Outcome,
        used: &Used,
        invocations: Invocations,
    ) -> Result<Self, Error> {
        let requests = u64::try_from(outcome.latencies_us.len())?;
        let mut functions: BTreeMap<String, FunctionLoad> = BTreeMap::new();
        for (name, invocations) in invocations {
            functions.entry(name).or_default().invocations = invocations;
        }
        let mut all = 0;
        for (name, &cpu) in used.children.iter().filter(|(_, cpu)| !cpu.is_zero()) {
            let function = functions.entry(name.clone()).or_default();
            function.cpu_us = micros(cpu);
            function.cpu_us_per_request = per(function.cpu_us, requests);
            all += function.cpu_us;
        }
        let percentile = |percent| {
            let failure = outcome
                .first_failure
                .as_deref()
                .unwrap_or("there was no time for one");
            percentile(outcome.latencies_us.clone(), percent)
                .ok_or_else(|| format!("no request of {} succeeded: {failure}", kind.name()))
        };
        let elapsed_us = micros(outcome.elapsed);
        Ok(Self {
            request: kind.name(),
            clients,
            requests,
            failed: outcome.failed,
            elapsed_us,
            requests_per_second: per(requests * 1_000_000, elapsed_us),
            p50_us: percentile(50)?,
            p99_us: percentile(99)?,
            functions_cpu_us_per_request: per(all, requests),
            runner_cpu_us_per_request: per(micros(used.own.saturating_sub(outcome.cpu)), requests),
            clients_cpu_us_per_request: per(micros(outcome.cpu), requests),
            functions,
            first_failure: outcome.first_failure,
        })
    }

    /// The functions that were invoked.
    pub(super) fn functions(&self) -> impl Iterator<Item = &str> {
        let invoked = self
            .functions
            .iter()
            .filter(|(_, function)| function.invocations > 0);
        invoked.map(|(name, _)| name.as_str())
    }

    fn print(&self) {
        println!(
            "{:<15} {:>7} {:>9} {:>8} {:>8} {:>9} {:>10} {:>8} {:>9}",
            self.request,
            self.clients,
            self.requests,
            tenths(self.requests * 1_000_000, self.elapsed_us.max(1)),
            millis(self.p50_us),
            millis(self.p99_us),
            millis(self.functions_cpu_us_per_request),
            millis(self.runner_cpu_us_per_request),
            millis(self.clients_cpu_us_per_request),
        );
        if let Some(failure) = &self.first_failure {
            println!("  {} failed, the first one with: {failure}", self.failed);
        }
    }
}

fn print_heading() {
    println!("\nLoad. Times in ms; CPU per request, with what the request sets off.");
    println!(
        "{:<15} {:>7} {:>9} {:>8} {:>8} {:>9} {:>10} {:>8} {:>9}",
        "request", "clients", "requests", "each s", "p50", "p99", "functions", "runner", "clients"
    );
}

fn print_functions(costs: &[LoadCosts]) {
    println!("\nCPU in the functions per request, in ms, and invocations per request.");
    println!(
        "{:<15} {:>7}  {:<22} {:>9} {:>12}",
        "request", "clients", "function", "CPU", "invocations"
    );
    for load in costs {
        for (name, function) in &load.functions {
            println!(
                "{:<15} {:>7}  {name:<22} {:>9} {:>12}",
                load.request,
                load.clients,
                millis(function.cpu_us_per_request),
                tenths(function.invocations, load.requests),
            );
        }
    }
}
