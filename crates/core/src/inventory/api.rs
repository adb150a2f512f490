//! The HTTP routes of stock: `/inventory/{variant_id}`.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::aws::dynamo::{self, Attempt, Written};
use crate::http::body::Body;
use crate::http::exchange::{IfMatch, Request, Response};
use crate::http::problem::Problem;
use crate::stock::model::Stock;
use crate::values::id::VariantId;

use super::model::StockError;
use super::rules::{self, Adjustment, Level};
use super::store::InventoryStore;

/// The largest `on_hand` of a variant.
const MOST_ON_HAND: u32 = 1_000_000_000;

/// The largest `backorder` of a variant.
const MOST_ON_BACKORDER: u32 = 1_000_000_000;

/// The stock of a variant in a response.
#[derive(Debug, Serialize)]
struct StockBody {
    variant_id: VariantId,
    /// The same identifier: earlier releases knew only products.
    product_id: VariantId,
    #[serde(flatten)]
    total: Amounts,
    locations: Vec<LocationBody>,
}

#[derive(Debug, Serialize)]
struct LocationBody {
    location: String,
    #[serde(flatten)]
    amounts: Amounts,
}

#[derive(Debug, Default, Serialize)]
struct Amounts {
    on_hand: u64,
    backorder: u64,
    reserved: u64,
    available: u64,
}

impl Amounts {
    fn add(&mut self, stock: &Stock) {
        self.on_hand += stock.on_hand();
        self.backorder += stock.backorder;
        self.reserved += stock.reserved;
        self.available += stock.available;
    }
}

impl StockBody {
    /// Adds up the shards of each location: clients do not see shards.
    fn new(variant_id: VariantId, stocks: &[Stock]) -> Self {
        let mut total = Amounts::default();
        let mut locations: BTreeMap<&str, Amounts> = BTreeMap::new();
        for stock in stocks {
            total.add(stock);
            locations
                .entry(&stock.place.location)
                .or_default()
                .add(stock);
        }
        let locations = locations
            .into_iter()
            .map(|(location, amounts)| LocationBody {
                location: location.to_owned(),
                amounts,
            });
        Self {
            variant_id,
            product_id: variant_id,
            total,
            locations: locations.collect(),
        }
    }
}

/// Returns the stock of a variant: `GET /inventory/{variant_id}`.
///
/// # Errors
/// If the caller is not an admin, or the variant has no stock item, not even one of zero.
pub async fn get_stock(inventory: &InventoryStore, request: Request) -> Result<Response, Problem> {
    request.admin()?;
    let variant_id = request.id("variant_id", "stock")?;
    respond(variant_id, &inventory.stocks(variant_id).await?)
}

/// Sets what is on hand of a variant, and how many of it may be sold before they are: `PUT /inventory/{variant_id}` with
/// `{"on_hand":10,"backorder":5}`. Without `backorder`, that stays as it is. Returns the stock. `If-Match: *` sets it regardless of what it was, and creates it if there is none.
///
/// # Errors
/// If the caller is not an admin, the input is not valid, `If-Match` is missing or stale, or more is reserved than
/// could be sold.
pub async fn set_stock(inventory: &InventoryStore, request: Request) -> Result<Response, Problem> {
    request.admin()?;
    let variant_id = request.id("variant_id", "stock")?;
    let expected = request.if_match()?;
    let level = request.json(level)?;
    let stocks = dynamo::change("the stock", || async {
        let stocks = inventory.stocks(variant_id).await?;
        let decided = rules::set_level(variant_id, &stocks, level, &expected, request.now)?;
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
        let stored = inventory.stocks(variant_id).await?;
        let set_to = |stock: &Stock| (stock.event.clone(), stock.on_hand(), stock.backorder);
        let is_ours = |stored: &Stock| set_to(stored) == set_to(&stock);
        if written == Written::Done || stored.iter().any(is_ours) {
            return Ok(Attempt::Done(stored));
        }
        match expected {
            IfMatch::Any => Ok(Attempt::Overtaken),
            IfMatch::Tags(_) => Err(StockError::Stale),
        }
    })
    .await?;
    respond(variant_id, &stocks)
}

/// Reads what stock is set to.
pub(super) fn level(body: &mut Body<'_>) -> Option<Level> {
    let on_hand = body.required("on_hand", |json| json.integer(0..=MOST_ON_HAND));
    let backorder = body.optional("backorder", |json| json.integer(0..=MOST_ON_BACKORDER));
    Some(Level {
        on_hand: on_hand?.into(),
        backorder: backorder?.map(u64::from),
    })
}

fn respond(variant_id: VariantId, stocks: &[Stock]) -> Result<Response, Problem> {
    if stocks.is_empty() {
        return Err(StockError::NotFound.into());
    }
    Ok(Response::ok(&StockBody::new(variant_id, stocks))?.etag(&rules::stock_tag(stocks)))
}
