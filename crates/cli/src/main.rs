//! `cargo run`: the whole shop on this machine, and the commands that look after a shop.

mod admin;
mod bench;
mod build;
mod demo;
mod environment;
mod goods;
mod import;
mod keys;
mod lists;
mod map;
mod policies;
mod redrive;
mod relist;
mod run;
mod search;
mod year;

use clap::{Parser, Subcommand};

/// The runner allocates mostly small pieces of JSON: docs/decisions/0019-the-runners-time.md.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What went wrong, for the person at the terminal.
type Error = Box<dyn std::error::Error + Send + Sync>;

/// Runs the shop on this machine: builds the functions, starts everything that template.yaml
/// declares, loads the demo.
#[derive(Debug, Parser)]
#[command(name = "oxcart", version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: run::Arguments,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Grants rights that no HTTP route grants; needs AWS credentials for a deployed shop.
    Admin {
        #[command(subcommand)]
        command: admin::Command,
    },
    /// Measures what the shop costs on this machine: start, memory, size, load, AWS calls.
    Bench(bench::Arguments),
    /// Prints the environment that a function of the running shop needs when it is started by hand.
    Env(environment::Arguments),
    /// Prints products of the large demo, or their stock, as rows that a shop imports.
    Goods(goods::Arguments),
    /// Sends a file of products, prices or stock to a shop.
    Import(Box<import::Arguments>),
    /// Exchanges the keys that tokens are signed with: prepare, promote, retire.
    Keys(keys::Arguments),
    /// Counts what a page of each list of products costs, in a shop with more and more products.
    Lists(lists::Arguments),
    /// Prints the services and how they hang together, as a Mermaid flowchart.
    Map,
    /// Compares the functions' policies with what a record says that they do.
    Policies(policies::Arguments),
    /// Publishes the events that were set aside because they could not be published; its function is `publish-events`.
    Redrive(redrive::Arguments),
    /// Gives products of earlier releases their places in the lists by name and by price; its function is
    /// `create-product`.
    Relist(relist::Arguments),
    /// Measures the search on products of the large demo: size, times and relevance.
    Search(search::Arguments),
    /// Plays a shop's year with up to 100,000 orders, and checks the books at the end.
    Year(year::Arguments),
}

#[tokio::main]
async fn main() -> std::process::ExitCode {
    let cli = Cli::parse();
    // What the runner has to say about functions that fail or do not start.
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::WARN)
        .with_writer(std::io::stderr)
        .init();
    let done = match cli.command {
        None => run::run(cli.run).await,
        Some(Command::Admin { command }) => admin::run(command).await,
        Some(Command::Bench(arguments)) => bench::run(arguments).await,
        Some(Command::Env(arguments)) => environment::run(arguments).await,
        Some(Command::Goods(arguments)) => goods::run(&arguments),
        Some(Command::Import(arguments)) => import::run(*arguments).await,
        Some(Command::Keys(arguments)) => keys::run(arguments).await,
        Some(Command::Lists(arguments)) => lists::run(arguments).await,
        Some(Command::Map) => map::run(),
        Some(Command::Policies(arguments)) => policies::run(arguments),
        Some(Command::Redrive(arguments)) => redrive::run(arguments).await,
        Some(Command::Relist(arguments)) => relist::run(arguments).await,
        Some(Command::Search(arguments)) => search::run(arguments).await,
        Some(Command::Year(arguments)) => year::run(arguments).await,
    };
    match done {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("oxcart: {error}");
            let mut source = error.source();
            while let Some(cause) = source {
                eprintln!("  because: {cause}");
                source = cause.source();
            }
            std::process::ExitCode::FAILURE
        }
    }
}
