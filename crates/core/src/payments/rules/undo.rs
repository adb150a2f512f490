//! Pure decisions about how a charge is undone.

use crate::payments::gateway::Charge;
use crate::payments::model::{Change, Payment, PaymentError};
use crate::values::money::Money;

/// The next move that undoes a charge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Undo {
    /// Void it at the gateway.
    Void,
    /// Refund this amount, all that is left.
    Refund(Money),
    /// Store this change.
    Record(Change),
}

/// Decides the next move that undoes `payment`, whose charge is `charge` at the gateway. A capture is stored
/// before it is refunded, so that every refund has its capture in the books and in the events.
///
/// # Errors
/// [`PaymentError::Money`] if the gateway's amounts are in different currencies.
pub fn next(payment: &Payment, charge: &Charge) -> Result<Undo, PaymentError> {
    Ok(match charge {
        Charge::NotFound
        | Charge::ActionRequired(_)
        | Charge::Authorized { .. }
        | Charge::PartlyCaptured { .. } => Undo::Void,
        Charge::Captured { amount: captured } | Charge::Refunded { captured, .. }
            if payment.is_open() || *captured != payment.amounts.captured() =>
        {
            Undo::Record(Change::Captured(*captured))
        }
        Charge::Captured { amount } => give_back(payment, *amount, Money::zero(amount.currency()))?,
        Charge::Refunded { captured, refunded } => give_back(payment, *captured, *refunded)?,
        Charge::Declined { code } => Undo::Record(Change::Declined(code.clone())),
        Charge::Voided => Undo::Record(Change::Voided),
    })
}

/// Decides how what is left of a charge goes back, of which `captured` is captured and `refunded` refunded at the gateway. It is
/// never more than what `payment` keeps: if a refund has come back that the payment still counts, its event will say so, and
/// what it took is for a person to refund.
fn give_back(payment: &Payment, captured: Money, refunded: Money) -> Result<Undo, PaymentError> {
    let left = captured.minus(refunded)?.minus(payment.disputed)?;
    let kept = payment.kept()?;
    let amount = if left.compare(kept)?.is_lt() {
        left
    } else {
        kept
    };
    if amount.is_positive() {
        return Ok(Undo::Refund(amount));
    }
    let counted = payment.amounts.refunded();
    let total = if refunded.compare(counted)?.is_gt() {
        refunded
    } else {
        counted
    };
    let by = payment.last_refund_id();
    Ok(Undo::Record(Change::Refunded { total, by }))
}
