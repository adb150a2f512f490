//! Pure decisions about disputes.

use crate::payments::model::disputes::{Dispute, DisputeStatus, Disputes};
use crate::payments::model::{Payment, PaymentError};
use crate::values::clock::Time;
use crate::values::money::{Money, MoneyError};

/// The most disputes of one payment. Banks allow one for each charge; several are of parts of it.
const MOST_DISPUTES: usize = 10;

/// Returns `payment` with the dispute `id` as the gateway has it at `now`, or `None` if the payment says so already.
///
/// # Errors
/// [`PaymentError::Contradiction`] if disputes would take more than was captured, or there are too many, and
/// [`PaymentError::Undecided`] if what was captured may not be known yet.
pub fn note(
    payment: &Payment,
    id: &str,
    dispute: &Dispute,
    now: Time,
) -> Result<Option<Payment>, PaymentError> {
    if payment.disputes.get(id) == Some(dispute) {
        return Ok(None);
    }
    let mut disputes = payment.disputes.clone();
    disputes.insert(id.to_owned(), dispute.clone());
    let taken = sum(payment.amount, &disputes, DisputeStatus::takes)?;
    let most = payment.amounts.captured();
    let exceeds = taken.compare(most)?.is_gt();
    if exceeds && payment.is_open() {
        return Err(PaymentError::Undecided);
    }
    if disputes.len() > MOST_DISPUTES || exceeds {
        return Err(PaymentError::Contradiction {
            from: payment.status,
            says: format!("{} disputes, {taken} of {most}", disputes.len()),
        });
    }
    let lost = sum(payment.amount, &disputes, |status| {
        status == DisputeStatus::Lost
    })?;
    Ok(Some(Payment {
        disputes,
        disputed: taken,
        lost,
        version: payment.version + 1,
        updated_at: now.no_earlier_than(payment.updated_at),
        ..payment.clone()
    }))
}

/// Returns what those of `disputes` are about that have a `wanted` status, in the currency of `payment`.
fn sum(
    payment: Money,
    disputes: &Disputes,
    wanted: impl Fn(DisputeStatus) -> bool,
) -> Result<Money, MoneyError> {
    let wanted = disputes.values().filter(|dispute| wanted(dispute.status));
    let zero = Money::zero(payment.currency());
    wanted
        .map(|dispute| dispute.amount)
        .try_fold(zero, Money::plus)
}
