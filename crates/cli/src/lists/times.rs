//! How long pages take in a shop that runs, with the large demo in it.

use std::time::{Duration, Instant};

use reqwest::Client;
use serde_json::Value;

use crate::Error;
use crate::bench::numbers::{micros, millis, percentile};

/// What is read. `next` follows the cursor from page to page, and `slug` reads the first product of the newest by its slug.
const PAGES: [(&str, &str); 14] = [
    ("newest", "products"),
    ("newest, 100 a page", "products?limit=100"),
    ("by name", "products?sort=name"),
    ("by price", "products?sort=price"),
    ("dearest, 100 a page", "products?sort=-price&limit=100"),
    ("a category", "products?category=fruit"),
    ("a branch of 14 categories", "products?category=fashion"),
    (
        "a branch of 17, by price",
        "products?category=food&sort=price",
    ),
    (
        "a category and a material",
        "products?category=scarves-and-gloves&attributes[material]=wool",
    ),
    (
        "a material in the whole shop",
        "products?attributes[material]=silver",
    ),
    (
        "a size and a colour",
        "products?category=fashion&attributes[size]=M&attributes[colour]=red",
    ),
    (
        "a collection, in Chinese",
        "products?collection=organic&locale=zh",
    ),
    (NEXT, "products?category=food&sort=name"),
    (SLUG, "products?limit=1"),
];
const NEXT: &str = "next pages of a branch";
const SLUG: &str = "a product by its slug";

/// How often each is read after the first time, one after another.
const TIMES: usize = 300;

/// Reads each page of [`PAGES`] from the shop at `url` and prints how long that took.
///
/// # Errors
/// If the shop does not respond.
pub(super) async fn measure(url: &str) -> Result<(), Error> {
    let client = Client::builder().timeout(Duration::from_secs(30)).build()?;
    println!("Milliseconds of {TIMES} requests one after another.");
    println!("{:<30}{:>8}{:>9}{:>9}", "", "entries", "p50", "p99");
    for (name, path) in PAGES {
        let first = format!("{url}/{path}");
        let (_, page) = read(&client, &first).await?;
        let entries = page["items"].as_array().map_or(0, Vec::len);
        let mut address = match name {
            SLUG => format!(
                "{url}/products/{}",
                page["items"][0]["slug"].as_str().unwrap_or_default()
            ),
            _ => first.clone(),
        };
        let mut times = Vec::with_capacity(TIMES);
        for _ in 0..TIMES {
            let (time, page) = read(&client, &address).await?;
            times.push(micros(time));
            if name == NEXT {
                let cursor = page["next_cursor"].as_str();
                address = cursor.map_or(first.clone(), |cursor| format!("{first}&cursor={cursor}"));
            }
        }
        let [p50, p99] = [50, 99].map(|percent| percentile(times.clone(), percent).map(millis));
        println!(
            "{name:<30}{entries:>8}{:>9}{:>9}",
            p50.unwrap_or_default(),
            p99.unwrap_or_default()
        );
    }
    Ok(())
}

/// Returns what is at `address`, and how long that took.
async fn read(client: &Client, address: &str) -> Result<(Duration, Value), Error> {
    let begun = Instant::now();
    let response = client.get(address).send().await?.error_for_status()?;
    let body = response.bytes().await?;
    Ok((begun.elapsed(), serde_json::from_slice(&body)?))
}
