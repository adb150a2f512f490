//! `POST /orders`: places an order.
//!
//! The order's identifier is derived from the customer and the `Idempotency-Key`, and the order is stored only if
//! there is none with that identifier. So a repeated request places one order, whatever crashes in between.

use std::time::Duration;

use futures::future;
use http::StatusCode;
use serde::Serialize;
use tokio::time::Instant;

use super::api::{self, OrderBody};
use super::details::{self, Details};
use super::executions::OrderWorkflow;
use super::fields::{self, Codes};
use super::gift_cards::payment::{self, PaymentDraft};
use super::gift_cards::store::GiftCardStore;
use super::lines::{self, Item};
use super::model::{Guest, Order, PaymentStatus, Status};
use super::quotes;
use super::redemptions::Redemption;
use super::rules::{self, Placement};
use super::store::{Created, OrderStore};
use super::totals::{Offer, Prices, PricingRequest, Totals};
use crate::aws::Aws;
use crate::aws::dynamo::{self, Attempt, StoreError};
use crate::aws::settings::{Setting, SettingError};
use crate::catalog::model::Product;
use crate::customers::link::Links;
use crate::http::address;
use crate::http::body::{Body, Json, currency};
use crate::http::exchange::{Request, Response};
use crate::http::problem::Problem;
use crate::pricing::model::Refusal;
use crate::pricing::tax::Destination;
use crate::values::address::Address;
use crate::values::clock::Time;
use crate::values::group::CustomerGroup;
use crate::values::id::{CustomerId, OrderId};
use crate::values::locale::Locale;
use crate::values::money::{Currency, Money};
use crate::values::tax_number::TaxNumber;

/// The first and the longest pause between two reads of an order whose outcome the client waits for.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// After this time a repeated request starts an order's first run again, if the order shows no sign of it.
const START_LOST: Duration = Duration::from_secs(1);

/// The length of the longest quote. A quote of fifty lines fits, with discounts and tax on each.
const QUOTE_CHARACTERS: usize = 40 * 1024;

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

impl Draft {
    /// Returns the tax number of the business that buys, in whichever address it stands, and where that is.
    fn tax_number(&self) -> (Option<TaxNumber>, &'static str) {
        let billing = self.details.billing_address.as_ref();
        let of_billing = billing.and_then(|address| address.tax_number.clone());
        match &self.shipping_address.tax_number {
            None if of_billing.is_some() => (of_billing, "/billing_address/tax_number"),
            of_shipping => (of_shipping.clone(), "/shipping_address/tax_number"),
        }
    }

    /// Returns the part of the draft that its price depends on.
    fn wanted(&self, buyer: &Buyer, now: Time) -> PricingRequest {
        // The business that pays may have the goods sent elsewhere.
        let (tax_number, tax_number_at) = self.tax_number();
        PricingRequest {
            items: self.items.clone(),
            currency: self.currency,
            destination: Destination {
                tax_number,
                ..Destination::from(&self.shipping_address)
            },
            tax_number_at,
            shipping_method: self.shipping_method.clone(),
            codes: self.codes.clone(),
            customer: buyer.guest.is_none().then_some(buyer.customer_id),
            group: buyer.group.clone(),
            locale: buyer.locale.clone(),
            guest: buyer.guest.as_ref().map(|guest| guest.email.clone()),
            now,
        }
    }
}

/// The body of a request to place an order.
#[derive(Debug)]
pub(super) struct Draft {
    items: Vec<Item>,
    currency: Option<Currency>,
    shipping_address: Address,
    details: Details,
    payment: PaymentDraft,
    shipping_method: Option<String>,
    codes: Codes,
    quote: Option<String>,
    expected_total: Option<Money>,
}

/// The customer or guest who places an order, and the order's identifier.
#[derive(Debug)]
pub(super) struct Buyer {
    pub(super) order_id: OrderId,
    pub(super) customer_id: CustomerId,
    /// The group whose prices the customer has.
    pub(super) group: Option<CustomerGroup>,
    /// The language that the buyer reads, if it is known.
    pub(super) locale: Option<Locale>,
    pub(super) guest: Option<Guest>,
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
    let draft = request.json(draft)?;
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
        let short = &checkout.totals.stock;
        let short = short.shortage(&wanted.items, &offer.lines, &seen).await?;
        if !short.is_empty() {
            // The same request, at the same time, may have placed the order, which holds what is missing.
            let order = checkout.orders.get(id).await?;
            let order = order.ok_or(Problem::OutOfStock(short))?;
            let replayed = replay(checkout, request, &hash, order).await?;
            return Ok(Attempt::Done(replayed));
        }
        let gift_cards = match redemptions(checkout, &draft, &buyer, offer.total, request.now).await
        {
            Ok(redemptions) => redemptions,
            Err(problem) => {
                // The same request, at the same time, may have placed the order, which took what is missing.
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
async fn redemptions(
    checkout: &Checkout,
    draft: &Draft,
    buyer: &Buyer,
    total: Money,
    now: Time,
) -> Result<Vec<Redemption>, Problem> {
    let customer = buyer.guest.is_none().then_some(buyer.customer_id);
    payment::plan(&checkout.gift_cards, &draft.payment, total, customer, now).await
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
    let order = outcome(checkout, order, patience).await?;
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

/// How long the workflow may take to report anything about an order. An invocation that waits takes a place that the
/// workflow's steps need, too, when the account has few: so nobody waits longer for an order that does not move.
const STALLED: Duration = Duration::from_secs(5);

/// Returns the order once it is no longer pending or waits for the shopper, or as it is when `patience` is over or its
/// workflow stalls. Waits are measured by the machine's own clock.
async fn outcome(checkout: &Checkout, order: Order, patience: Duration) -> Result<Order, Problem> {
    let began = Instant::now();
    let mut order = order;
    let mut pause = FIRST_PAUSE;
    while order.status == Status::Pending && !waits_for_shopper(&order) {
        let reported = order.payment_status != PaymentStatus::Pending;
        let end = began
            + if reported {
                patience
            } else {
                patience.min(STALLED)
            };
        if Instant::now() >= end {
            break;
        }
        tokio::time::sleep_until(end.min(Instant::now() + pause)).await;
        pause = LONGEST_PAUSE.min(pause * 3 / 2);
        let stored = checkout.orders.get(order.id).await?;
        order =
            stored.ok_or_else(|| Problem::internal("a stored order does not exist any more"))?;
    }
    Ok(order)
}

/// Returns whether nothing becomes of the pending order until its shopper confirms the payment, or pays with another token.
fn waits_for_shopper(order: &Order) -> bool {
    match order.payment_status {
        PaymentStatus::RequiresAction | PaymentStatus::Failed => true,
        PaymentStatus::Pending
        | PaymentStatus::Processing
        | PaymentStatus::Authorized
        | PaymentStatus::Completed
        | PaymentStatus::PartiallyRefunded
        | PaymentStatus::Refunded
        | PaymentStatus::Voided => false,
    }
}

/// Reads the body of a request to place an order.
pub(super) fn draft(body: &mut Body<'_>) -> Option<Draft> {
    let items = fields::items(body);
    let currency = body.optional("currency", currency);
    let shipping_address = body.required("shipping_address", |json| {
        json.object(address::read_as_known)
    });
    let details = details::read(body);
    let payment = body.required("payment", |json| json.object(payment::read));
    let shipping_method = body.optional("shipping_method", fields::shipping_method);
    let codes = fields::codes(body);
    let quote = body.optional("quote", |json| json.secret(1..=QUOTE_CHARACTERS));
    let expected_total = body.optional("expected_total", |json: Json<'_>| {
        json.money_in_any_currency()
    });
    let payment = payment?;
    Some(Draft {
        items: items?,
        currency: currency?,
        shipping_address: shipping_address?,
        details: Details {
            retryable: payment.retryable,
            ..details?
        },
        payment,
        shipping_method: shipping_method?,
        codes: codes?,
        quote: quote?,
        expected_total: expected_total?,
    })
}

#[cfg(test)]
mod tests;
