//! `/inventory/{product_id}`.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::aws::dynamo::{self, Attempt, Written};
use crate::http::exchange::{IfMatch, Request, Response};
use crate::http::problem::Problem;
use crate::values::id::ProductId;

use super::model::{Stock, StockError};
use super::rules::{self, Adjustment};
use super::store::InventoryStore;

/// The most of a product that can be on hand.
const MOST_ON_HAND: u32 = 1_000_000_000;

/// The stock of a product on the wire.
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
    /// Shards are added up; they are nobody's business outside.
    fn new(product_id: ProductId, stocks: &[Stock]) -> Self {
        let mut locations: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
        for stock in stocks {
            let (reserved, available) = locations.entry(&stock.place.location).or_default();
            *reserved += stock.reserved;
            *available += stock.available;
        }
        let available = stocks.iter().map(|stock| stock.available).sum();
        let reserved = rules::reserved(stocks);
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

/// `GET /inventory/{product_id}`.
///
/// # Errors
/// For whoever is no admin, and if there is no stock of the product, not even zero.
pub async fn get_stock(inventory: &InventoryStore, request: Request) -> Result<Response, Problem> {
    request.admin()?;
    let product_id = request.id("product_id", "stock")?;
    answer(product_id, &inventory.stocks(product_id).await?)
}

/// `PUT /inventory/{product_id}` with `{"on_hand":10}`: 200 with the stock. `If-Match: *` sets it
/// whatever it was, and makes it where there was none.
///
/// # Errors
/// For whoever is no admin, for bad input, without `If-Match` or with a stale one, and if more is
/// reserved.
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
        let (mut stock, first) = match decided {
            Adjustment::None => return Ok(Attempt::Done(stocks)),
            Adjustment::First(stock) => (stock, true),
            Adjustment::Next(stock) => (stock, false),
        };
        stock.event.traceparent = request.traceparent();
        let exactly = match expected {
            IfMatch::Any => None,
            IfMatch::Tags(_) => Some(stock.reserved),
        };
        let written = if first {
            inventory.create(&stock).await?
        } else {
            inventory.set(&stock, exactly).await?
        };
        // Read again: what is reserved may have changed meanwhile, and a refused write may be this
        // very one, whose response was lost.
        let stored = inventory.stocks(product_id).await?;
        let ours =
            |stored: &Stock| stored.event == stock.event && stored.on_hand() == stock.on_hand();
        if written == Written::Done || stored.iter().any(ours) {
            return Ok(Attempt::Done(stored));
        }
        match expected {
            IfMatch::Any => Ok(Attempt::Overtaken),
            IfMatch::Tags(_) => Err(StockError::Stale),
        }
    })
    .await?;
    answer(product_id, &stocks)
}

fn answer(product_id: ProductId, stocks: &[Stock]) -> Result<Response, Problem> {
    if stocks.is_empty() {
        return Err(StockError::NotFound.into());
    }
    Ok(Response::ok(&StockBody::new(product_id, stocks))?.etag(&rules::tag(stocks)))
}
