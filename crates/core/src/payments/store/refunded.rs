//! What the write of a refund that has succeeded sets.

use crate::aws::dynamo::{StoreError, Write, minor_units, unreadable};
use crate::payments::item::LastRefund;
use crate::payments::model::{Change, Payment};
use crate::values::id::RefundId;
use crate::values::money::Money;

/// Returns whether the refund `by` is the one of all that was left of `payment` when its order ended.
pub(super) fn is_rest(payment: &Payment, by: RefundId) -> bool {
    payment.void_requested && !payment.reopened && by == payment.last_refund_id()
}

/// Returns what `change` sets of the part of gift cards.
pub(super) fn set_cards(payment: &Payment, next: &Payment, change: &Change) -> &'static str {
    match change {
        Change::Refunded { .. } if next.gift_cards.amount.is_zero() => "",
        Change::Refunded { by, .. } if is_rest(payment, *by) => {
            ", gift_cards_refunded = :cards, gift_cards_refunding = :cards_taken"
        }
        Change::Refunded { .. } => ", gift_cards_refunded = :cards",
        Change::Unknown
        | Change::ActionRequired(_)
        | Change::Authorized(_)
        | Change::PartlyCaptured(_)
        | Change::Captured(_)
        | Change::Declined(_)
        | Change::Voided
        | Change::Disputed { .. } => "",
    }
}

/// Gives `write` the values of the refund `by`, with which `total` is refunded at the gateway.
pub(super) fn values(
    write: Write,
    payment: &Payment,
    next: &Payment,
    total: Money,
    by: RefundId,
) -> Result<Write, StoreError> {
    let (before, after) = (payment.gift_cards, next.gift_cards);
    let at_gateway = total.minus(payment.amounts.refunded());
    let to_cards = after.refunded.minus(before.refunded);
    let amount = at_gateway.and_then(|amount| amount.plus(to_cards?));
    let last = LastRefund {
        refund_id: by,
        amount: minor_units(amount.map_err(unreadable)?)?,
    };
    let mut write = write
        .value(":amount", &minor_units(total)?)?
        .value(":restocked", &next.restocked)?
        .value(":refund", &last)?;
    if after.amount.is_positive() {
        write = write.value(":cards", &minor_units(after.refunded)?)?;
        if is_rest(payment, by) {
            write = write.value(":cards_taken", &minor_units(after.refunding)?)?;
        }
    }
    Ok(write)
}
