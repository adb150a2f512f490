//! Gift cards that an admin issues and shoppers pay with.

use oxcart_core::values::money::Currency;
use serde_json::{Value, json};

use super::lists;
use super::plan::{Draft, GiftCard};
use super::request::{Request, Who};
use super::seed::text;
use super::shop::{Shop, amount};
use crate::Error;

/// What a card is worth that pays a part of most orders, and one that pays for any, in the currency's smallest unit.
const PART: u64 = 700;
const WHOLE: u64 = 10_000_000;

/// A card that was issued for a basket.
#[derive(Clone, Debug, Default)]
pub(super) struct Issued {
    /// What it was issued for; 0 without a card.
    pub(super) amount: u64,
    /// Its code, unless the response was lost: it is told once.
    pub(super) code: Option<String>,
}

/// Issues the card that basket `number` is to be paid with. An order in another currency has none.
///
/// # Errors
/// If the shop responds with an unexpected status.
pub(super) async fn issue(shop: &Shop, number: usize, draft: &Draft) -> Result<Issued, Error> {
    let units = match draft.gift_card {
        GiftCard::No => return Ok(Issued::default()),
        GiftCard::Part => PART,
        GiftCard::Whole => WHOLE,
    };
    if lists::currency(draft.place, shop.currency).is_some() {
        return Ok(Issued::default());
    }
    let request = Request::new("issue-gift-card", "POST", "/gift-cards")
        .by(Who::Admin)
        .header("idempotency-key", format!("card-{number}"))
        .json(json!({"amount": amount(units, shop.currency)?}));
    let card = shop.send(&request).await?.expect(&[201])?;
    Ok(Issued {
        amount: units,
        code: card["code"].as_str().map(str::to_owned),
    })
}

/// Whether gift cards pay for all of the placed order `body`.
///
/// # Errors
/// If it does not say what is due.
pub(super) fn pay_for_all(body: &Value, currency: Currency) -> Result<bool, Error> {
    let due = text(&body["amount_due"], "amount")?;
    Ok(super::shop::units(&due, currency) == Some(0))
}
