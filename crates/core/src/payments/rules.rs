//! Pure decisions about a payment: what to do next, and what it becomes.

use std::cmp::Ordering;

use crate::orders::model::{Course, PaymentStatus};
use crate::values::clock::Time;
use crate::values::money::Money;

use super::gateway::Charge;
use super::model::{Action, Amounts, CaptureTime, Change, Payment, PaymentError};

pub mod captures;
pub mod undo;

/// What the step `PaymentProcessing` does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Process<'a> {
    /// Store a payment, then charge it.
    Begin,
    /// Ask the gateway for the outcome of this attempt, which is not known.
    Ask(&'a Payment),
    /// The payment is captured, or authorised if it is to be captured later.
    Paid(PaymentStatus),
    /// The payment has failed, for this reason.
    Declined(&'a str),
    /// The deadline has passed, so no payment is begun.
    Expired,
    /// The order is confirmed; there is nothing to do.
    AlreadyConfirmed,
    /// The order has ended, so the payment has to be undone.
    AlreadyClosed,
}

/// Decides what the step `PaymentProcessing` does about `payment`, of an order that is on `course`, possibly
/// past its deadline.
#[must_use]
pub fn decide_process(
    payment: Option<&Payment>,
    course: Course,
    past_deadline: bool,
) -> Process<'_> {
    match course {
        Course::Confirmed => return Process::AlreadyConfirmed,
        Course::Closed => return Process::AlreadyClosed,
        Course::Undecided => {}
    }
    let Some(payment) = payment else {
        return if past_deadline {
            Process::Expired
        } else {
            Process::Begin
        };
    };
    if payment.void_requested {
        // The order ended after it was read.
        return Process::AlreadyClosed;
    }
    match payment.status {
        PaymentStatus::Authorized if payment.awaits_capture() => {
            Process::Paid(PaymentStatus::Authorized)
        }
        PaymentStatus::Pending
        | PaymentStatus::Processing
        | PaymentStatus::RequiresAction
        | PaymentStatus::Authorized => Process::Ask(payment),
        PaymentStatus::Completed | PaymentStatus::PartiallyRefunded => {
            Process::Paid(PaymentStatus::Completed)
        }
        PaymentStatus::Refunded => Process::Declined("refunded"),
        PaymentStatus::Voided => Process::Declined("voided"),
        PaymentStatus::Failed => {
            Process::Declined(payment.decline.as_deref().unwrap_or("declined"))
        }
    }
}

/// What follows from a response of the gateway while the order is undecided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settle {
    /// Store this change.
    Record(Change),
    /// The payment has failed, for this reason. Nothing is stored; voiding corrects the books.
    Declined(&'static str),
    /// Nothing was captured before the deadline.
    Expired,
}

/// Decides what follows if the gateway retrieved `charge` for `payment`; `None` means to charge, or to charge again
/// so that what is authorised is captured.
///
/// # Errors
/// [`PaymentError::Contradiction`] if another amount was captured than was requested.
pub fn settle_retrieved(
    payment: &Payment,
    charge: &Charge,
    past_deadline: bool,
) -> Result<Option<Settle>, PaymentError> {
    match charge {
        Charge::Authorized { .. } if payment.capture == CaptureTime::AtShipment => {
            settle_charged(payment, charge).map(Some)
        }
        // No charge may begin after the deadline. One that began in time and has not arrived yet is
        // declined by the gateway once the order has failed and its charge is voided.
        Charge::NotFound | Charge::ActionRequired(_) | Charge::Authorized { .. }
            if past_deadline =>
        {
            Ok(Some(Settle::Expired))
        }
        Charge::NotFound | Charge::Authorized { .. } => Ok(None),
        Charge::ActionRequired(_)
        | Charge::PartlyCaptured { .. }
        | Charge::Captured { .. }
        | Charge::Refunded { .. }
        | Charge::Declined { .. }
        | Charge::Voided => settle_charged(payment, charge).map(Some),
    }
}

/// Decides what follows if charging `payment` returned `charge`.
///
/// # Errors
/// [`PaymentError::Contradiction`] if another amount was captured than was requested.
pub fn settle_charged(payment: &Payment, charge: &Charge) -> Result<Settle, PaymentError> {
    match charge {
        // The gateway has lost a charge that it has just accepted: ask again later.
        Charge::NotFound => Ok(Settle::Record(Change::Unknown)),
        Charge::ActionRequired(action) => {
            Ok(Settle::Record(Change::ActionRequired(action.clone())))
        }
        Charge::Authorized { amount } => {
            if payment.capture == CaptureTime::AtShipment && *amount != payment.amount {
                return Err(contradiction(payment, format!("authorized {amount}")));
            }
            Ok(Settle::Record(Change::Authorized(*amount)))
        }
        // The order is not confirmed, so nobody has asked for it.
        Charge::PartlyCaptured { captured, .. } => {
            Err(contradiction(payment, format!("captured {captured}")))
        }
        Charge::Refunded { captured, refunded } if captured == refunded => {
            Ok(Settle::Declined("refunded"))
        }
        Charge::Captured { amount: captured } | Charge::Refunded { captured, .. } => {
            if *captured == payment.amount {
                Ok(Settle::Record(Change::Captured(*captured)))
            } else {
                Err(contradiction(payment, format!("captured {captured}")))
            }
        }
        Charge::Declined { code } => Ok(Settle::Record(Change::Declined(code.clone()))),
        Charge::Voided => Ok(Settle::Declined("voided")),
    }
}

/// Returns whether `change` would change anything about `payment`.
#[must_use]
pub fn is_news(payment: &Payment, change: &Change) -> bool {
    match change {
        Change::Unknown => payment.status != PaymentStatus::Processing,
        Change::ActionRequired(action) => {
            payment.status != PaymentStatus::RequiresAction
                || payment.action.as_ref() != Some(action)
        }
        Change::Authorized(amount) => {
            payment.status != PaymentStatus::Authorized || payment.amounts.authorized() != *amount
        }
        Change::PartlyCaptured(_)
        | Change::Captured(_)
        | Change::Declined(_)
        | Change::Voided
        | Change::Disputed { .. }
        | Change::Refunded { .. } => true,
    }
}

/// What the step `VoidPayment` does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Void<'a> {
    /// Store a voided record, so that no payment can begin any more.
    PreventPayment,
    /// Store that this payment has to be undone.
    Request(&'a Payment),
    /// Undo this payment at the gateway.
    Undo(&'a Payment),
    /// Nothing is left to undo; the payment has this status.
    Done(PaymentStatus),
    /// The order is confirmed, so its payment stays.
    AlreadyConfirmed,
    /// The order is undecided, so its payment stays.
    Undecided,
}

/// Decides what the step `VoidPayment` does about `payment`, of an order that is on `course` and may be `retryable`.
#[must_use]
pub fn decide_void(payment: Option<&Payment>, course: Course, retryable: bool) -> Void<'_> {
    match course {
        Course::Confirmed => return Void::AlreadyConfirmed,
        Course::Undecided => return Void::Undecided,
        Course::Closed => {}
    }
    let Some(payment) = payment else {
        return Void::PreventPayment;
    };
    if payment.reopened {
        return Void::Done(payment.status);
    }
    match payment.status {
        // A retry that read the order before it ended must not begin any more.
        PaymentStatus::Failed if retryable && !payment.void_requested => Void::Request(payment),
        PaymentStatus::Refunded | PaymentStatus::Voided | PaymentStatus::Failed => {
            Void::Done(payment.status)
        }
        // What a bank has taken is not refunded, too.
        PaymentStatus::Completed | PaymentStatus::PartiallyRefunded
            if payment.void_requested && is_all_disputed(payment) =>
        {
            Void::Done(payment.status)
        }
        PaymentStatus::Pending
        | PaymentStatus::Processing
        | PaymentStatus::RequiresAction
        | PaymentStatus::Authorized
        | PaymentStatus::Completed
        | PaymentStatus::PartiallyRefunded => {
            if payment.void_requested {
                Void::Undo(payment)
            } else {
                Void::Request(payment)
            }
        }
    }
}

/// Returns whether disputes have taken all that is not refunded.
fn is_all_disputed(payment: &Payment) -> bool {
    !payment.disputed.is_zero() && payment.kept().is_ok_and(Money::is_zero)
}

/// Returns `payment` as it is after `change` at `now`.
///
/// # Errors
/// [`PaymentError::Contradiction`] if its status does not allow the change, and [`PaymentError::Amounts`] if
/// refunded <= captured <= authorized would not hold any more.
pub fn apply(payment: &Payment, change: &Change, now: Time) -> Result<Payment, PaymentError> {
    let before = payment.amounts;
    let (authorized, captured, refunded) =
        (before.authorized(), before.captured(), before.refunded());
    let open = payment.is_open();
    let taken = match payment.status {
        PaymentStatus::Completed | PaymentStatus::PartiallyRefunded => true,
        PaymentStatus::Pending
        | PaymentStatus::Processing
        | PaymentStatus::RequiresAction
        | PaymentStatus::Authorized
        | PaymentStatus::Refunded
        | PaymentStatus::Voided
        | PaymentStatus::Failed => false,
    };
    let (status, amounts) = match change {
        Change::Unknown if open => (PaymentStatus::Processing, before),
        Change::ActionRequired(_) if open => (PaymentStatus::RequiresAction, before),
        Change::Authorized(amount) if open && amount.compare(authorized)?.is_ge() => {
            let amounts = Amounts::new(*amount, captured, refunded)?;
            (PaymentStatus::Authorized, amounts)
        }
        Change::PartlyCaptured(amount)
            if payment.awaits_capture() && amount.compare(captured)?.is_gt() =>
        {
            (
                PaymentStatus::Authorized,
                Amounts::new(authorized, *amount, refunded)?,
            )
        }
        Change::Captured(amount)
            if open
                && amount.compare(captured)?.is_ge()
                && (amount.is_positive() || payment.is_free()) =>
        {
            let exceeds = amount.compare(authorized)?.is_gt();
            let authorized = if exceeds { *amount } else { authorized };
            let amounts = Amounts::new(authorized, *amount, refunded)?;
            (PaymentStatus::Completed, amounts)
        }
        Change::Declined(_) if open && captured.is_zero() => (PaymentStatus::Failed, before),
        Change::Voided if open && captured.is_zero() || payment.is_free() => {
            (PaymentStatus::Voided, before)
        }
        Change::Refunded { total, .. }
            if taken && (total.compare(refunded)?.is_gt() || is_rest_of_cards(payment, *total)) =>
        {
            let amounts = Amounts::new(authorized, captured, *total)?;
            let status = if *total == captured {
                PaymentStatus::Refunded
            } else {
                PaymentStatus::PartiallyRefunded
            };
            (status, amounts)
        }
        Change::Unknown
        | Change::ActionRequired(_)
        | Change::Authorized(_)
        | Change::PartlyCaptured(_)
        | Change::Captured(_)
        | Change::Declined(_)
        | Change::Voided
        | Change::Disputed { .. }
        | Change::Refunded { .. } => return Err(contradiction(payment, format!("{change:?}"))),
    };
    // A refund that was not taken first is the gateway's own, or that of all that was left.
    let refunding = match payment.refunding.compare(amounts.refunded())? {
        Ordering::Less => amounts.refunded(),
        Ordering::Equal | Ordering::Greater => payment.refunding,
    };
    let attempt = attempt(payment, change);
    let next = Payment {
        status,
        amounts,
        refunding,
        decline: attempt.decline,
        action: attempt.action,
        token: attempt.token,
        version: payment.version + 1,
        updated_at: now.no_earlier_than(payment.updated_at),
        ..payment.clone()
    };
    Ok(captures::after(payment, next, change)?)
}

/// What a payment keeps of its current attempt.
struct Current {
    decline: Option<String>,
    action: Option<Action>,
    token: Option<String>,
}

/// Returns what `payment` keeps of its current attempt after `change`.
fn attempt(payment: &Payment, change: &Change) -> Current {
    let decline = payment.decline.clone();
    let token = payment.token.clone();
    let (decline, action, token) = match change {
        Change::Unknown | Change::Authorized(_) => (decline, None, token),
        Change::ActionRequired(action) => (decline, Some(action.clone()), token),
        Change::Declined(code) => (Some(code.clone()), None, None),
        Change::PartlyCaptured(_)
        | Change::Captured(_)
        | Change::Voided
        | Change::Disputed { .. }
        | Change::Refunded { .. } => (decline, None, None),
    };
    Current {
        decline,
        action,
        token,
    }
}

/// Returns whether everything at the gateway was refunded before the order ended, and not all that gift cards paid.
fn is_rest_of_cards(payment: &Payment, total: Money) -> bool {
    payment.void_requested
        && total == payment.amounts.captured()
        && payment.gift_cards.refunded != payment.gift_cards.amount
}

fn contradiction(payment: &Payment, says: String) -> PaymentError {
    PaymentError::Contradiction {
        from: payment.status,
        says,
    }
}

#[cfg(test)]
mod tests;
