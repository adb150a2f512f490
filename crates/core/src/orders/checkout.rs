//! `POST /orders`: places an order.
//!
//! The order's identifier is derived from the customer and the `Idempotency-Key`, and the order is stored only if
//! there is none with that identifier. So a repeated request places one order, whatever crashes in between.

use std::time::Duration;

use futures::future;
use http::StatusCode;
use serde::Serialize;

use super::api::{self, OrderBody};
use super::executions::OrderWorkflow;
use super::gift_cards::payment;
use super::gift_cards::store::GiftCardStore;
use super::lines;
use super::model::{Order, Status};
use super::quotes;
use super::redemptions::Redemption;
use super::rules::{self, Placement};
use super::shortage::Available;
use super::store::{Created, OrderStore};
use super::totals::{Offer, Prices, PricingRequest, Totals};
use crate::aws::Aws;
use crate::aws::dynamo::{self, Attempt, StoreError};
use crate::aws::settings::{Setting, SettingError};
use crate::catalog::model::Product;
use crate::customers::link::Links;
use crate::http::address;
use crate::http::exchange::{Request, Response};
use crate::http::problem::Problem;
use crate::pricing::model::Refusal;
use crate::values::clock::Time;
use crate::values::id::OrderId;

use draft::{Buyer, Draft};
use outcome::outcome;

pub(super) mod draft;
mod outcome;

/// After this time a repeated request starts an order's first run again, if the order shows no sign of it.
const START_LOST: Duration = Duration::from_secs(1);

/// What placing an order needs.
#[derive(Clone, Debug)]
pub struct Checkout {
    orders: OrderStore,
    gift_cards: GiftCardStore,
    totals: Totals,
    links: Links,
    workflow: OrderWorkflow,
    deadline: Duration,
}

impl Checkout {
    /// Reads the settings.
    ///
    /// # Errors
    /// Returns [`SettingError`] if a setting is missing or not valid.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        let deadline_seconds = aws.settings().read(Setting::OrderDeadlineSeconds)?;
        Ok(Self {
            orders: OrderStore::new(aws)?,
            gift_cards: GiftCardStore::new(aws)?,
            totals: Totals::new(aws)?,
            links: Links::new(aws)?,
            workflow: OrderWorkflow::new(aws)?,
            deadline: Duration::from_secs(deadline_seconds),
        })
    }
}

/// An order that this request or an earlier one has placed.
#[derive(Debug)]
pub(super) struct Placed {
    pub(super) order: Order,
    replayed: bool,
}

/// `POST /orders`: places an order. The response is 202 with the pending order; or 201 with the decided order, if it is
/// decided within the seconds of `Prefer: wait=`. The same request again returns the same order.
///
/// # Errors
/// Returns a problem with all faults of the body, and for a key that is missing or was used with another body; and
/// [`Problem::OutOfStock`].
pub async fn place_order(checkout: &Checkout, request: Request) -> Result<Response, Problem> {
    let caller = request.caller()?;
    let customer_id = caller.customer_id;
    let key = key(&request)?;
    let buyer = Buyer {
        order_id: OrderId::derived(&["place-order", &customer_id.to_string(), key]),
        customer_id,
        group: caller.group,
        locale: caller.locale,
        guest: None,
    };
    let draft = request.json(draft::read)?;
    let placed = Box::pin(place(checkout, &request, buyer, draft)).await?;
    let location = format!("/orders/{}", placed.order.id);
    respond(&request, placed, location, OrderBody::try_from)
}

/// Returns the `Idempotency-Key`, which placing an order requires.
pub(super) fn key(request: &Request) -> Result<&str, Problem> {
    let key = request.idempotency_key()?;
    key.ok_or(Problem::IdempotencyKeyRequired)
}

/// Places the order of `draft`, or finds it placed already, and waits for its outcome as long as the request prefers.
pub(super) async fn place(
    checkout: &Checkout,
    request: &Request,
    buyer: Buyer,
    draft: Draft,
) -> Result<Placed, Problem> {
    let id = buyer.order_id;
    let hash = request.body_hash();
    let wanted = draft.wanted(&buyer, request.now);
    let (stored, products, seen, source, number) = future::try_join5(
        checkout.orders.get(id),
        lines::products(&checkout.totals.products, &wanted.items),
        checkout.totals.stock.glance(&wanted.items),
        source(checkout, &draft, &wanted),
        checkout.orders.free_number(id),
    )
    .await?;
    if let Some(order) = stored {
        return replay(checkout, request, &hash, order).await;
    }
    check_address(&draft, &products, request.now)?;
    dynamo::change("the use of the discounts", || async {
        let offer = offer(checkout, &draft, &wanted, &buyer, &products, &source).await?;
        let gift_cards = match available(checkout, &draft, &wanted, &offer, &seen).await {
            Ok(redemptions) => redemptions,
            Err(problem) => {
                // The same request, at the same time, may have placed the order, which has what is missing.
                let order = checkout.orders.get(id).await?.ok_or(problem)?;
                let replayed = replay(checkout, request, &hash, order).await?;
                return Ok(Attempt::Done(replayed));
            }
        };
        let quote = offer.quote;
        let order = rules::place(Placement {
            id,
            number,
            customer_id: buyer.customer_id,
            guest: buyer.guest.clone(),
            lines: offer.lines,
            breakdown: offer.breakdown,
            uses: offer.uses,
            total: offer.total,
            shipping_address: draft.shipping_address.clone(),
            details: draft.details.clone(),
            is_shipped: products.iter().any(|product| product.shipped),
            gift_cards,
            payment_token: draft.payment.token.clone(),
            request_hash: hash.clone(),
            now: request.now,
            deadline: checkout.deadline,
            traceparent: request.traceparent(),
        });
        let from_cards = payment::writes(&checkout.gift_cards, &order)?;
        let created = checkout
            .orders
            .create_paid(&order, quote.as_ref(), from_cards)
            .await?;
        match (created, &source) {
            (Created::Done, _) => {
                api::start(&checkout.workflow, &order).await;
                placed(checkout, request, order, false)
                    .await
                    .map(Attempt::Done)
            }
            (Created::Exists, _) => {
                // The same request, at the same time, was quicker.
                let order = checkout.orders.get(id).await?;
                let order =
                    order.ok_or_else(|| Problem::internal("a refused order does not exist"))?;
                replay(checkout, request, &hash, order)
                    .await
                    .map(Attempt::Done)
            }
            (Created::QuoteUsed, _) => {
                let detail = "this quote has been used for another order; ask for a new one";
                Err(Problem::field("/quote", "used", detail))
            }
            (Created::UsedUp, PriceSource::Quote(_)) => {
                let refusal = Refusal::UsedUp;
                Err(Problem::field(
                    "/quote",
                    refusal.code(),
                    refusal.to_string(),
                ))
            }
            // Another order took the last use of a discount, or from the same gift card: it is worked out again.
            (Created::UsedUp, PriceSource::Prices(_)) | (Created::CardChanged, _) => {
                Ok(Attempt::Overtaken)
            }
        }
    })
    .await
}

/// Returns what the order takes from the gift cards that it names.
///
/// # Errors
/// Returns [`Problem::OutOfStock`] if there is too little of what it is for, compared with what was `seen`, and a problem if
/// a gift card does not pay.
async fn available(
    checkout: &Checkout,
    draft: &Draft,
    wanted: &PricingRequest,
    offer: &Offer,
    seen: &Available,
) -> Result<Vec<Redemption>, Problem> {
    let stock = &checkout.totals.stock;
    let short = stock.shortage(&wanted.items, &offer.lines, seen).await?;
    if !short.is_empty() {
        return Err(Problem::OutOfStock(short));
    }
    let (cards, payment) = (&checkout.gift_cards, &draft.payment);
    payment::plan(cards, payment, offer.total, wanted.customer, wanted.now).await
}

/// Checks that the address has all that a parcel needs, if any of the `products` are shipped.
///
/// # Errors
/// Returns [`Problem::InvalidBody`] with each part that is missing, and with the faults of the lines.
fn check_address(draft: &Draft, products: &[Product], now: Time) -> Result<(), Problem> {
    let mut faults = address::missing(&draft.shipping_address, "/shipping_address");
    let is_shipped = products.iter().any(|product| product.shipped);
    if !is_shipped || faults.is_empty() {
        return Ok(());
    }
    let lines = lines::price(&draft.items, products, None, now);
    faults.extend(lines.err().unwrap_or_default());
    Err(Problem::InvalidBody(faults))
}

/// What an order is priced by.
enum PriceSource {
    Quote(String),
    Prices(Box<Prices>),
}

async fn source(
    checkout: &Checkout,
    draft: &Draft,
    wanted: &PricingRequest,
) -> Result<PriceSource, StoreError> {
    Ok(match &draft.quote {
        Some(quote) => PriceSource::Quote(quote.clone()),
        None => PriceSource::Prices(Box::new(checkout.totals.prices(wanted).await?)),
    })
}

/// Returns what the order costs: by its quote, or by today's prices.
async fn offer(
    checkout: &Checkout,
    draft: &Draft,
    wanted: &PricingRequest,
    buyer: &Buyer,
    products: &[Product],
    source: &PriceSource,
) -> Result<Offer, Problem> {
    let offer = match source {
        PriceSource::Quote(quote) => {
            // A quote does not sell what is no longer for sale.
            let lines = wanted.lines(products)?;
            let guest = buyer.guest.as_ref().map(|guest| &guest.email);
            quotes::honour(&checkout.links, quote, wanted, guest, &lines).await?
        }
        PriceSource::Prices(prices) => checkout.totals.price(wanted, products, prices).await?,
    };
    if let Some(expected) = draft.expected_total
        && expected != offer.total
    {
        return Err(Problem::PriceChanged {
            total_amount: offer.total,
        });
    }
    // The workflow would refuse it, too, but only after the response.
    match checkout.totals.shortfall(&offer)? {
        Some(shortfall) => {
            let detail = shortfall.to_string();
            Err(Problem::field("/items", "below_minimum", detail))
        }
        None => Ok(offer),
    }
}

/// Returns the order that an earlier request with the same key has placed.
async fn replay(
    checkout: &Checkout,
    request: &Request,
    hash: &str,
    order: Order,
) -> Result<Placed, Problem> {
    if order.request_hash != hash {
        return Err(Problem::IdempotencyKeyReused);
    }
    let unmoved = order.status == Status::Pending && order.run == 0;
    if unmoved && request.now >= order.created_at.plus(START_LOST) {
        // The request that placed it may have died before it started the run. A second start does no harm.
        api::start(&checkout.workflow, &order).await;
    }
    placed(checkout, request, order, true).await
}

async fn placed(
    checkout: &Checkout,
    request: &Request,
    order: Order,
    replayed: bool,
) -> Result<Placed, Problem> {
    let patience = Duration::from_secs(request.wait_seconds());
    let order = outcome(&checkout.orders, order, patience).await?;
    Ok(Placed { order, replayed })
}

/// Returns the response with the order as `body` shows it, at `location`.
pub(super) fn respond<B: Serialize>(
    request: &Request,
    placed: Placed,
    location: String,
    body: impl FnOnce(Order) -> Result<B, Problem>,
) -> Result<Response, Problem> {
    let Placed { order, replayed } = placed;
    let status = match order.status {
        Status::Pending => StatusCode::ACCEPTED,
        Status::Confirmed
        | Status::Processing
        | Status::Shipped
        | Status::Delivered
        | Status::Completed
        | Status::Returned
        | Status::Cancelled
        | Status::Failed => StatusCode::CREATED,
    };
    let tag = order.tag();
    let response = Response::json(status, &body(order)?)?
        .header("Location", location)
        .etag(&tag)
        .replayed(replayed);
    let wait_seconds = request.wait_seconds();
    Ok(if wait_seconds > 0 {
        response.header("Preference-Applied", format!("wait={wait_seconds}"))
    } else {
        response
    })
}

#[cfg(test)]
mod tests;
