//! What is there before the first order: products with stock, customers, discounts, taxes.

use std::sync::Arc;
use std::time::Duration;

use futures::stream::{self, StreamExt, TryStreamExt};
use oxcart_core::aws::Aws;
use oxcart_core::customers::model::PasswordHash;
use oxcart_core::customers::password;
use oxcart_core::customers::rules::{self, Registration};
use oxcart_core::customers::store::CustomerStore;
use oxcart_core::values::clock::Time;
use oxcart_core::values::id::CustomerId;
use oxcart_core::values::locale::Locale;
use serde_json::{Value, json};

use super::ledger::{Customer, Ledger, Product};
use super::lists;
use super::plan::{Code, Plan, Sizes, first_variant};
use super::progress::Progress;
use super::request::{Request, Who};
use super::shop::Shop;
use super::world;
use crate::{Error, admin};

/// The password of all customers.
pub(super) const PASSWORD: &str = "a password for the whole year";

/// After so many products or customers the streams and queues are emptied.
const BATCH: usize = 500;

/// How far the clock moves between two batches.
const BETWEEN_BATCHES: Duration = Duration::from_mins(5);

/// The number of categories with products.
pub(super) const CATEGORIES: usize = 20;

/// The category that all others are part of.
pub(super) const ALL: &str = "all";

/// Returns the category with this number, from 0.
pub(super) fn category(number: usize) -> String {
    format!("category-{number}")
}

/// Fills the shop.
///
/// # Errors
/// If the shop refuses anything of it.
pub(super) async fn seed(
    shop: &Shop,
    plan: &mut Plan,
    sizes: Sizes,
    at_once: usize,
) -> Result<Ledger, Error> {
    let mut ledger = Ledger::default();
    add_categories(shop).await?;
    let mut progress = Progress::new("products", sizes.products);
    for first in (0..sizes.products).step_by(BATCH) {
        let numbers = first..sizes.products.min(first + BATCH);
        let wanted: Vec<NewProduct> = numbers
            .map(|number| NewProduct {
                number,
                price: plan.price(),
                on_hand: plan.on_hand(number),
            })
            .collect();
        let of_one = |one: &NewProduct, other: &NewProduct| {
            let first = |new: &NewProduct| first_variant(new.number, sizes.products);
            first(one).is_some() && first(one) == first(other)
        };
        let products: Vec<Vec<Product>> = stream::iter(wanted.chunk_by(of_one))
            .map(|variants| add_product(shop, variants))
            .buffered(at_once)
            .try_collect()
            .await?;
        ledger.products.extend(products.into_iter().flatten());
        end_batch(shop).await?;
        progress.show(ledger.products.len());
    }
    let mut progress = Progress::new("customers", sizes.customers);
    let (customers, hash) = (customer_store(shop)?, Arc::new(password::hash(PASSWORD)?));
    for first in (0..sizes.customers).step_by(BATCH) {
        let numbers = first..sizes.customers.min(first + BATCH);
        let added: Vec<Customer> = stream::iter(numbers)
            .map(|number| add_customer(&customers, &hash, number, now(shop)))
            .buffered(at_once)
            .try_collect()
            .await?;
        ledger.customers.extend(added);
        end_batch(shop).await?;
        progress.show(ledger.customers.len());
    }
    add_collection(shop).await?;
    lists::add(shop, &ledger.products, at_once).await?;
    add_discounts(shop, sizes).await?;
    add_taxes(shop).await?;
    Ok(ledger)
}

/// Adds the tree of categories.
async fn add_categories(shop: &Shop) -> Result<(), Error> {
    let below = (0..CATEGORIES).map(|number| (category(number), Some(ALL)));
    for (category, parent) in [(ALL.to_owned(), None)].into_iter().chain(below) {
        let put = Request::new("put-category", "PUT", "/categories/{category}")
            .by(Who::Admin)
            .parameter("category", &category)
            .json(json!({"name": category, "parent": parent}));
        shop.send(&put).await?.expect(&[201])?;
    }
    Ok(())
}

/// The collection of the products that cost less than [`CHEAP`].
pub(super) const COLLECTION: &str = "cheap";

/// A price in the smallest units of a currency with two decimals, near which many products change theirs.
pub(super) const CHEAP: u64 = 10_000;

/// Adds the collection.
async fn add_collection(shop: &Shop) -> Result<(), Error> {
    let most = shop.amount(CHEAP)?;
    let rule = format!("product.price < money({})", most["amount"]);
    let put = Request::new("put-collection", "PUT", "/collections/{collection}")
        .by(Who::Admin)
        .parameter("collection", COLLECTION)
        .json(json!({"name": "Cheap", "rule": rule, "sort": "price"}));
    shop.send(&put).await?.expect(&[201])?;
    Ok(())
}

/// What is to be sold, and how many are put on hand.
struct NewProduct {
    number: usize,
    price: u64,
    on_hand: u64,
}

/// Waits for what the batch has set off, and moves the clock on.
async fn end_batch(shop: &Shop) -> Result<(), Error> {
    shop.settle([]).await?;
    let _ = shop.clock.advance(BETWEEN_BATCHES);
    Ok(())
}

/// The current time in the shop, as the core has it.
fn now(shop: &Shop) -> Time {
    Time::from_millis(shop.clock.now().as_millisecond())
}

/// Adds the product of `new`, which are one, or the variants of one, with the functions of the routes, and puts the stock
/// in.
async fn add_product(shop: &Shop, new: &[NewProduct]) -> Result<Vec<Product>, Error> {
    let number = new.first().map_or(0, |new| new.number);
    let mut product = json!({
        "name": format!("Product {number}"),
        "description": "One of many.",
        "category": category(number % CATEGORIES),
    });
    if let [only] = new {
        product["price"] = shop.amount(only.price)?;
    } else {
        let sizes = new.iter().map(|new| format!("size {}", new.number));
        product["options"] = json!([{"name": "size", "values": sizes.collect::<Vec<_>>()}]);
        let variants = new.iter().map(|new| {
            let options = json!({"size": format!("size {}", new.number)});
            let price = shop.amount(new.price)?;
            Ok(json!({"options": options, "price": price, "sku": format!("P-{}", new.number)}))
        });
        product["variants"] = variants.collect::<Result<Value, Error>>()?;
    }
    let create = Request::new("create-product", "POST", "/products")
        .by(Who::Admin)
        .header("idempotency-key", format!("product-{number}"))
        .json(product);
    let body = shop.send(&create).await?.expect(&[200, 201])?;
    let product_id = text(&body, "id")?;
    let ids = body["variants"].as_array().into_iter().flatten();
    let ids: Vec<String> = ids
        .map(|variant| text(variant, "id"))
        .collect::<Result<_, _>>()?;
    let is_plain = new.len() == 1;
    let mut products = Vec::with_capacity(new.len());
    for (new, id) in new.iter().zip(&ids) {
        set_stock(shop, id, new.on_hand).await?;
        products.push(Product {
            id: id.clone(),
            parent: product_id.clone(),
            variants: if is_plain { Vec::new() } else { ids.clone() },
            price: new.price,
            first_price: new.price,
            on_hand: new.on_hand,
        });
    }
    Ok(products)
}

/// Sets what is on hand of a product, whatever it was before.
///
/// # Errors
/// If the shop refuses it.
pub(super) async fn set_stock(shop: &Shop, product: &str, on_hand: u64) -> Result<(), Error> {
    let set = Request::new("set-stock", "PUT", "/inventory/{variant_id}")
        .by(Who::Admin)
        .parameter("variant_id", product)
        .header("if-match", "*")
        .json(json!({"on_hand": on_hand}));
    shop.send(&set).await?.expect(&[200, 201])?;
    Ok(())
}

/// The store of accounts. Opening 20,000 of them over the route would take 20,000 slow password hashes, so they are
/// stored with one hash by the same rules and the same store.
fn customer_store(shop: &Shop) -> Result<CustomerStore, Error> {
    let functions = shop.runner.functions();
    let environment = functions
        .find("register-customer")
        .and_then(|id| functions.environment(id))
        .ok_or("the template has no function register-customer")?;
    let aws: Aws = admin::local(&environment)?;
    Ok(CustomerStore::new(&aws)?)
}

async fn add_customer(
    customers: &CustomerStore,
    hash: &PasswordHash,
    number: usize,
    now: Time,
) -> Result<Customer, Error> {
    let registration = Registration {
        email: format!("customer-{number}@example.com").parse()?,
        password: PASSWORD.to_owned(),
        name: format!("Customer {number}"),
        locale: Locale::default(),
    };
    let id = CustomerId::derived(&["year", &number.to_string()]);
    let (account, stamp) = rules::register(&registration, id, hash.clone(), None, now);
    customers.create(account, stamp).await?;
    Ok(Customer {
        id: id.to_string(),
        deleted: false,
    })
}

/// Adds the discounts of the codes.
async fn add_discounts(shop: &Shop, sizes: Sizes) -> Result<(), Error> {
    for (code, rate, limit) in [
        (Code::Spring, "0.1", None),
        (Code::Limited, "0.15", Some(limited_uses(sizes))),
    ] {
        let mut body = json!({
            "name": code.as_str(),
            "code": code.as_str(),
            "benefit": {"type": "percentage", "rate": rate},
        });
        if let Some(limit) = limit {
            body["usage_limit"] = limit.into();
        }
        let create = Request::new("create-discount", "POST", "/discounts")
            .by(Who::Admin)
            .json(body);
        shop.send(&create).await?.expect(&[201])?;
    }
    Ok(())
}

/// Says what tax is due in which country.
async fn add_taxes(shop: &Shop) -> Result<(), Error> {
    let replace = Request::new("replace-tax-rates", "PUT", "/tax-rates")
        .by(Who::Admin)
        .header("if-match", "*")
        .json(world::tax_settings());
    shop.send(&replace).await?.expect(&[200])?;
    Ok(())
}

/// How often the limited code can be used: about half as often as somebody tries.
pub(super) fn limited_uses(sizes: Sizes) -> u64 {
    (sizes.orders as u64 / 100).max(1)
}

/// Returns the text of a field.
///
/// # Errors
/// If there is none.
pub(super) fn text(body: &Value, field: &str) -> Result<String, Error> {
    let text = body[field].as_str();
    Ok(text
        .ok_or_else(|| format!("{field} is missing in {body}"))?
        .to_owned())
}
