//! Pure decisions about gift cards.

use super::model::{GiftCard, Refusal};
use crate::orders::redemptions::Redemption;
use crate::values::clock::Time;
use crate::values::id::CustomerId;
use crate::values::money::{Money, MoneyError};

/// Why an order cannot be paid with the gift cards that it names.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotRedeemed {
    /// Some of them do not pay, each by its place.
    #[error("some gift cards do not pay for the order")]
    Refused(Vec<(usize, Refusal)>),
    /// The amounts cannot be compared.
    #[error(transparent)]
    Money(#[from] MoneyError),
}

/// Returns what an order of `customer` (`None` for a guest) that costs `total` takes from `cards` at `now`. The cards pay in
/// their order. One that is not needed any more takes no part.
///
/// # Errors
/// [`NotRedeemed::Refused`] with every card that does not pay.
pub fn redeem(
    cards: &[Option<GiftCard>],
    total: Money,
    customer: Option<CustomerId>,
    now: Time,
) -> Result<Vec<Redemption>, NotRedeemed> {
    let mut due = total;
    let mut redemptions = Vec::new();
    let mut refused = Vec::new();
    for (at, card) in cards.iter().enumerate() {
        let card = match usable(card.as_ref(), total, customer, now) {
            Ok(card) => card,
            Err(refusal) => {
                refused.push((at, refusal));
                continue;
            }
        };
        let amount = if card.balance.compare(due)?.is_lt() {
            card.balance
        } else {
            due
        };
        if amount.is_positive() {
            due = due.minus(amount)?;
            redemptions.push(Redemption {
                card: card.id,
                last_four: card.last_four.clone(),
                amount,
            });
        }
    }
    if refused.is_empty() {
        Ok(redemptions)
    } else {
        Err(NotRedeemed::Refused(refused))
    }
}

fn usable(
    card: Option<&GiftCard>,
    total: Money,
    customer: Option<CustomerId>,
    now: Time,
) -> Result<&GiftCard, Refusal> {
    let card = card.ok_or(Refusal::UnknownCode)?;
    if card.customer_id.is_some() && card.customer_id != customer {
        Err(Refusal::OtherCustomer)
    } else if is_expired(card, now) {
        Err(Refusal::Expired)
    } else if card.balance.currency() != total.currency() {
        Err(Refusal::OtherCurrency)
    } else if card.balance.is_zero() {
        Err(Refusal::Empty)
    } else {
        Ok(card)
    }
}

/// Returns whether `card` has stopped to pay at `now`.
#[must_use]
pub fn is_expired(card: &GiftCard, now: Time) -> bool {
    card.expires_at.is_some_and(|end| now >= end)
}
