//! Pure decisions about refunds: what one is worth, and what it takes.

use std::time::Duration;

use super::model::{Refund, RefundError, RefundStatus};
use crate::aws::dynamo::StoreError;
use crate::http::problem::Fault;
use crate::orders::lines::Item;
use crate::orders::model::{Course, Line, Order, PaymentStatus};
use crate::payments::model::{Amounts, Payment, Units};
use crate::payments::rules::{Void, decide_void};
use crate::values::clock::Time;
use crate::values::money::{Money, MoneyError};

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

/// What a refund takes of a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The amount.
    pub amount: Money,
    /// The pieces that it is for.
    pub units: Units,
}

/// Decides what the refund `draft` takes of `payment`, which paid `order`.
///
/// # Errors
/// [`RefundError`] if the request is at fault, or asks for more than is left.
pub fn take(payment: &Payment, order: &Order, draft: &Draft) -> Result<Taken, RefundError> {
    let taken = match &draft.wanted {
        Wanted::Amount(amount) => take_amount(payment, order, *amount, draft.restock)?,
        Wanted::Lines(lines) => take_lines(payment, order, lines)?,
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
) -> Result<Taken, RefundError> {
    let currency = payment.amount.currency();
    if amount.currency() != currency {
        let detail = format!("the payment is in {}", currency.code());
        return Err(invalid("/amount/currency", "currency", detail));
    }
    if !restock {
        let units = Units::new();
        return Ok(Taken { amount, units });
    }
    if amount != payment.left_to_refund()? {
        let detail = "say which lines come back into stock, or refund all that is left";
        return Err(invalid("/restock", "lines_required", detail));
    }
    let lines = order.lines.iter();
    let left = lines.map(|line| (line.variant_id, left_of(payment, line)));
    let units = left.filter(|(_, left)| *left > 0).collect();
    Ok(Taken { amount, units })
}

fn take_lines(payment: &Payment, order: &Order, wanted: &[Item]) -> Result<Taken, RefundError> {
    let mut units = Units::new();
    let mut faults = Vec::new();
    for (at, wanted) in wanted.iter().enumerate() {
        match line_of(order, wanted) {
            Ok(line) => *units.entry(line.variant_id).or_default() += wanted.quantity,
            Err((field, code, detail)) => faults.push(Fault {
                pointer: format!("/lines/{at}/{field}"),
                code,
                detail: detail.to_owned(),
            }),
        }
    }
    if !faults.is_empty() {
        return Err(RefundError::Invalid(faults));
    }
    let charges = order.breakdown.charges()?;
    let mut amount = Money::zero(payment.amount.currency());
    for (line, charge) in order.lines.iter().zip(charges) {
        let Some(quantity) = units.get(&line.variant_id).copied() else {
            continue;
        };
        let left = left_of(payment, line);
        if quantity > left {
            let name = line.name.clone();
            return Err(RefundError::TooMany { name, left });
        }
        let worth = worth(charge, line.quantity, line.quantity - left, quantity)?;
        amount = amount.plus(worth)?;
    }
    Ok(Taken { amount, units })
}

/// Returns the line that is wanted, or the field, code and detail of the fault.
fn line_of<'a>(
    order: &'a Order,
    wanted: &Item,
) -> Result<&'a Line, (&'static str, &'static str, &'static str)> {
    let is_wanted = |line: &&Line| {
        wanted.product_id.is_none_or(|id| id == line.product_id)
            && wanted.variant_id.is_none_or(|id| id == line.variant_id)
    };
    let mut lines = order.lines.iter().filter(is_wanted);
    let field = if wanted.variant_id.is_some() {
        "variant_id"
    } else {
        "product_id"
    };
    match (lines.next(), lines.next()) {
        (Some(line), None) => Ok(line),
        (None, _) => Err((field, "not_ordered", "the order has no such line")),
        (Some(_), Some(_)) => {
            let detail = "the order has several variants of this product; name one as variant_id";
            Err(("variant_id", "required", detail))
        }
    }
}

/// Returns how many pieces of `line` are left to refund.
fn left_of(payment: &Payment, line: &Line) -> u32 {
    let taken = payment.refunded_units.get(&line.variant_id);
    line.quantity.saturating_sub(taken.copied().unwrap_or(0))
}

/// Returns what `quantity` pieces are worth after the first `before` of the `all` pieces for which `charge` was charged.
/// Whatever the quantities, all pieces together are worth `charge`.
pub(super) fn worth(
    charge: Money,
    all: u32,
    before: u32,
    quantity: u32,
) -> Result<Money, MoneyError> {
    first(charge, all, before + quantity)?.minus(first(charge, all, before)?)
}

/// Returns what the first `count` of `all` pieces are worth, rounded down to the smallest unit.
fn first(charge: Money, all: u32, count: u32) -> Result<Money, MoneyError> {
    let units = u128::from(charge.minor_units().ok_or(MoneyError::NoParts)?);
    let part = units * u128::from(count) / u128::from(all.max(1));
    let part = u64::try_from(part).map_err(|_| MoneyError::TooLarge)?;
    Money::from_minor_units(part, charge.currency())
}

/// Returns the refund of all that was left of `payment` when its order ended, by which it becomes `next`.
///
/// # Errors
/// [`RefundError::Money`] if the amounts are in different currencies.
pub fn rest(payment: &Payment, next: &Payment) -> Result<Refund, RefundError> {
    Ok(Refund {
        id: payment.last_refund_id(),
        payment_id: payment.id,
        order_id: payment.order_id,
        amount: next.amounts.refunded().minus(payment.amounts.refunded())?,
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
/// [`RefundError::Payment`] if the payment has not refunded as much, and [`RefundError::Store`] if its order has ended and
/// the rest is not refunded yet: that has to be known first.
pub fn take_back(payment: &Payment, refund: &Refund, now: Time) -> Result<Payment, RefundError> {
    let undone = decide_void(Some(payment), Course::Closed, false);
    if payment.void_requested && !matches!(undone, Void::Done(_)) {
        return Err(StoreError::Busy("the payment is being undone".into()).into());
    }
    let amounts = payment.amounts;
    let (authorized, captured) = (amounts.authorized(), amounts.captured());
    let refunded = amounts.refunded().minus(refund.amount)?;
    let amounts = Amounts::new(authorized, captured, refunded)?;
    Ok(Payment {
        status: if refunded.is_zero() {
            PaymentStatus::Completed
        } else {
            PaymentStatus::PartiallyRefunded
        },
        amounts,
        refunding: payment.refunding.minus(refund.amount)?,
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

fn invalid(pointer: &str, code: &'static str, detail: impl Into<String>) -> RefundError {
    RefundError::Invalid(vec![Fault {
        pointer: pointer.to_owned(),
        code,
        detail: detail.into(),
    }])
}
