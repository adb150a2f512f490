//! The large demo: 100,000 products with stock in a tree of categories, which the shop imports like anybody's.

mod data;
pub(crate) mod documents;
mod goods;
mod texts;

use std::collections::BTreeMap;
use std::io::{BufWriter, Write};
use std::ops::Range;

use oxcart_core::values::money::Currency;
use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use crate::Error;
use crate::import::shop::Shop;

use data::{Category, LANGUAGES};
use goods::Assortment;

/// How many products the large demo has beside those of the small one.
pub(crate) const PRODUCTS: u32 = 100_000;

/// A collection, which is added last: a shop that has it has all of the large demo.
const COLLECTION: &str = "organic";

/// What rows of the large demo there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Rows {
    Products,
    Stock,
}

/// Loads the large demo, with this number of products, into the shop at `url`, which has the small one, unless it is
/// there already.
///
/// # Errors
/// If the shop refuses anything of it.
pub(crate) async fn load(url: &str, currency: Currency, products: u32) -> Result<(), Error> {
    let mut shop = Shop::of_the_demo(Client::builder().build()?, url.to_owned());
    shop.sign_in().await?;
    if is_there(&shop).await? {
        return Ok(());
    }
    for (position, category) in data::categories()?.iter().enumerate() {
        add_category(&shop, position, category).await?;
    }
    let files = tokio::task::spawn_blocking(move || -> Result<_, Error> {
        let file_of = |rows| file(rows, currency, products);
        Ok((file_of(Rows::Products)?, file_of(Rows::Stock)?))
    });
    let (products, stock) = files.await??;
    shop.import_with_stock(&products, &stock, false).await?;
    // The token may have expired meanwhile.
    shop.sign_in().await?;
    add_collection(&shop).await
}

/// Returns whether an earlier run has loaded all of it.
async fn is_there(shop: &Shop) -> Result<bool, Error> {
    let get = shop.client.get(address(shop, "collections", COLLECTION));
    let response = get.bearer_auth(&shop.token).send().await?;
    match response.status() {
        StatusCode::NOT_FOUND => Ok(false),
        _ => Ok(response.error_for_status().map(|_| true)?),
    }
}

/// Adds the category, unless it is there: a shop may have named and placed it as it likes.
async fn add_category(shop: &Shop, position: usize, category: &Category) -> Result<(), Error> {
    let body = json!({
        "name": category.en,
        "translations": translations(&category.de, &category.zh),
        "parent": category.parent,
        "position": position,
    });
    let put = shop.client.put(address(shop, "categories", &category.id));
    put_new(shop, put, &body).await
}

/// Adds the collection.
async fn add_collection(shop: &Shop) -> Result<(), Error> {
    let body = json!({
        "name": "Organic",
        "translations": translations("Bio", "有机"),
        "rule": "\"organic=yes\" in product.attributes",
        "sort": "name",
    });
    let put = shop.client.put(address(shop, "collections", COLLECTION));
    put_new(shop, put, &body).await
}

/// Sends what is to be created, and leaves it as it is if it is there.
async fn put_new(shop: &Shop, put: RequestBuilder, body: &Value) -> Result<(), Error> {
    let put = put.bearer_auth(&shop.token).json(body);
    let response = put.send().await?;
    let (status, path) = (response.status(), response.url().path().to_owned());
    if status.is_success() || status == StatusCode::PRECONDITION_REQUIRED {
        return Ok(());
    }
    Err(format!("{path}: {status} {}", response.text().await?).into())
}

fn address(shop: &Shop, list: &str, id: &str) -> String {
    format!("{}/{list}/{id}", shop.url)
}

fn translations(de: &str, zh: &str) -> Value {
    let names = [de, zh].map(|name| json!({"name": name}));
    let [_, others @ ..] = LANGUAGES;
    let names: BTreeMap<&str, Value> = others.into_iter().zip(names).collect();
    json!(names)
}

/// Writes a file of the rows of this number of products.
fn file(rows: Rows, currency: Currency, products: u32) -> Result<NamedTempFile, Error> {
    let file = NamedTempFile::new()?;
    let mut output = BufWriter::new(file.as_file());
    write(rows, currency, 0..products, &mut output)?;
    output.flush()?;
    drop(output);
    Ok(file)
}

/// Writes the rows of the products with these `numbers`, with prices in `currency`, one at a time.
///
/// # Errors
/// If they cannot be written.
pub(crate) fn write(
    rows: Rows,
    currency: Currency,
    numbers: Range<u32>,
    output: &mut impl Write,
) -> Result<(), Error> {
    let assortment = Assortment::new(currency)?;
    for number in numbers {
        let product = assortment.product(number)?;
        match rows {
            Rows::Products => writeln!(output, "{}", serde_json::to_string(&product)?)?,
            Rows::Stock => {
                for variant in product.sold.variants() {
                    let row = json!({"sku": variant.sku, "on_hand": variant.on_hand});
                    writeln!(output, "{row}")?;
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
