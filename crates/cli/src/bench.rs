//! `oxcart bench`: what the shop costs on this machine. `docs/benchmarks.md` says what each figure
//! means.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum as _;
use serde::Serialize;

use crate::{Error, build};

use calls::CallCosts;
use clients::Bounds;
use first::FirstRequest;
use functions::FunctionCost;
use load::LoadCosts;
use machine::Machine;

mod calls;
mod clients;
mod first;
mod functions;
mod load;
pub(crate) mod machine;
pub(crate) mod numbers;
pub(crate) mod process;
mod processes;
mod requests;
pub(crate) mod shop;
pub(crate) mod tls;

/// The functions that the parts `load` and `calls` use, the demo included: what they build.
pub(crate) const IN_USE: [&str; 28] = [
    "authorize-request",
    "build-collections",
    "build-search-index",
    "commit-inventory",
    "confirm-order",
    "create-product",
    "follow-products",
    "get-health",
    "get-order",
    "get-product",
    "index-products",
    "list-products",
    "login",
    "notify-order",
    "on-product-created",
    "place-order",
    "process-payment",
    "publish-events",
    "reconcile-ledger",
    "reconcile-payments",
    "record-ledger",
    "register-customer",
    "reserve-inventory",
    "run-due-orders",
    "send-messages",
    "set-stock",
    "show-availability",
    "validate-order",
];

/// `oxcart bench`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The parts to run: `functions` (start, memory and size), `load` (requests per second, latency,
    /// CPU), `calls` (AWS calls in a row, connections) and `first` (the first request of a process,
    /// over TLS); or names of functions, for the first part with these alone. Without any: all parts.
    what: Vec<String>,
    /// How long each load lasts, in seconds.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// The most requests that each load sends.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..))]
    requests: u64,
    /// Writes all figures to this file, too.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Runs the functions as they were built last.
    #[arg(long)]
    no_build: bool,
}

/// What is to be measured.
#[derive(Debug, PartialEq, Eq)]
struct Parts {
    parts: Vec<Name>,
    /// The functions that are measured; all if there are none.
    only: Vec<String>,
}

/// The name of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Name {
    Functions,
    Load,
    Calls,
    First,
}

/// All figures of one run, as `--json` writes them.
#[derive(Serialize)]
struct Report {
    machine: Machine,
    #[serde(skip_serializing_if = "Option::is_none")]
    functions: Option<Part<FunctionCost>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    load: Option<Part<LoadCosts>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    calls: Option<Part<CallCosts>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first: Option<Part<FirstRequest>>,
}

/// The figures of one part.
#[derive(Serialize)]
struct Part<T> {
    /// How what was measured had been built: `debug` or `release`.
    profile: &'static str,
    figures: Vec<T>,
}

impl Parts {
    fn named(what: &[String]) -> Self {
        let (mut parts, mut only) = (Vec::new(), Vec::new());
        for name in what {
            match Name::from_str(name, false) {
                Ok(part) => parts.push(part),
                Err(_) => only.push(name.clone()),
            }
        }
        if what.is_empty() {
            parts = Name::value_variants().to_vec();
        } else if !only.is_empty() && !parts.contains(&Name::Functions) {
            parts.push(Name::Functions);
        }
        Self { parts, only }
    }

    fn has(&self, part: Name) -> bool {
        self.parts.contains(&part)
    }
}

/// Measures what is asked for and prints the figures.
///
/// # Errors
/// If the functions do not build, the shop does not start, a request fails, or this is not Linux.
pub(crate) async fn run(arguments: Arguments) -> Result<(), Error> {
    let parts = Parts::named(&arguments.what);
    let machine = Machine::read()?;
    machine.print();
    let mut report = Report {
        machine,
        functions: None,
        load: None,
        calls: None,
        first: None,
    };
    if parts.has(Name::Functions) {
        if !arguments.no_build {
            build::functions(true, &parts.only).await?;
        }
        report.functions = Some(Part {
            profile: "release",
            figures: functions::run(&parts.only)?,
        });
    }
    if parts.parts.iter().any(|part| *part != Name::Functions) {
        // A load says something about this program too, so its profile is the one for all.
        if !arguments.no_build {
            build::functions(!cfg!(debug_assertions), &IN_USE.map(str::to_owned)).await?;
        }
        warn_of_debug_build();
    }
    if parts.has(Name::Load) {
        let bounds = Bounds {
            requests: arguments.requests,
            time: Duration::from_secs(arguments.seconds),
        };
        report.load = Some(own_profile(load::run(bounds).await?));
    }
    if parts.has(Name::Calls) {
        report.calls = Some(own_profile(calls::run().await?));
    }
    if parts.has(Name::First) {
        report.first = Some(own_profile(first::run().await?));
    }
    if !arguments.no_build {
        warn_of_stale_functions(&report);
    }
    if let Some(path) = arguments.json {
        std::fs::write(&path, serde_json::to_string_pretty(&report)? + "\n")
            .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    Ok(())
}

fn own_profile<T>(figures: Vec<T>) -> Part<T> {
    let profile = if cfg!(debug_assertions) {
        "debug"
    } else {
        "release"
    };
    Part { profile, figures }
}

/// Prints which functions were in use but not built: they are missing from [`IN_USE`].
fn warn_of_stale_functions(report: &Report) {
    let load = report.load.iter().flat_map(|part| &part.figures);
    let calls = report.calls.iter().flat_map(|part| &part.figures);
    let used: BTreeSet<&str> = load
        .flat_map(LoadCosts::functions)
        .chain(calls.map(CallCosts::function))
        .collect();
    for name in used.into_iter().filter(|name| !IN_USE.contains(name)) {
        println!("{name} was in use as it had been built before: add it to IN_USE in bench.rs");
    }
}

fn warn_of_debug_build() {
    if cfg!(debug_assertions) {
        println!(
            "\nThis is a debug build, several times slower than what is deployed. For figures to \
             keep: cargo run --release -- bench"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(what: &[&str]) -> Parts {
        let what: Vec<String> = what.iter().map(|&name| name.to_owned()).collect();
        Parts::named(&what)
    }

    #[test]
    fn everything_is_measured_unless_parts_are_named() {
        let every = [Name::Functions, Name::Load, Name::Calls, Name::First];
        assert_eq!(parts(&[]).parts, every);
        assert_eq!(parts(&["load", "calls"]).parts, [Name::Load, Name::Calls]);
    }

    #[test]
    fn the_name_of_a_function_restricts_the_part_on_functions() {
        let one = Parts {
            parts: vec![Name::Functions],
            only: vec!["get-product".to_owned()],
        };
        assert_eq!(parts(&["get-product"]), one);
        assert_eq!(parts(&["functions", "get-product"]), one);
    }
}
