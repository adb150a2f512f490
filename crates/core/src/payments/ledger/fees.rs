//! Pure rules: the entries of fees, which only the gateways' statements tell.

use super::model::{Entry, Movement as Of};
use crate::payments::gateway::statement::{Fee, Movement};
use crate::payments::model::{GatewayName, Payment};

/// Returns the entry of what `gateway` took, or gave back, with `movement`. `None` if it took nothing or the movement is of none
/// of the shop's payments.
#[must_use]
pub fn entry(gateway: &GatewayName, movement: &Movement) -> Option<Entry> {
    let charge = movement.charge.as_ref()?;
    let (of, amount) = match movement.fee? {
        Fee::Kept(amount) => (Of::Fee, amount),
        Fee::Returned(amount) => (Of::FeeReturned, amount),
    };
    let (debit, credit) = of.accounts(&gateway.to_string());
    Some(Entry {
        order_id: Some(charge.order_id),
        payment_id: Some(Payment::id_of(charge.order_id)),
        gift_card_id: None,
        version: 0,
        of,
        at: movement.at,
        debit,
        credit,
        amount,
        refund_id: movement.refund,
        movement_id: Some(movement.id.clone()),
    })
}
