//! The HTTP routes of stock: `/inventory/{product_id}`.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::aws::dynamo::{self, Attempt, Written};
use crate::http::exchange::{IfMatch, Request, Response};
use crate::http::problem::Problem;
use crate::stock::model::Stock;
use crate::values::id::ProductId;

use super::model::StockError;
use super::rules::{self, Adjustment};
use super::store::InventoryStore;

/// The largest `on_hand` of a product.
const MOST_ON_HAND: u32 = 1_000_000_000;

/// The stock of a product in a response.
#[derive(Debug, Serialize)]
struct StockBody {
    product_id: ProductId,
    on_hand: u64,
    reserved: u64,
    available: u64,
    locations: Vec<LocationBody>,
}

#[derive(Debug, Serialize)]
struct LocationBody {
    location: String,
    on_hand: u64,
    reserved: u64,
    available: u64,
}

impl StockBody {
    /// Adds up the shards of each location: clients do not see shards.
    fn new(product_id: ProductId, stocks: &[Stock]) -> Self {
        let mut locations: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
        for stock in stocks {
            let (reserved, available) = locations.entry(&stock.place.location).or_default();
            *reserved += stock.reserved;
            *available += stock.available;
        }
        let available = stocks.iter().map(|stock| stock.available).sum();
        let reserved = rules::total_reserved(stocks);
        let locations = locations
            .into_iter()
            .map(|(location, (reserved, available))| LocationBody {
                location: location.to_owned(),
                on_hand: reserved + available,
                reserved,
                available,
            });
        Self {
            product_id,
            on_hand: reserved + available,
            reserved,
            available,
            locations: locations.collect(),
        }
    }
}

/// Returns the stock of a product: `GET /inventory/{product_id}`.
///
/// # Errors
/// If the caller is not an admin, or the product has no stock item, not even one of zero.
pub async fn get_stock(inventory: &InventoryStore, request: Request) -> Result<Response, Problem> {
    request.admin()?;
    let product_id = request.id("product_id", "stock")?;
    respond(product_id, &inventory.stocks(product_id).await?)
}

/// Sets what is on hand of a product: `PUT /inventory/{product_id}` with `{"on_hand":10}`. Returns the stock.
/// `If-Match: *` sets it regardless of what it was, and creates it if there is none.
///
/// # Errors
/// If the caller is not an admin, the input is not valid, `If-Match` is missing or stale, or more is reserved than
/// would be on hand.
pub async fn set_stock(inventory: &InventoryStore, request: Request) -> Result<Response, Problem> {
    request.admin()?;
    let product_id = request.id("product_id", "stock")?;
    let expected = request.if_match()?;
    let on_hand =
        request.json(|body| body.required("on_hand", |json| json.integer(0..=MOST_ON_HAND)))?;
    let stocks = dynamo::change("the stock", || async {
        let stocks = inventory.stocks(product_id).await?;
        let decided =
            rules::set_on_hand(product_id, &stocks, on_hand.into(), &expected, request.now)?;
        let (mut stock, is_new) = match decided {
            Adjustment::Unchanged => return Ok(Attempt::Done(stocks)),
            Adjustment::Create(stock) => (stock, true),
            Adjustment::Update(stock) => (stock, false),
        };
        stock.event.traceparent = request.traceparent();
        let exactly = match expected {
            IfMatch::Any => None,
            IfMatch::Tags(_) => Some(stock.reserved),
        };
        let written = if is_new {
            inventory.create_stock(&stock).await?
        } else {
            inventory.update_stock(&stock, exactly).await?
        };
        // Read again, because what is reserved may have changed meanwhile, and a write may be refused because it
        // was made already and its response was lost.
        let stored = inventory.stocks(product_id).await?;
        let is_ours =
            |stored: &Stock| stored.event == stock.event && stored.on_hand() == stock.on_hand();
        if written == Written::Done || stored.iter().any(is_ours) {
            return Ok(Attempt::Done(stored));
        }
        match expected {
            IfMatch::Any => Ok(Attempt::Overtaken),
            IfMatch::Tags(_) => Err(StockError::Stale),
        }
    })
    .await?;
    respond(product_id, &stocks)
}

fn respond(product_id: ProductId, stocks: &[Stock]) -> Result<Response, Problem> {
    if stocks.is_empty() {
        return Err(StockError::NotFound.into());
    }
    Ok(Response::ok(&StockBody::new(product_id, stocks))?.etag(&rules::stock_tag(stocks)))
}
