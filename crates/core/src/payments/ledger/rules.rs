//! Pure rules: which entries follow from a change of a payment, and what the entries of a payment add up to.

use super::model::{Entry, Movement};
use crate::orders::model::PaymentStatus;
use crate::payments::model::Payment;
use crate::payments::store::PaymentImage;
use crate::values::money::{Currency, Money, MoneyError};

/// Returns the entries of the change of a payment from `old` (`None` if it is new) to `new`. What is compared is the
/// amounts, not the event of the change, so it does not matter how many changes of amounts a write makes. A write that
/// gives the payment no new version moves no money.
///
/// # Errors
/// [`MoneyError`] if the amounts are in different currencies.
pub fn entries(old: Option<&PaymentImage>, new: &PaymentImage) -> Result<Vec<Entry>, MoneyError> {
    let before = old.map(|old| &old.payment);
    let after = &new.payment;
    if before.is_some_and(|before| before.version >= after.version) {
        return Ok(Vec::new());
    }
    let had = before.map_or(Sums::none(after.amount.currency()), Sums::expected);
    let has = Sums::expected(after);
    let gateway = &after.gateway;
    let gateway_before = before.map_or(gateway, |before| &before.gateway);
    let (released, authorised) = if gateway_before == gateway {
        difference(had.standing, has.standing)?
    } else {
        (had.standing, has.standing)
    };
    let (_, captured) = difference(had.captured, has.captured)?;
    let (returned, refunded) = difference(had.refunded, has.refunded)?;
    let (won, disputed) = difference(had.disputed, has.disputed)?;
    let (reopened, lost) = difference(had.lost, has.lost)?;
    let moved = [
        (Movement::Released, gateway_before, released),
        (Movement::Authorised, gateway, authorised),
        (Movement::Captured, gateway, captured),
        (Movement::Refunded, gateway, refunded),
        (Movement::RefundReturned, gateway, returned),
        (Movement::Disputed, gateway, disputed),
        (Movement::DisputeReopened, gateway, reopened),
        (Movement::DisputeWon, gateway, won),
        (Movement::DisputeLost, gateway, lost),
    ];
    let moved = moved.into_iter().filter(|(_, _, by)| by.is_positive());
    let refund = new
        .last_refund
        .filter(|last| old.and_then(|old| old.last_refund) != Some(*last));
    Ok(moved
        .map(|(of, gateway, amount)| {
            let (debit, credit) = of.accounts(&gateway.to_string());
            Entry {
                order_id: Some(after.order_id),
                payment_id: Some(after.id),
                gift_card_id: None,
                version: after.version,
                of,
                at: after.updated_at,
                debit,
                credit,
                amount,
                refund_id: if of == Movement::RefundReturned {
                    new.last_refund
                } else {
                    refund.filter(|_| of == Movement::Refunded)
                },
                movement_id: None,
            }
        })
        .collect())
}

/// Returns what is authorised for `payment` and not released: while it is open, all that was authorised; once nothing more
/// can be captured, only what was captured.
#[must_use]
pub fn standing(payment: &Payment) -> Money {
    match payment.status {
        PaymentStatus::Pending
        | PaymentStatus::Processing
        | PaymentStatus::RequiresAction
        | PaymentStatus::Authorized => payment.amounts.authorized(),
        PaymentStatus::Completed
        | PaymentStatus::PartiallyRefunded
        | PaymentStatus::Refunded
        | PaymentStatus::Voided
        | PaymentStatus::Failed => payment.amounts.captured(),
    }
}

/// Returns by how much `after` is less than `before`, and by how much it is more. One of them is zero.
fn difference(before: Money, after: Money) -> Result<(Money, Money), MoneyError> {
    let zero = Money::zero(after.currency());
    Ok(if after.compare(before)?.is_lt() {
        (before.minus(after)?, zero)
    } else {
        (zero, after.minus(before)?)
    })
}

/// What the entries of a payment add up to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sums {
    /// Authorised, less released.
    pub standing: Money,
    /// Captured.
    pub captured: Money,
    /// Refunded, less what was returned.
    pub refunded: Money,
    /// Disputed, less what was won.
    pub disputed: Money,
    /// Lost, less what was opened again.
    pub lost: Money,
}

impl Sums {
    /// Returns the sums of no entries.
    #[must_use]
    pub fn none(currency: Currency) -> Self {
        let zero = Money::zero(currency);
        Self {
            standing: zero,
            captured: zero,
            refunded: zero,
            disputed: zero,
            lost: zero,
        }
    }

    /// Returns the sums of `entries`, which are in `currency`.
    ///
    /// # Errors
    /// [`MoneyError`] if one is in another currency.
    pub fn of<'a>(
        entries: impl IntoIterator<Item = &'a Entry>,
        currency: Currency,
    ) -> Result<Self, MoneyError> {
        let mut sums = Self::none(currency);
        for entry in entries {
            let amount = entry.amount;
            match entry.of {
                Movement::Authorised => sums.standing = sums.standing.plus(amount)?,
                Movement::Released => sums.standing = sums.standing.minus(amount)?,
                Movement::Captured => sums.captured = sums.captured.plus(amount)?,
                Movement::Refunded => sums.refunded = sums.refunded.plus(amount)?,
                Movement::RefundReturned => sums.refunded = sums.refunded.minus(amount)?,
                Movement::Disputed => sums.disputed = sums.disputed.plus(amount)?,
                Movement::DisputeWon => sums.disputed = sums.disputed.minus(amount)?,
                Movement::DisputeLost => sums.lost = sums.lost.plus(amount)?,
                Movement::DisputeReopened => sums.lost = sums.lost.minus(amount)?,
                Movement::Fee
                | Movement::FeeReturned
                | Movement::GiftCardIssued
                | Movement::GiftCardRedeemed
                | Movement::GiftCardRefunded => {}
            }
        }
        Ok(sums)
    }

    /// Returns what the entries of `payment` have to add up to.
    #[must_use]
    pub fn expected(payment: &Payment) -> Self {
        Self {
            standing: standing(payment),
            captured: payment.amounts.captured(),
            refunded: payment.amounts.refunded(),
            disputed: payment.disputed,
            lost: payment.lost,
        }
    }
}
