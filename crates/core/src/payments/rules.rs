//! What to do about a payment: decisions, without any call.

use crate::orders::model::{Course, PaymentStatus};
use crate::values::clock::Time;

use super::gateway::Charge;
use super::model::{Amounts, Change, Payment, PaymentError};

/// What the step `PaymentProcessing` does about what is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Process<'a> {
    /// Store a payment, then charge.
    Begin,
    /// The outcome of this attempt is not known: ask the gateway.
    Ask(&'a Payment),
    /// The money is there.
    Paid,
    /// There will be no money, for this reason.
    Declined(&'a str),
    /// Nothing new is begun.
    Expired,
    /// The order is confirmed; there is nothing to do.
    AlreadyConfirmed,
    /// The order has ended; what there is must be undone.
    AlreadyClosed,
}

/// What the step `PaymentProcessing` does about `payment`, of an order that is on `course`, possibly
/// past its deadline.
#[must_use]
pub fn process(payment: Option<&Payment>, course: Course, past_deadline: bool) -> Process<'_> {
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
        // The order has ended since it was read.
        return Process::AlreadyClosed;
    }
    match payment.status {
        PaymentStatus::Pending | PaymentStatus::Processing | PaymentStatus::Authorized => {
            Process::Ask(payment)
        }
        PaymentStatus::Completed | PaymentStatus::PartiallyRefunded => Process::Paid,
        PaymentStatus::Refunded => Process::Declined("refunded"),
        PaymentStatus::Voided => Process::Declined("voided"),
        PaymentStatus::Failed => {
            Process::Declined(payment.decline.as_deref().unwrap_or("declined"))
        }
    }
}

/// What follows from an answer of the gateway while the order is undecided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settle {
    /// Store this.
    Record(Change),
    /// There will be no money, for this reason; nothing is stored, voiding puts the books right.
    Declined(&'static str),
    /// Nothing has been taken in time.
    Expired,
}

/// What follows when asking for `payment`'s charge gave `charge`; `None`: charge, or go on charging.
///
/// # Errors
/// [`PaymentError::Contradiction`] if another amount was taken than was asked for.
pub fn asked(
    payment: &Payment,
    charge: &Charge,
    past_deadline: bool,
) -> Result<Option<Settle>, PaymentError> {
    match charge {
        // Charging is what must not begin late. Whoever began it in time and is not through yet is
        // refused by the gateway once the order has failed and its charge is voided.
        Charge::NotFound | Charge::Authorized { .. } if past_deadline => Ok(Some(Settle::Expired)),
        Charge::NotFound | Charge::Authorized { .. } => Ok(None),
        Charge::Captured { .. }
        | Charge::Refunded { .. }
        | Charge::Declined { .. }
        | Charge::Voided => charged(payment, charge).map(Some),
    }
}

/// What follows when charging for `payment` gave `charge`.
///
/// # Errors
/// [`PaymentError::Contradiction`] if another amount was taken than was asked for.
pub fn charged(payment: &Payment, charge: &Charge) -> Result<Settle, PaymentError> {
    match charge {
        // A gateway that has lost a charge which it was just given: ask again later.
        Charge::NotFound => Ok(Settle::Record(Change::Unknown)),
        Charge::Authorized { amount } => Ok(Settle::Record(Change::Authorized(*amount))),
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

/// Whether `change` tells anything that `payment` does not say yet.
#[must_use]
pub fn is_news(payment: &Payment, change: &Change) -> bool {
    match change {
        Change::Unknown => payment.status != PaymentStatus::Processing,
        Change::Authorized(amount) => {
            payment.status != PaymentStatus::Authorized || payment.amounts.authorized() != *amount
        }
        Change::Captured(_) | Change::Declined(_) | Change::Voided | Change::Refunded(_) => true,
    }
}

/// What the step `VoidPayment` does about what is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Void<'a> {
    /// Store that there can be no payment any more.
    Forbid,
    /// Store that this is to be undone.
    Request(&'a Payment),
    /// Undo this at the gateway.
    Undo(&'a Payment),
    /// Nothing is left to undo.
    Done(PaymentStatus),
    /// The order is confirmed: nothing is undone.
    AlreadyConfirmed,
    /// The order is undecided: nothing is undone.
    Undecided,
}

/// What the step `VoidPayment` does about `payment`, of an order that is on `course`.
#[must_use]
pub fn void(payment: Option<&Payment>, course: Course) -> Void<'_> {
    match course {
        Course::Confirmed => return Void::AlreadyConfirmed,
        Course::Undecided => return Void::Undecided,
        Course::Closed => {}
    }
    let Some(payment) = payment else {
        return Void::Forbid;
    };
    match payment.status {
        PaymentStatus::Refunded | PaymentStatus::Voided | PaymentStatus::Failed => {
            Void::Done(payment.status)
        }
        PaymentStatus::Pending
        | PaymentStatus::Processing
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

/// What undoes a charge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Undo {
    /// End it at the gateway.
    Void,
    /// Give back until this much is given back in all.
    Refund(crate::values::money::Money),
    /// Store this.
    Record(Change),
}

/// What undoes `payment`, whose charge the gateway tells as `charge`. What was taken is stored
/// before it is given back, so that every refund has its capture in the books and in the events.
#[must_use]
pub fn undo(payment: &Payment, charge: &Charge) -> Undo {
    match charge {
        Charge::NotFound | Charge::Authorized { .. } => Undo::Void,
        Charge::Captured { amount: captured } | Charge::Refunded { captured, .. }
            if *captured != payment.amounts.captured() =>
        {
            Undo::Record(Change::Captured(*captured))
        }
        Charge::Captured { amount } => Undo::Refund(*amount),
        Charge::Refunded { captured, refunded } if captured != refunded => Undo::Refund(*captured),
        Charge::Refunded { refunded, .. } => Undo::Record(Change::Refunded(*refunded)),
        Charge::Declined { code } => Undo::Record(Change::Declined(code.clone())),
        Charge::Voided => Undo::Record(Change::Voided),
    }
}

/// `payment` after `change` at `now`.
///
/// # Errors
/// [`PaymentError::Contradiction`] if its status does not allow that, [`PaymentError::Amounts`] or
/// [`PaymentError::Money`] if refunded <= captured <= authorized would not hold any more.
pub fn apply(payment: &Payment, change: &Change, now: Time) -> Result<Payment, PaymentError> {
    let before = payment.amounts;
    let (authorized, captured, refunded) =
        (before.authorized(), before.captured(), before.refunded());
    let open = match payment.status {
        PaymentStatus::Pending | PaymentStatus::Processing | PaymentStatus::Authorized => true,
        PaymentStatus::Completed
        | PaymentStatus::PartiallyRefunded
        | PaymentStatus::Refunded
        | PaymentStatus::Voided
        | PaymentStatus::Failed => false,
    };
    let taken = match payment.status {
        PaymentStatus::Completed | PaymentStatus::PartiallyRefunded => true,
        PaymentStatus::Pending
        | PaymentStatus::Processing
        | PaymentStatus::Authorized
        | PaymentStatus::Refunded
        | PaymentStatus::Voided
        | PaymentStatus::Failed => false,
    };
    let (status, amounts) = match change {
        Change::Unknown if open => (PaymentStatus::Processing, before),
        Change::Authorized(amount) if open && amount.compare(authorized)?.is_ge() => {
            let amounts = Amounts::new(*amount, captured, refunded)?;
            (PaymentStatus::Authorized, amounts)
        }
        Change::Captured(amount) if open && (amount.is_positive() || payment.is_free()) => {
            let whole = amount.compare(authorized)?.is_gt();
            let authorized = if whole { *amount } else { authorized };
            let amounts = Amounts::new(authorized, *amount, refunded)?;
            (PaymentStatus::Completed, amounts)
        }
        Change::Declined(_) if open => (PaymentStatus::Failed, before),
        Change::Voided if open || payment.is_free() => (PaymentStatus::Voided, before),
        Change::Refunded(amount) if taken && amount.compare(refunded)?.is_gt() => {
            let amounts = Amounts::new(authorized, captured, *amount)?;
            let status = if *amount == captured {
                PaymentStatus::Refunded
            } else {
                PaymentStatus::PartiallyRefunded
            };
            (status, amounts)
        }
        Change::Unknown
        | Change::Authorized(_)
        | Change::Captured(_)
        | Change::Declined(_)
        | Change::Voided
        | Change::Refunded(_) => return Err(contradiction(payment, format!("{change:?}"))),
    };
    let decline = match change {
        Change::Declined(code) => Some(code.clone()),
        Change::Unknown
        | Change::Authorized(_)
        | Change::Captured(_)
        | Change::Voided
        | Change::Refunded(_) => payment.decline.clone(),
    };
    Ok(Payment {
        status,
        amounts,
        decline,
        version: payment.version + 1,
        updated_at: now.no_earlier_than(payment.updated_at),
        ..payment.clone()
    })
}

fn contradiction(payment: &Payment, says: String) -> PaymentError {
    PaymentError::Contradiction {
        from: payment.status,
        says,
    }
}

#[cfg(test)]
mod tests;
