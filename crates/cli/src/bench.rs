//! `oxcart bench`: what the shop costs on this machine.

use std::path::PathBuf;

use serde::Serialize;

use crate::{Error, build};

use functions::FunctionCost;
use machine::Machine;

mod functions;
mod machine;
mod numbers;

/// `oxcart bench`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Only these functions; without any, all.
    functions: Vec<String>,
    /// Writes all figures to this file, too.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Runs the functions as they were built last.
    #[arg(long)]
    no_build: bool,
}

/// All figures of one run, as `--json` writes them.
#[derive(Serialize)]
struct Report {
    machine: Machine,
    #[serde(skip_serializing_if = "Option::is_none")]
    functions: Option<Part<FunctionCost>>,
}

/// The figures of one part.
#[derive(Serialize)]
struct Part<T> {
    /// How what was measured had been built: `debug` or `release`.
    profile: &'static str,
    figures: Vec<T>,
}

/// Measures what is asked for and prints the figures.
///
/// # Errors
/// If the functions do not build or start, or this is not Linux.
pub(crate) async fn run(arguments: Arguments) -> Result<(), Error> {
    let machine = Machine::read()?;
    machine.print();
    if !arguments.no_build {
        build::functions(true, &arguments.functions).await?;
    }
    let report = Report {
        machine,
        functions: Some(Part {
            profile: "release",
            figures: functions::run(&arguments.functions)?,
        }),
    };
    if let Some(path) = arguments.json {
        std::fs::write(&path, serde_json::to_string_pretty(&report)? + "\n")
            .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    Ok(())
}
