//! `oxcart env FUNCTION`: what a function needs in its environment when it is started by hand, as
//! with `cargo lambda watch`, to work on the running shop's tables.

use std::collections::BTreeMap;

use crate::Error;

/// `oxcart env FUNCTION`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The function's name, such as `place-order`.
    function: String,
    /// The control port of the running shop.
    #[arg(long, default_value_t = 3001)]
    control_port: u16,
    /// Print `export NAME=value` lines for a shell.
    #[arg(long)]
    export: bool,
}

/// The control address of the shop running here.
pub(crate) fn control_url(control_port: u16) -> String {
    format!("http://127.0.0.1:{control_port}")
}

/// The environment of `function`, as the shop with this control address tells it.
///
/// # Errors
/// If no shop runs there, or it has no such function.
pub(crate) async fn of_function(
    function: &str,
    control: &str,
) -> Result<BTreeMap<String, String>, Error> {
    let url = format!("{control}/_local/functions/{function}/environment");
    let answer = reqwest::get(&url).await.map_err(|error| {
        format!("no shop answers at {control} ({error}): start it with cargo run")
    })?;
    if !answer.status().is_success() {
        return Err(format!("the shop has no function {function}").into());
    }
    Ok(answer.json().await?)
}

/// Whether Lambda, or what stands in for it, sets this variable itself.
fn is_set_by_lambda(name: &str) -> bool {
    let others = [
        "AWS_EXECUTION_ENV",
        "LAMBDA_TASK_ROOT",
        "PATH",
        "TZ",
        "_HANDLER",
    ];
    name.starts_with("AWS_LAMBDA_") || others.contains(&name)
}

/// Prints the environment, one `NAME=value` a line, without what Lambda sets itself.
///
/// # Errors
/// As [`of_function`].
pub(crate) async fn run(arguments: Arguments) -> Result<(), Error> {
    let mut environment =
        of_function(&arguments.function, &control_url(arguments.control_port)).await?;
    environment.retain(|name, _| !is_set_by_lambda(name));
    for (name, value) in environment {
        if arguments.export {
            println!("export {name}='{}'", value.replace('\'', r"'\''"));
        } else {
            println!("{name}={value}");
        }
    }
    Ok(())
}
