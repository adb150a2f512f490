//! How what an order took from gift cards comes back to them.

use super::store::GiftCardStore;
use crate::aws::dynamo::StoreError;
use crate::orders::model::Order;
use crate::orders::redemptions;
use crate::values::clock::Time;
use crate::values::money::Money;

/// Brings what has come back of all that `order` took from gift cards up to `total`.
///
/// # Errors
/// [`StoreError`]; what did not come back does when this is called again.
pub async fn bring_back(
    cards: &GiftCardStore,
    order: &Order,
    total: Money,
    now: Time,
) -> Result<(), StoreError> {
    let parts = redemptions::returned_of_each(&order.gift_cards, total);
    let parts = parts.map_err(StoreError::unreadable)?;
    for (redemption, part) in order.gift_cards.iter().zip(parts) {
        cards
            .bring_back(redemption.card, order.id, part, now)
            .await?;
    }
    Ok(())
}

/// Brings back all that `order` took from gift cards.
///
/// # Errors
/// As [`bring_back`].
pub async fn bring_all_back(
    cards: &GiftCardStore,
    order: &Order,
    now: Time,
) -> Result<(), StoreError> {
    let total = redemptions::total(&order.gift_cards, order.total.currency());
    let total = total.map_err(StoreError::unreadable)?;
    bring_back(cards, order, total, now).await
}
