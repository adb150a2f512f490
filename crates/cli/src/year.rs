//! `oxcart year`: plays a shop's year on a clock of its own, and checks the books at the end. `docs/year.md` says what
//! happens in it and what the figures mean.

use std::path::PathBuf;
use std::time::Instant;

use oxcart_core::values::money::Currency;
use oxcart_local::faults::Fault;
use serde::Serialize;

use crate::bench::machine::{Machine, peak_memory_kib};
use crate::{Error, build};

use books::Totals;
use costs::Costs;
use imports::Imports;
use plan::{Plan, Sizes};
use play::Play;
use shop::Shop;

pub(crate) use costs::halves;

mod audit;
mod books;
mod browse;
mod check;
mod costs;
mod edge;
mod gift_cards;
mod imports;
mod ledger;
mod lists;
mod plan;
mod play;
mod progress;
mod refunds;
mod request;
mod seed;
mod shop;
mod shoppers;
mod world;

/// The functions that the year uses: what it builds.
const IN_USE: [&str; 65] = [
    "audit-integrity",
    "build-collections",
    "build-search-index",
    "cancel-order",
    "close-order",
    "commit-inventory",
    "confirm-order",
    "create-discount",
    "create-export",
    "create-import",
    "create-product",
    "create-refund",
    "delete-account",
    "fail-order",
    "follow-products",
    "get-export",
    "get-import",
    "get-integrity",
    "get-order",
    "get-order-history",
    "get-product",
    "index-products",
    "issue-gift-card",
    "list-addresses",
    "list-customers",
    "list-discounts",
    "list-ledger",
    "list-ledger-differences",
    "list-order-payments",
    "list-orders",
    "list-products",
    "list-refunds",
    "list-rules",
    "list-sessions",
    "notify-order",
    "on-customer-deleted",
    "on-email-confirmed",
    "on-payment-refunded",
    "on-product-created",
    "place-order",
    "postpone-order",
    "process-payment",
    "publish-events",
    "put-category",
    "put-collection",
    "receive-payment-event",
    "reconcile-ledger",
    "reconcile-payments",
    "record-ledger",
    "release-inventory",
    "replace-price-lists",
    "replace-tax-rates",
    "reserve-inventory",
    "restock-inventory",
    "retry-payment",
    "run-due-orders",
    "run-file-jobs",
    "run-stock-imports",
    "send-messages",
    "set-list-price",
    "set-stock",
    "show-availability",
    "update-product",
    "validate-order",
    "void-payment",
];

/// `oxcart year`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// How many orders are placed. There is one product for ten of them and one customer for five.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    orders: u32,
    /// What the year is drawn from: the same seed and size make the same year.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many weeks the year has: the audit takes time for each hour, whatever happens in it.
    #[arg(long, default_value_t = 52, value_parser = clap::value_parser!(u16).range(4..=52))]
    weeks: u16,
    /// A fault of the AWS calls, as for `cargo run`; may be given several times. Without any, one percent of the calls
    /// fails. `none`: no call fails.
    #[arg(long, value_name = "FAULT")]
    fault: Vec<String>,
    /// The currency of the shop (ISO 4217): how many decimals amounts have depends on it.
    #[arg(long, default_value = "EUR")]
    currency: Currency,
    /// Lets each buyer look at the products and their categories first, through a cache that all of them share, and says
    /// how much of that reaches functions.
    #[arg(long)]
    browse: bool,
    /// How many requests are under way at a time.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=1000))]
    at_once: u16,
    /// Writes all figures to this file, too.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Runs the functions as they were built last.
    #[arg(long)]
    no_build: bool,
}

/// One percent of the calls that functions make, and of their invocations: some are refused, and of some the response
/// is lost.
const FAULTS: [&str; 4] = [
    "*:*@*=throttle:0.004",
    "*:*@*=error:0.003",
    "*:*@*=lost-answer:0.002",
    "dynamodb:*@*=conflict:0.001",
];

/// All figures of one year, as `--json` writes them.
#[derive(Serialize)]
struct Report {
    machine: Machine,
    profile: &'static str,
    seed: u64,
    orders: usize,
    products: usize,
    customers: usize,
    currency: Currency,
    faults: Vec<String>,
    /// How many calls and invocations failed because of them.
    faults_hit: u64,
    seconds: Seconds,
    /// The most memory that this program used.
    peak_memory_kib: u64,
    totals: Totals,
    costs: Vec<Costs>,
    /// What shoppers looked at, if they did.
    #[serde(skip_serializing_if = "Option::is_none")]
    looked_at: Option<edge::Figures>,
    disagreements: Vec<String>,
}

/// How long each part took.
#[derive(Default, Serialize)]
struct Seconds {
    seeding: u64,
    orders: u64,
    checking: u64,
}

/// Plays the year.
///
/// # Errors
/// If the functions do not build, the shop does not start or does not come to rest, or the books do not agree with what
/// was done.
pub(crate) async fn run(arguments: Arguments) -> Result<(), Error> {
    let machine = Machine::read()?;
    machine.print();
    if !arguments.no_build {
        build::functions(!cfg!(debug_assertions), &IN_USE.map(str::to_owned)).await?;
    }
    let faults = faults(&arguments.fault)?;
    let shop = Shop::start(arguments.seed, arguments.currency, arguments.browse).await?;
    let played = report(&shop, &arguments, faults, machine).await;
    shop.runner.stop().await;
    let report = played?;
    report.print();
    if let Some(path) = &arguments.json {
        std::fs::write(path, serde_json::to_string_pretty(&report)? + "\n")
            .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    match report.disagreements.len() {
        0 => Ok(()),
        1 => Err("one thing does not agree".into()),
        count => Err(format!("{count} things do not agree").into()),
    }
}

/// Returns the faults in force while orders are placed.
fn faults(given: &[String]) -> Result<Vec<String>, Error> {
    if given.is_empty() {
        return Ok(FAULTS.map(str::to_owned).to_vec());
    }
    let given: Vec<String> = given
        .iter()
        .filter(|fault| *fault != "none")
        .cloned()
        .collect();
    for fault in &given {
        Fault::parse(fault)?;
    }
    Ok(given)
}

/// Fills the shop, plays the year and checks the books.
async fn report(
    shop: &Shop,
    arguments: &Arguments,
    faults: Vec<String>,
    machine: Machine,
) -> Result<Report, Error> {
    let sizes = Sizes::for_orders(arguments.orders as usize);
    let at_once = usize::from(arguments.at_once);
    let mut plan = Plan::new(arguments.seed, sizes);
    let mut seconds = Seconds::default();
    let begun = Instant::now();
    let ledger = seed::seed(shop, &mut plan, sizes, at_once).await?;
    seconds.seeding = begun.elapsed().as_secs();
    let mut year = Play {
        shop,
        plan,
        sizes,
        ledger,
        faults: faults.clone(),
        at_once,
        weeks: arguments.weeks,
        browsed: 0,
        imports: Imports::default(),
        faults_hit: 0,
    };
    let begun = Instant::now();
    let costs = year.play().await?;
    seconds.orders = begun.elapsed().as_secs();
    let begun = Instant::now();
    let mut disagreements = std::mem::take(&mut year.ledger.disagreements);
    // What the books say is worth an hour even if the audit fails.
    match audit::everything(shop).await {
        Ok(found) => disagreements.extend(found),
        Err(error) => disagreements.push(format!("audit: {error}")),
    }
    let limit = seed::limited_uses(sizes);
    let (totals, found) = check::compare(shop, &year.ledger, sizes, limit)?;
    disagreements.extend(found);
    disagreements.extend(costs::growing(&costs));
    seconds.checking = begun.elapsed().as_secs();
    Ok(Report {
        machine,
        profile: if cfg!(debug_assertions) {
            "debug"
        } else {
            "release"
        },
        seed: arguments.seed,
        orders: sizes.orders,
        products: sizes.products,
        customers: sizes.customers,
        currency: arguments.currency,
        faults,
        faults_hit: year.faults_hit,
        seconds,
        peak_memory_kib: peak_memory_kib(),
        totals,
        costs,
        looked_at: shop.looked_at(),
        disagreements,
    })
}

impl Report {
    fn print(&self) {
        let Seconds {
            seeding,
            orders,
            checking,
        } = self.seconds;
        println!(
            "\n{} orders in {}, {} products and {} customers ({} build): {seeding} s to fill the shop, {orders} s for the \
             year ({} orders a second), {checking} s to check it; {} calls failed by faults; {} MiB at most",
            self.orders,
            self.currency,
            self.products,
            self.customers,
            self.profile,
            (self.orders as u64).checked_div(orders).unwrap_or(0),
            self.faults_hit,
            self.peak_memory_kib / 1024,
        );
        println!("\nOrders:");
        for (status, count) in &self.totals.orders {
            println!("{count:>10} {status}");
        }
        println!("\nEvents:");
        for (event, count) in &self.totals.events {
            println!("{count:>10} {event}");
        }
        costs::print(&self.costs);
        if let Some(edge::Figures { requests, reached }) = self.looked_at {
            println!(
                "\nShoppers looked at {requests} pages; {reached} of these requests reached a function"
            );
        }
        println!();
        for disagreement in &self.disagreements {
            println!("{disagreement}");
        }
        if self.disagreements.is_empty() {
            println!("Everything agrees.");
        }
    }
}
