//! How an order is paid: what its request says, and what it takes from gift cards.

use super::api;
use super::code::GiftCardCode;
use super::model::{GiftCard, Refusal};
use super::rules::{self, NotRedeemed};
use super::store::GiftCardStore;
use crate::aws::dynamo::{StoreError, Write};
use crate::http::body::{Body, Json};
use crate::http::problem::{Fault, Problem};
use crate::orders::fields;
use crate::orders::model::Order;
use crate::orders::redemptions::{self, Redemption};
use crate::values::clock::Time;
use crate::values::id::CustomerId;
use crate::values::money::Money;

/// The most gift cards of an order.
const MOST_CARDS: usize = 5;

/// How an order is to be paid.
#[derive(Debug)]
pub struct PaymentDraft {
    /// The token that the gateway charges for what gift cards do not pay. It is only left out beside gift cards.
    pub token: Option<String>,
    /// Whether another token can be tried if that one is declined.
    pub retryable: bool,
    /// The codes of gift cards, which pay in this order.
    pub gift_cards: Vec<GiftCardCode>,
}

/// Reads the object `payment` of an order.
pub fn read(body: &mut Body<'_>) -> Option<PaymentDraft> {
    let has_cards = body.has("gift_card_codes");
    let gift_cards = body.optional("gift_card_codes", codes);
    let names_card = matches!(&gift_cards, Some(Some(codes)) if !codes.is_empty());
    let is_unread = has_cards && gift_cards.is_none();
    // Whether cards pay for everything is not known before the order has its price.
    let token = if names_card || is_unread {
        body.optional("token", fields::payment_token)
    } else {
        body.required("token", fields::payment_token).map(Some)
    };
    let retryable = body.non_nullable("retryable", |json: Json<'_>| json.boolean());
    Some(PaymentDraft {
        token: token?,
        retryable: retryable?.unwrap_or(false),
        gift_cards: gift_cards?.unwrap_or_default(),
    })
}

/// Reads the codes of gift cards, each of which may be there once.
pub(super) fn codes(json: Json<'_>) -> Option<Vec<GiftCardCode>> {
    let mut codes: Vec<GiftCardCode> = Vec::new();
    json.list(0..=MOST_CARDS, |json| {
        let place = json.clone();
        let code = api::code(json)?;
        if codes.contains(&code) {
            return place.fault("repeated", "an earlier code is the same");
        }
        codes.push(code.clone());
        Some(code)
    })
}

/// Returns what an order of `customer` (`None` for a guest) that costs `total` takes from the gift cards of `draft` at
/// `now`, as they are in a consistent read.
///
/// # Errors
/// [`Problem::InvalidBody`] with every card that does not pay, or for a token that is missing although cards do not pay for
/// everything.
pub async fn plan(
    cards: &GiftCardStore,
    draft: &PaymentDraft,
    total: Money,
    customer: Option<CustomerId>,
    now: Time,
) -> Result<Vec<Redemption>, Problem> {
    if draft.gift_cards.is_empty() {
        return Ok(Vec::new());
    }
    let found = cards.by_codes(&draft.gift_cards).await?;
    let redemptions = redeem(&found, total, customer, now)?;
    let due = redemptions::due(&redemptions, total).map_err(Problem::internal)?;
    if draft.token.is_none() && !due.is_zero() {
        let detail = format!("the gift cards leave {due} to pay: send a token for it");
        return Err(Problem::field("/payment/token", "required", detail));
    }
    Ok(redemptions)
}

/// Returns what an order of `customer` (`None` for a guest) that costs `total` takes at `now` from the cards that were `found`
/// by its codes.
///
/// # Errors
/// [`Problem::InvalidBody`] with every card that does not pay.
pub fn redeem(
    found: &[Option<GiftCard>],
    total: Money,
    customer: Option<CustomerId>,
    now: Time,
) -> Result<Vec<Redemption>, Problem> {
    rules::redeem(found, total, customer, now).map_err(|error| match error {
        NotRedeemed::Refused(refused) => refusals(&refused),
        NotRedeemed::Money(error) => Problem::internal(error),
    })
}

fn refusals(refused: &[(usize, Refusal)]) -> Problem {
    let faults = refused.iter().map(|(at, refusal)| Fault {
        pointer: format!("/payment/gift_card_codes/{at}"),
        code: refusal.code(),
        detail: refusal.to_string(),
    });
    Problem::InvalidBody(faults.collect())
}

/// Returns the writes by which `order` takes what it takes from gift cards.
///
/// # Errors
/// [`StoreError::Shape`] if an amount is less than zero.
pub fn writes(cards: &GiftCardStore, order: &Order) -> Result<Vec<Write>, StoreError> {
    let mut writes = Vec::new();
    for redemption in &order.gift_cards {
        writes.extend(cards.take(order.id, redemption, order.created_at)?);
    }
    Ok(writes)
}
