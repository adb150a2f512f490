//! What a change of a payment means for its captures.

use std::time::Duration;

use crate::payments::model::{CaptureTime, Change, Payment};
use crate::values::clock::Time;
use crate::values::money::MoneyError;

/// How long an authorisation lasts: a card network's least, without agreements of the shop
/// (<https://docs.stripe.com/payments/place-a-hold-on-a-payment-method>).
pub const VALIDITY: Duration = Duration::from_hours(7 * 24);

/// How long before the end of an authorisation an admin is told.
const NOTICE: Duration = Duration::from_hours(2 * 24);

/// Returns `next`, which `payment` becomes by `change`, with what that means for its captures.
///
/// # Errors
/// [`MoneyError`] if the amounts are in different currencies.
pub(super) fn after(
    payment: &Payment,
    mut next: Payment,
    change: &Change,
) -> Result<Payment, MoneyError> {
    if next.capture == CaptureTime::AtOnce {
        return Ok(next);
    }
    match change {
        Change::Authorized(_) => next.authorized_at = Some(next.updated_at),
        Change::PartlyCaptured(total) | Change::Captured(total) => {
            let by = total.minus(payment.amounts.captured())?;
            let capture = next.capturing.take();
            next.captures
                .extend(capture.filter(|capture| capture.amount == by));
        }
        Change::Voided | Change::Declined(_) => next.capturing = None,
        Change::Unknown
        | Change::ActionRequired(_)
        | Change::Disputed { .. }
        | Change::Refunded { .. } => {}
    }
    if next.awaits_capture() {
        next.token = None;
        next.due_at = next.authorized_at.map(|at| {
            let told = at.plus(VALIDITY.saturating_sub(NOTICE));
            told.no_earlier_than(next.updated_at)
        });
    } else {
        next.due_at = None;
    }
    Ok(next)
}

/// Returns when the authorisation of `payment` ends, while it waits for captures.
#[must_use]
pub fn capture_before(payment: &Payment) -> Option<Time> {
    let authorized = payment.authorized_at.filter(|_| payment.awaits_capture());
    authorized.map(|at| at.plus(VALIDITY))
}
