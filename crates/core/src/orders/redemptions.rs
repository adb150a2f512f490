//! What an order takes from gift cards.

use crate::values::id::GiftCardId;
use crate::values::money::{Currency, Money, MoneyError};

/// An amount that an order takes from a gift card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redemption {
    /// The card.
    pub card: GiftCardId,
    /// The last four characters of its code.
    pub last_four: String,
    /// How much; more than zero.
    pub amount: Money,
}

/// Returns what `redemptions` take together.
///
/// # Errors
/// [`MoneyError`] if one is not in `currency`.
pub fn total(redemptions: &[Redemption], currency: Currency) -> Result<Money, MoneyError> {
    let amounts = redemptions.iter().map(|redemption| redemption.amount);
    Money::sum(currency, amounts)
}

/// Returns what `redemptions` leave to pay of `cost`.
///
/// # Errors
/// [`MoneyError`] if one is in another currency.
pub fn due(redemptions: &[Redemption], cost: Money) -> Result<Money, MoneyError> {
    cost.minus(total(redemptions, cost.currency())?)
}

/// Returns how much of each of `redemptions` has come back once `returned` has come back of all of them: the first is
/// filled up before the second. What is more than they took is left out.
///
/// # Errors
/// [`MoneyError`] if the amounts are in different currencies.
pub fn returned_of_each(
    redemptions: &[Redemption],
    returned: Money,
) -> Result<Vec<Money>, MoneyError> {
    let mut left = returned;
    let mut parts = Vec::with_capacity(redemptions.len());
    for redemption in redemptions {
        let part = if left.compare(redemption.amount)?.is_lt() {
            left
        } else {
            redemption.amount
        };
        left = left.minus(part)?;
        parts.push(part);
    }
    Ok(parts)
}
