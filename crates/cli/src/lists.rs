//! `oxcart lists`: what a page of each list of products costs, in a shop with more and more products.

mod times;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use oxcart_core::catalog::categories::model::{Node, Tree};
use oxcart_core::catalog::categories::store::CategoryStore;
use oxcart_core::catalog::content::ContentChange;
use oxcart_core::catalog::model::Status;
use oxcart_core::catalog::names::Names;
use oxcart_core::catalog::rules::{self, Draft, Sold};
use oxcart_core::catalog::store::ProductStore;
use oxcart_core::catalog::variants::VariantChange;
use oxcart_core::values::clock::Time;
use oxcart_core::values::id::ProductId;
use oxcart_core::values::money::Money;
use oxcart_local::functions::Log;
use oxcart_local::runner::{Options, Runner};
use reqwest::Client;
use serde_json::Value;

use crate::bench::machine::Machine;
use crate::year::halves;
use crate::{Error, admin, build};

/// The functions that are in use: those of the lists, and those that the stream of new products reaches.
const IN_USE: [&str; 9] = [
    "build-collections",
    "build-search-index",
    "create-product",
    "follow-products",
    "index-products",
    "list-products",
    "on-product-created",
    "publish-events",
    "show-availability",
];

/// The lists. `all` is a category with 50 below it, and every second product of `category-0` is out of stock.
const LISTS: [&str; 10] = [
    "",
    "limit=100",
    "sort=name",
    "sort=price",
    "sort=-price&limit=100",
    "category=category-0",
    "category=category-0&sort=name",
    "category=category-0&status=out_of_stock&sort=-price",
    "category=all",
    "category=all&sort=price",
];

/// How many categories are below `all`.
const CATEGORIES: u32 = 50;

/// How many products are created at the same time.
const AT_ONCE: usize = 32;

/// Half units that a page may cost more than another of the same list: its products are spread over shards by chance, and a
/// shard with many of them is read again.
const CHANCE: u64 = 4;

/// How often each list is read; the fastest counts.
const TIMES: usize = 5;

/// `oxcart lists`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// How many products there are at the end. What lists cost is measured after 1,000, and then after ten times as many
    /// each time.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1_000..=10_000_000))]
    products: u32,
    /// Runs the functions as they were built last.
    #[arg(long)]
    no_build: bool,
    /// Fills no shop, but measures how long pages take in the one at this address, which has the large demo.
    #[arg(long, value_name = "URL", conflicts_with_all = ["products", "no_build"])]
    shop: Option<String>,
}

/// What a page costs.
struct Cost {
    read_units: Value,
    entries: usize,
    micros: u128,
}

/// Fills a shop, measures its lists, and prints what they cost.
///
/// # Errors
/// If the shop does not start, a request fails, or a list costs more in a larger shop.
pub(crate) async fn run(arguments: Arguments) -> Result<(), Error> {
    Machine::read()?.print();
    if let Some(url) = arguments.shop {
        return times::measure(url.trim_end_matches('/')).await;
    }
    if !arguments.no_build {
        let functions = IN_USE.map(str::to_owned);
        build::functions(!cfg!(debug_assertions), &functions).await?;
    }
    let shop = Shop::start().await?;
    shop.add_categories().await?;
    let mut measured: Vec<(u32, Vec<Cost>)> = Vec::new();
    let (mut there, mut next) = (0, 1_000);
    while there < arguments.products {
        let begun = Instant::now();
        shop.add_products(there..next).await?;
        println!("{next} products after {} s more", begun.elapsed().as_secs());
        let mut costs = Vec::new();
        for list in LISTS {
            costs.push(shop.cost(list).await?);
        }
        measured.push((next, costs));
        there = next;
        next = there.saturating_mul(10).min(arguments.products);
    }
    shop.runner.stop().await;
    print(&measured);
    flat(&measured)
}

/// A shop that is being filled.
struct Shop {
    runner: Runner,
    products: ProductStore,
    categories: CategoryStore,
    client: Client,
}

impl Shop {
    async fn start() -> Result<Self, Error> {
        // Nothing is counted but the lists.
        let parameters = [("RateLimitPercent".to_owned(), "0".to_owned())];
        let template = build::repository().join("template.yaml");
        let runner = Runner::start(Options {
            parameters: parameters.into(),
            log: Log::Silent,
            ..Options::new(template, build::binaries()?)
        })
        .await?;
        let functions = runner.functions();
        let environment = functions.find("create-product");
        let environment = environment.and_then(|id| functions.environment(id));
        let aws = admin::local(&environment.ok_or("the template has no create-product")?)?;
        Ok(Self {
            products: ProductStore::new(&aws)?,
            categories: CategoryStore::new(&aws)?,
            client: Client::builder().build()?,
            runner,
        })
    }

    /// Adds `all` and the categories below it.
    async fn add_categories(&self) -> Result<(), Error> {
        let all: oxcart_core::catalog::model::Category = "all".parse()?;
        let node = |parent| Node {
            names: Names {
                name: "Category".to_owned(),
                translations: BTreeMap::new(),
            },
            parent,
            position: 0,
        };
        let mut nodes = BTreeMap::from([(all.clone(), node(None))]);
        for number in 0..CATEGORIES {
            let id = format!("category-{number}").parse()?;
            nodes.insert(id, node(Some(all.clone())));
        }
        let tree = Tree {
            nodes,
            version: 1,
            updated_at: Time::from_millis(0),
        };
        self.categories.replace(&tree, &all, None).await?;
        Ok(())
    }

    /// Adds the products with these numbers, some at the same time.
    async fn add_products(&self, numbers: std::ops::Range<u32>) -> Result<(), Error> {
        let next = AtomicU32::new(numbers.start);
        let add = || async {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= numbers.end {
                    return Ok::<_, Error>(());
                }
                self.add(number).await?;
            }
        };
        let adding = (0..AT_ONCE).map(|_| add());
        futures::future::try_join_all(adding).await?;
        Ok(())
    }

    async fn add(&self, number: u32) -> Result<(), Error> {
        // Neither by name nor by price in the order in which they are created.
        let place = u64::from(number) * 7_919 % 10_000_019;
        let euro = "EUR".parse()?;
        let status = if number.is_multiple_of(2 * CATEGORIES) {
            Status::OutOfStock
        } else {
            Status::Active
        };
        let draft = Draft {
            name: format!("Product {place:08}"),
            description: "One of many, of which there is something to say in a line or two."
                .to_owned(),
            category: format!("category-{}", number % CATEGORIES).parse()?,
            shipped: true,
            attributes: BTreeMap::from([("origin".to_owned(), "Uji".to_owned())]),
            status,
            sold: Sold::One(VariantChange {
                price: Some(Money::from_minor_units(10_000_000 + place, euro)?),
                ..VariantChange::default()
            }),
            content: ContentChange::default(),
        };
        let created_at = Time::from_millis(1_750_000_000_000 + i64::from(number));
        let id = ProductId::derived(&["lists", &number.to_string()]);
        let product = rules::create(id, draft, None, created_at)?;
        self.products.create(product).await?;
        Ok(())
    }

    /// Returns what the first page of a list costs.
    async fn cost(&self, query: &str) -> Result<Cost, Error> {
        let urls = self.runner.urls();
        let list = format!("{}/products?{query}", urls.shop);
        let mut cost = Cost {
            read_units: Value::Null,
            entries: 0,
            micros: u128::MAX,
        };
        for _ in 0..TIMES {
            let reset = self
                .client
                .post(format!("{}/_local/bill/reset", urls.control));
            reset.send().await?.error_for_status()?;
            let begun = Instant::now();
            let page = self.client.get(&list).timeout(Duration::from_secs(30));
            let page: Value = page.send().await?.error_for_status()?.json().await?;
            cost.micros = cost.micros.min(begun.elapsed().as_micros());
            cost.entries = page["items"].as_array().map_or(0, Vec::len);
            let bill = self.client.get(format!("{}/_local/bill", urls.control));
            let mut bill: Value = bill.send().await?.error_for_status()?.json().await?;
            cost.read_units = bill["functions"]["list-products"]["read_units"].take();
        }
        Ok(cost)
    }
}

/// Prints the figures side by side.
fn print(measured: &[(u32, Vec<Cost>)]) {
    println!(
        "\nRead units, entries and milliseconds of the first page, in a shop of so many products."
    );
    let columns = measured
        .iter()
        .map(|(products, _)| format!("{products:>24}"));
    println!("{:<56}{}", "", columns.collect::<String>());
    for (at, list) in LISTS.iter().enumerate() {
        let costs = measured.iter().filter_map(|(_, costs)| costs.get(at));
        let cells = costs.map(|cost| {
            let (units, tenths) = (cost.read_units.to_string(), cost.micros / 100);
            format!(
                "{units:>10}{:>6}{:>6}.{}",
                cost.entries,
                tenths / 10,
                tenths % 10
            )
        });
        println!("/products?{list:<46}{}", cells.collect::<String>());
    }
}

/// Compares what each list reads at the end with what it read in the smallest shop with as many entries on the page.
///
/// # Errors
/// Names the lists that read more.
fn flat(measured: &[(u32, Vec<Cost>)]) -> Result<(), Error> {
    let growing = LISTS.iter().enumerate().filter_map(|(at, list)| {
        let of_list = measured.iter();
        let mut of_list = of_list.filter_map(|(products, costs)| Some((products, costs.get(at)?)));
        let (most, large) = of_list.clone().next_back()?;
        let (few, small) = of_list.find(|(_, cost)| cost.entries == large.entries)?;
        let (before, now) = (&small.read_units, &large.read_units);
        (halves(now) > halves(before) + CHANCE).then(|| {
            format!("/products?{list} reads {before} units of {few} products and {now} of {most}")
        })
    });
    let growing: Vec<String> = growing.collect();
    if growing.is_empty() {
        println!("\nNo list costs more in a larger shop.");
        Ok(())
    } else {
        Err(growing.join("\n").into())
    }
}
