//! `oxcart search --functions`: the search of a shop, with its functions, that has imported the large demo.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use oxcart_core::catalog::search::model::Manifest;
use oxcart_core::catalog::search::store::IndexStore;
use oxcart_core::values::clock::Time;
use oxcart_search::segment::Segment;
use reqwest::Client;
use serde_json::{Value, json};
use uuid::Uuid;

use super::judged;
use crate::bench::numbers::{micros, millis, percentile};
use crate::bench::process::Process;
use crate::bench::shop::Shop;
use crate::bench::tls::Proxy;
use crate::demo::large;
use crate::{Error, admin, bench, build};

/// The functions that importing and searching need, beside those of `oxcart bench`.
const IN_USE: [&str; 9] = [
    "create-import",
    "get-collection",
    "get-import",
    "put-category",
    "put-collection",
    "run-file-jobs",
    "run-stock-imports",
    "suggest-products",
    "update-product",
];

/// How much longer calls to AWS take than they do here, in each series of first queries.
const DELAYS: [Duration; 2] = [Duration::ZERO, Duration::from_millis(30)];

/// How many processes answer a first query, in each series.
const STARTS: usize = 41;

/// How many changes are waited for.
const CHANGES: usize = 21;

/// How long to wait for the index, and for a change.
const BUILT_WITHIN: Duration = Duration::from_hours(3);
const FOUND_WITHIN: Duration = Duration::from_mins(1);

/// How long to wait before the shop is asked again.
const PAUSE: Duration = Duration::from_millis(100);

/// Returns the names of the functions that are built.
pub(super) fn in_use() -> Vec<String> {
    let all = bench::IN_USE.into_iter().chain(IN_USE);
    all.map(str::to_owned).collect()
}

/// How the index of the shop comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Filled {
    /// The shop imports the products, and its functions write the index.
    Imported,
    /// The index is written as it is, which takes minutes where importing takes an hour. The table does not have the
    /// products, so searches count them and show none.
    Written,
}

/// Fills a shop with this number of products, and prints what queries cost.
///
/// # Errors
/// If the shop does not start, refuses anything or does not find what has changed.
pub(super) async fn measure(filled: Filled, products: u32, rounds: u32) -> Result<(), Error> {
    let shop = Shop::start(None).await?;
    let environment = shop.environment("list-products");
    let environment = environment.ok_or("the template has no list-products")?;
    let begun = Instant::now();
    let (url, _) = shop.as_admin().await?;
    match filled {
        Filled::Imported => large::load(url, "EUR".parse()?, products).await?,
        Filled::Written => write(&environment, products).await?,
    }
    println!("{products} products {filled:?} in {:.1?}", begun.elapsed());
    let manifest = built(&environment, products).await?;
    let bytes: u64 = manifest.parts.iter().map(|part| part.segment.bytes).sum();
    println!(
        "The index: {bytes} bytes in {} segments, after {:.1?}",
        manifest.parts.len(),
        begun.elapsed()
    );
    let proxy = Proxy::start(shop.aws()).await?;
    let environment = proxy.proxied(environment);
    for delay in DELAYS {
        shop.delay_calls(delay).await?;
        let environment = environment.clone();
        println!("Calls that take {} ms longer:", delay.as_millis());
        tokio::task::spawn_blocking(move || first(&environment)).await??;
    }
    shop.delay_calls(Duration::ZERO).await?;
    tokio::task::spawn_blocking(move || warm(&environment, rounds)).await??;
    freshness(&shop).await?;
    shop.stop().await;
    Ok(())
}

/// Puts an index of the products into the place of the shop's.
async fn write(environment: &BTreeMap<String, String>, products: u32) -> Result<(), Error> {
    let store = IndexStore::new(&admin::local(environment)?, 1 << 20)?;
    let index = tokio::task::spawn_blocking(move || super::Shop::new(products)).await??;
    for part in &index.parts {
        let layout = part.segment.clone();
        let bytes = index.memory.take(layout.id).ok_or("a segment is gone")?;
        store.put(Segment { layout, bytes }).await?;
    }
    let parts = index.parts;
    let now = Time::from_millis(0);
    let replaced = store.change(now, move |manifest, _| {
        manifest.parts.clone_from(&parts);
        manifest.build = None;
        Ok(())
    });
    Ok(replaced.await?)
}

/// Returns the manifest when the index has all products, and nothing is left to merge.
async fn built(environment: &BTreeMap<String, String>, products: u32) -> Result<Manifest, Error> {
    let store = IndexStore::new(&admin::local(environment)?, 1 << 20)?;
    let begun = Instant::now();
    while begun.elapsed() < BUILT_WITHIN {
        if let Some((manifest, _)) = store.changed(None).await? {
            let alive = manifest.parts.iter().map(oxcart_search::index::Part::alive);
            let is_whole = alive.sum::<u64>() >= u64::from(products);
            if is_whole && manifest.build.is_none() && manifest.due().is_none() {
                return Ok(manifest);
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err("the index is not built".into())
}

/// Prints how long the first query of a process takes.
fn first(environment: &BTreeMap<String, String>) -> Result<(), Error> {
    let events = events()?;
    let (mut starts, mut times) = (Vec::new(), Vec::new());
    for event in events.iter().cycle().step_by(7).take(STARTS) {
        let mut process = start(environment)?;
        starts.push(micros(process.start));
        times.push(micros(process.request(event)?));
    }
    print("  a process starts", starts);
    print("  its first query", times);
    Ok(())
}

/// Prints how long the queries of one process take that follow each other, after a round that is not counted.
fn warm(environment: &BTreeMap<String, String>, rounds: u32) -> Result<(), Error> {
    let events = events()?;
    let mut process = start(environment)?;
    let mut times = Vec::new();
    for round in 0..=rounds {
        for event in &events {
            let took = micros(process.request(event)?);
            if round > 0 {
                times.push(took);
            }
        }
    }
    print("A query of a process that has answered it before", times);
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id()))?;
    let peak = status.lines().find(|line| line.starts_with("VmHWM:"));
    println!("Its memory: {}", peak.unwrap_or_default());
    Ok(())
}

/// Prints how long it takes until a changed name is found.
async fn freshness(shop: &Shop) -> Result<(), Error> {
    let (url, token) = shop.as_admin().await?;
    let client = Client::new();
    let page = get(&client, &format!("{url}/products?limit={CHANGES}")).await?;
    let items = page["items"].as_array().ok_or("the shop has no products")?;
    let mut times = Vec::new();
    for product in items {
        let id = product["id"].as_str().ok_or("a product has no id")?;
        // No typing error makes it another one.
        let word = Uuid::now_v7().simple().to_string();
        let change = client
            .patch(format!("{url}/products/{id}"))
            .bearer_auth(&token)
            .header("If-Match", "*")
            .json(&json!({"name": word}));
        change.send().await?.error_for_status()?;
        let begun = Instant::now();
        let search = format!("{url}/products?q={word}");
        while get(&client, &search).await?["total"] != 1 {
            if begun.elapsed() > FOUND_WITHIN {
                return Err("a change is not found".into());
            }
            tokio::time::sleep(PAUSE).await;
        }
        times.push(micros(begun.elapsed()));
    }
    print("A changed name is found", times);
    Ok(())
}

async fn get(client: &Client, url: &str) -> Result<Value, Error> {
    let response = client.get(url).send().await?.error_for_status()?;
    Ok(response.json().await?)
}

/// Starts a process of the function that lists products.
fn start(environment: &BTreeMap<String, String>) -> Result<Process, Error> {
    Process::start(&build::binaries()?.join("list-products"), environment)
}

/// Returns the events of the judged queries.
fn events() -> Result<Vec<String>, Error> {
    let event = build::repository().join("events/list-products.json");
    let event: Value = serde_json::from_str(&std::fs::read_to_string(event)?)?;
    let queries = judged::queries()?.into_iter();
    let events = queries.map(|query| {
        let mut event = event.clone();
        let encoded: String = query
            .text
            .bytes()
            .map(|byte| format!("%{byte:02X}"))
            .collect();
        event["rawQueryString"] = format!("q={encoded}").into();
        event["queryStringParameters"] = json!({"q": query.text});
        event.to_string()
    });
    Ok(events.collect())
}

/// Prints the middle one and the longest of `times`, in microseconds.
fn print(what: &str, times: Vec<u64>) {
    let of_time = |percent| percentile(times.clone(), percent).map(millis);
    let [p50, p95, p99, most] =
        [50, 95, 99, 100].map(|percent| of_time(percent).unwrap_or_default());
    println!("{what}: p50 {p50} ms, p95 {p95} ms, p99 {p99} ms, at most {most} ms");
}
