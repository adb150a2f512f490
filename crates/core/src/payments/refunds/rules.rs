//! Pure decisions about refunds: what one is worth, and what it takes.

use std::time::Duration;

use super::model::{Refund, RefundError, RefundStatus};
use super::split;
use crate::http::problem::Fault;
use crate::orders::lines::Item;
use crate::orders::model::{Course, Order, PaymentStatus};
use crate::payments::model::{Amounts, Change, Payment, PaymentError, Units};
use crate::payments::pieces::{self, Pieces};
use crate::payments::rules::{Void, apply, decide_void};
use crate::values::clock::Time;
use crate::values::money::Money;

/// When the outcome of a refund is asked for the first time after the request that made it.
pub const FIRST_LOOK: Duration = Duration::from_mins(1);

/// The longest time between two questions for an outcome.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// What an admin wants to refund.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// An amount.
    Amount(Money),
    /// Pieces of lines, each with its share of discounts, taxes and shipping.
    Lines(Vec<Item>),
}

/// A request for a refund.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// What is wanted.
    pub wanted: Wanted,
    /// Why, for people.
    pub reason: Option<String>,
    /// Whether the pieces come back into stock.
    pub restock: bool,
}

/// Decides what the refund `draft` takes of `payment`, which paid `order`.
///
/// # Errors
/// [`RefundError`] if the request is at fault, or asks for more than is left.
pub fn take(payment: &Payment, order: &Order, draft: &Draft) -> Result<Pieces, RefundError> {
    let taken = match &draft.wanted {
        Wanted::Amount(amount) => take_amount(payment, order, *amount, draft.restock)?,
        Wanted::Lines(lines) => {
            let currency = payment.amount.currency();
            pieces::price(order, &payment.refunded_units, lines, currency)?
        }
    };
    match payment.status {
        PaymentStatus::Completed | PaymentStatus::PartiallyRefunded | PaymentStatus::Refunded => {}
        status @ (PaymentStatus::Pending
        | PaymentStatus::Processing
        | PaymentStatus::RequiresAction
        | PaymentStatus::Authorized
        | PaymentStatus::Voided
        | PaymentStatus::Failed) => return Err(RefundError::NothingToRefund(status)),
    }
    if payment.void_requested && !payment.reopened {
        return Err(RefundError::Ending);
    }
    if taken.amount.is_zero() {
        return Err(RefundError::Worthless);
    }
    let left = payment.left_to_refund()?;
    if taken.amount.compare(left)?.is_gt() {
        return Err(RefundError::TooMuch { left });
    }
    Ok(taken)
}

fn take_amount(
    payment: &Payment,
    order: &Order,
    amount: Money,
    restock: bool,
) -> Result<Pieces, RefundError> {
    let currency = payment.amount.currency();
    if amount.currency() != currency {
        let detail = format!("the payment is in {}", currency.code());
        return Err(invalid("/amount/currency", "currency", detail));
    }
    if !restock {
        let units = Units::new();
        return Ok(Pieces { amount, units });
    }
    if amount != payment.left_to_refund()? {
        let detail = "say which lines come back into stock, or refund all that is left";
        return Err(invalid("/restock", "lines_required", detail));
    }
    let lines = order.lines.iter();
    let left = lines.map(|line| {
        (
            line.variant_id,
            pieces::left_of(&payment.refunded_units, line),
        )
    });
    let units = left.filter(|(_, left)| *left > 0).collect();
    Ok(Pieces { amount, units })
}

/// Returns the refund of all that was left of `payment` when its order ended, by which it becomes `next`.
///
/// # Errors
/// [`RefundError::Money`] if the amounts are in different currencies.
pub fn rest(payment: &Payment, next: &Payment) -> Result<Refund, RefundError> {
    let at_gateway = next.amounts.refunded().minus(payment.amounts.refunded())?;
    let (before, after) = (payment.gift_cards, next.gift_cards);
    let to_cards = after.refunded.minus(before.refunded)?;
    Ok(Refund {
        id: payment.last_refund_id(),
        payment_id: payment.id,
        order_id: payment.order_id,
        amount: at_gateway.plus(to_cards)?,
        gift_card_amount: to_cards,
        units: Units::new(),
        reason: None,
        // Its whole reservation is released.
        restock: false,
        status: RefundStatus::Succeeded,
        failure: None,
        attempts: 0,
        due_at: None,
        request_hash: String::new(),
        created_at: next.updated_at,
        updated_at: next.updated_at,
    })
}

/// Returns how much of the refund `amount` of `payment` goes to gift cards.
///
/// # Errors
/// [`RefundError::Money`] if the amounts are in different currencies.
pub fn gift_card_amount(payment: &Payment, amount: Money) -> Result<Money, RefundError> {
    Ok(split::to_gift_cards(payment, amount)?)
}

/// Returns `payment` after `refund` has succeeded at `now`.
///
/// # Errors
/// [`RefundError::Payment`] if its status does not allow that, or the amounts do not fit.
pub fn succeed(payment: &Payment, refund: &Refund, now: Time) -> Result<Payment, RefundError> {
    let at_gateway = refund.gateway_amount()?;
    let mut next = if at_gateway.is_zero() {
        returned_to_cards(payment, now)?
    } else {
        let total = payment.amounts.refunded().plus(at_gateway)?;
        let by = refund.id;
        apply(payment, &Change::Refunded { total, by }, now)?
    };
    next.gift_cards.refunded = next.gift_cards.refunded.plus(refund.gift_card_amount)?;
    let all = next.amounts.refunded() == next.amounts.captured()
        && next.gift_cards.refunded == next.gift_cards.amount;
    next.status = if all {
        PaymentStatus::Refunded
    } else {
        PaymentStatus::PartiallyRefunded
    };
    if refund.restock {
        next.restocked = refund.added_to(&next.restocked);
    }
    Ok(next)
}

/// Returns the next version of `payment`, of which nothing was refunded at the gateway.
fn returned_to_cards(payment: &Payment, now: Time) -> Result<Payment, PaymentError> {
    match payment.status {
        PaymentStatus::Completed | PaymentStatus::PartiallyRefunded => Ok(Payment {
            version: payment.version + 1,
            updated_at: now.no_earlier_than(payment.updated_at),
            ..payment.clone()
        }),
        from @ (PaymentStatus::Pending
        | PaymentStatus::Processing
        | PaymentStatus::RequiresAction
        | PaymentStatus::Authorized
        | PaymentStatus::Refunded
        | PaymentStatus::Voided
        | PaymentStatus::Failed) => Err(PaymentError::Contradiction {
            from,
            says: "a refund to gift cards".to_owned(),
        }),
    }
}

/// Returns the pending `refund`, whose outcome was asked for at `now` and is not known: it is asked for again after twice
/// the time, an hour at most.
#[must_use]
pub fn postpone(refund: Refund, now: Time) -> Refund {
    let doubled = FIRST_LOOK * 2_u32.saturating_pow(refund.attempts.min(10));
    Refund {
        attempts: refund.attempts + 1,
        due_at: Some(now.plus(doubled.min(LONGEST_WAIT))),
        updated_at: now.no_earlier_than(refund.updated_at),
        ..refund
    }
}

/// Returns `refund` with its outcome at `now`; `failure` is the gateway's code if it failed.
#[must_use]
pub fn settle(refund: Refund, failure: Option<String>, now: Time) -> Refund {
    let status = match failure {
        None => RefundStatus::Succeeded,
        Some(_) => RefundStatus::Failed,
    };
    Refund {
        status,
        failure,
        due_at: None,
        updated_at: now.no_earlier_than(refund.updated_at),
        ..refund
    }
}

/// Returns `payment` as it is once `refund`, which had succeeded, has come back: it has what the refund took. The pieces that
/// it brought back into stock are there still, and are counted again when their money is refunded again.
///
/// # Errors
/// [`RefundError::Payment`] if the payment has not refunded as much, with [`PaymentError::Undecided`] if its order has ended
/// and the rest is not refunded yet: that has to be known first.
pub fn take_back(payment: &Payment, refund: &Refund, now: Time) -> Result<Payment, RefundError> {
    let undone = decide_void(Some(payment), Course::Closed, false);
    if payment.void_requested && !matches!(undone, Void::Done(_)) {
        return Err(PaymentError::Undecided.into());
    }
    let amounts = payment.amounts;
    let (authorized, captured) = (amounts.authorized(), amounts.captured());
    let at_gateway = refund.gateway_amount()?;
    let refunded = amounts.refunded().minus(at_gateway)?;
    let amounts = Amounts::new(authorized, captured, refunded).map_err(PaymentError::from)?;
    Ok(Payment {
        status: if refunded.is_zero() && payment.gift_cards.refunded.is_zero() {
            PaymentStatus::Completed
        } else {
            PaymentStatus::PartiallyRefunded
        },
        amounts,
        refunding: payment.refunding.minus(at_gateway)?,
        refunded_units: refund.taken_from(&payment.refunded_units),
        restocked: if refund.restock {
            refund.taken_from(&payment.restocked)
        } else {
            payment.restocked.clone()
        },
        reopened: payment.void_requested,
        version: payment.version + 1,
        updated_at: now.no_earlier_than(payment.updated_at),
        ..payment.clone()
    })
}

/// Returns `refund`, which came back from the gateway at `now` with its `code`: it has failed, or is only of what gift cards
/// have got by it.
#[must_use]
pub fn returned(refund: Refund, code: String, now: Time) -> Refund {
    let to_cards = refund.gift_card_amount;
    let failed = settle(refund, Some(code), now);
    if to_cards.is_zero() {
        return failed;
    }
    Refund {
        status: RefundStatus::Succeeded,
        amount: to_cards,
        ..failed
    }
}

fn invalid(pointer: &str, code: &'static str, detail: impl Into<String>) -> RefundError {
    RefundError::Invalid(vec![Fault {
        pointer: pointer.to_owned(),
        code,
        detail: detail.into(),
    }])
}
