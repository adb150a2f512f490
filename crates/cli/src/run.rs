//! `cargo run`: the shop on this machine.

use std::path::PathBuf;

use oxcart_local::clock::Clock;
use oxcart_local::faults::Fault;
use oxcart_local::functions::Log;
use oxcart_local::runner::{Options, Runner};

use crate::{Error, build, demo};

/// `oxcart`, without a command.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The shop's port.
    #[arg(long, default_value_t = 3000)]
    port: u16,
    /// The runner's own port, for `/_local/...`.
    #[arg(long, default_value_t = 3001)]
    control_port: u16,
    /// The port that the AWS APIs are served on.
    #[arg(long, default_value_t = 3002)]
    aws_port: u16,
    /// Keeps the tables in this folder; without it they are gone at the end.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// What the shop has at the start: about 70 products, or 100,000 more, or nothing.
    #[arg(long, value_enum, default_value_t = Size::Small)]
    demo: Size,
    /// How many products the large demo has. Tests have few.
    #[arg(long, hide = true, default_value_t = demo::large::PRODUCTS)]
    demo_products: u32,
    /// Starts an empty shop: `--demo none` by its earlier name.
    #[arg(long, hide = true, conflicts_with = "demo")]
    no_demo: bool,
    /// `manual`: time moves only by POST `/_local/clock/advance`.
    #[arg(long, default_value = "system", value_parser = ["system", "manual"])]
    clock: String,
    /// Makes AWS calls fail, as in `dynamodb:UpdateItem@reserve-inventory=throttle:0.1`; may be given
    /// several times.
    #[arg(long, value_name = "FAULT")]
    fault: Vec<String>,
    /// Writes down each function's AWS calls: action, resource, units.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// The invocations that all functions together may have at the same time: the quota of an AWS account.
    #[arg(long, default_value_t = 1000, value_name = "N")]
    concurrency: u32,
    /// `ignore`: functions may do what their policies do not allow.
    #[arg(long, default_value = "enforce", value_parser = ["enforce", "ignore"])]
    policies: String,
    /// A parameter of the template, as in `WorkflowType=EXPRESS`; may be given several times.
    #[arg(long, value_name = "NAME=VALUE", value_parser = parameter)]
    parameter: Vec<(String, String)>,
    /// Does not show what the functions log.
    #[arg(long)]
    quiet: bool,
    /// Runs the functions as they were built last.
    #[arg(long)]
    no_build: bool,
}

/// How much of a demo there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Size {
    Small,
    Large,
    None,
}

impl Arguments {
    /// Returns how much of a demo is asked for.
    fn demo(&self) -> Size {
        if self.no_demo { Size::None } else { self.demo }
    }
}

/// Reads `NAME=VALUE`.
pub(crate) fn parameter(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("this must be NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

fn options(arguments: &Arguments) -> Result<Options, Error> {
    let faults: Result<Vec<Vec<Fault>>, _> = arguments
        .fault
        .iter()
        .map(|fault| Fault::parse(fault))
        .collect();
    let clock = match arguments.clock.as_str() {
        "manual" => Clock::manual(jiff::Timestamp::now()),
        _ => Clock::system(),
    };
    Ok(Options {
        parameters: arguments.parameter.iter().cloned().collect(),
        port: arguments.port,
        control_port: arguments.control_port,
        aws_port: arguments.aws_port,
        data: arguments.data.clone(),
        clock,
        faults: faults?.into_iter().flatten().collect(),
        concurrency: arguments.concurrency,
        policies: arguments.policies == "enforce",
        record: arguments.record.clone(),
        log: if arguments.quiet {
            Log::Silent
        } else {
            Log::Stderr
        },
        ..Options::new(
            build::repository().join("template.yaml"),
            build::binaries()?,
        )
    })
}

/// Runs the shop until Ctrl-C.
///
/// # Errors
/// If the functions do not build, the template asks for what is not emulated, a port is taken, or
/// the demo cannot be loaded.
pub(crate) async fn run(arguments: Arguments) -> Result<(), Error> {
    if !arguments.no_build {
        build::functions(!cfg!(debug_assertions), &[]).await?;
    }
    let runner = Runner::start(options(&arguments)?).await?;
    let served = tokio::select! {
        served = serve(&runner, &arguments) => served,
        stopped = tokio::signal::ctrl_c() => stopped.map_err(Error::from),
    };
    runner.stop().await;
    served
}

/// Makes the shop ready and tells so; then runs until it is dropped.
async fn serve(runner: &Runner, arguments: &Arguments) -> Result<(), Error> {
    let (urls, size) = (runner.urls(), arguments.demo());
    let demo = match size {
        Size::None => None,
        Size::Small | Size::Large => Some(demo::load(&urls.shop, &urls.control).await?),
    };
    if let (Size::Large, Some(demo)) = (size, &demo) {
        demo::large::load(&urls.shop, demo.currency, arguments.demo_products).await?;
    }
    let users = demo.as_ref().map_or(&[][..], |_| &demo::USERS);
    runner.set_ready(serde_json::to_value(users)?);
    println!(
        "The shop is open at {} (its own view: {}/_local/ready; the APIs of AWS: {})",
        urls.shop, urls.control, urls.aws
    );
    if let Some(demo) = demo {
        for user in demo::USERS {
            println!("  {:<9} {} / {}", user.role, user.email, user.password);
        }
        println!("Place an order:\n  {}", order_line(&urls.shop, &demo));
    }
    println!("Ctrl-C stops it.");
    std::future::pending().await
}

/// A curl line that places an order.
fn order_line(shop: &str, demo: &demo::Demo) -> String {
    let body = serde_json::json!({
        "items": [{"product_id": demo.product_id, "quantity": 1}],
        "shipping_address": {
            "recipient": "Ada Example", "line1": "Hauptstr. 1", "city": "Berlin",
            "postal_code": "10115", "country": "DE",
        },
        "payment": {"token": "tok_ok"},
    });
    format!(
        "curl -s {shop}/orders -H 'Authorization: Bearer {}' -H 'Content-Type: application/json' \
         -H \"Idempotency-Key: $(date +%s%N)\" -H 'Prefer: wait=5' -d '{body}'",
        demo.access_token
    )
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        run: Arguments,
    }

    #[test]
    fn the_demo_is_the_small_one_unless_another_or_none_is_asked_for() {
        for (arguments, expected) in [
            (&[][..], Size::Small),
            (&["--demo", "large"], Size::Large),
            (&["--demo", "none"], Size::None),
            (&["--no-demo"], Size::None),
        ] {
            let arguments = ["oxcart"].iter().chain(arguments);
            assert_eq!(Command::parse_from(arguments).run.demo(), expected);
        }
        let both = ["oxcart", "--no-demo", "--demo", "large"];
        assert!(Command::try_parse_from(both).is_err());
    }
}
