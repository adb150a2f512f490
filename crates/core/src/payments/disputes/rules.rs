//! Pure decisions about disputes.

use crate::payments::model::{Payment, PaymentError};
use crate::values::clock::Time;
use crate::values::money::{Money, MoneyError};

use super::model::{Dispute, Disputes};

/// The most disputes of one payment. Banks allow one for each charge; several are of parts of it.
const MOST_DISPUTES: usize = 10;

/// Returns `payment` with the dispute `id` as the gateway has it at `now`, or `None` if the payment says so already.
///
/// # Errors
/// [`PaymentError::Contradiction`] if disputes would take more than was captured, or there are too many.
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
    let taken = sum(payment.amount, &disputes)?;
    let most = payment.amounts.captured();
    if disputes.len() > MOST_DISPUTES || taken.compare(most)?.is_gt() {
        return Err(PaymentError::Contradiction {
            from: payment.status,
            says: format!("{} disputes, {taken} of {most}", disputes.len()),
        });
    }
    Ok(Some(Payment {
        disputes,
        disputed: taken,
        version: payment.version + 1,
        updated_at: now.no_earlier_than(payment.updated_at),
        ..payment.clone()
    }))
}

/// Returns what open and lost disputes have taken.
fn sum(of: Money, disputes: &Disputes) -> Result<Money, MoneyError> {
    let taking = disputes.values().filter(|dispute| dispute.status.takes());
    let zero = Money::zero(of.currency());
    taking
        .map(|dispute| dispute.amount)
        .try_fold(zero, Money::plus)
}
