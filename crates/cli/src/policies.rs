//! `oxcart policies RECORD`: whether functions may do exactly what they do. Compares the policies of
//! template.yaml with what `--record` wrote down, or the test suite with `OXCART_RECORD_DIR`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use oxcart_local::access::Usage;
use oxcart_local::model::{Need, Stack};
use oxcart_local::template::Places;

use crate::{Error, build};

/// `oxcart policies RECORD`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// A record, or a folder of them.
    record: PathBuf,
    /// The stack's name when it was recorded: the test suite has `oxcart`.
    #[arg(long, default_value = "local")]
    stack: String,
    /// A parameter of the template when it was recorded; may be given several times.
    #[arg(long, value_name = "NAME=VALUE", value_parser = crate::run::parameter)]
    parameter: Vec<(String, String)>,
}

/// Prints what is allowed and never used, and what is used and not allowed.
///
/// # Errors
/// If there is any of either, or if the template or a record cannot be read.
pub(crate) fn run(arguments: Arguments) -> Result<(), Error> {
    let places = Places {
        region: "eu-central-1".to_owned(),
        stack_name: arguments.stack,
        endpoint: "http://127.0.0.1:9".to_owned(),
        shop: "http://127.0.0.1:9".to_owned(),
    };
    let template = build::repository().join("template.yaml");
    let parameters: BTreeMap<String, String> = arguments.parameter.into_iter().collect();
    let stack = Stack::load(&template, &parameters, &places)?;
    let mut usage = Usage::new(&stack);
    let records = records(&arguments.record)?;
    for path in &records {
        let record = std::fs::read_to_string(path)
            .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        usage
            .add(&record)
            .map_err(|problem| format!("{}: {problem}", path.display()))?;
    }
    let (unused, missing) = (usage.unused(), usage.missing());
    print("allowed and never used", &unused);
    print("used and not allowed", &missing);
    if unused.is_empty() && missing.is_empty() {
        println!("{} records: policies and use are the same.", records.len());
        return Ok(());
    }
    Err("policies and use differ".into())
}

fn records(path: &Path) -> Result<Vec<PathBuf>, Error> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = std::fs::read_dir(path)?;
    let paths: Result<Vec<PathBuf>, _> = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect();
    let paths = paths?;
    if paths.is_empty() {
        return Err(format!("{} has no records", path.display()).into());
    }
    Ok(paths)
}

fn print(what: &str, needs: &[Need]) {
    if !needs.is_empty() {
        println!("{what}:");
    }
    for Need { holder, permission } in needs {
        println!(
            "  {holder:<22} {:<30} {}",
            permission.action, permission.resource
        );
    }
}
