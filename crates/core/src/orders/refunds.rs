//! Orders follow the refunds of their payments.

use serde::Deserialize;

use super::change;
use super::rules::{self, Refunds};
use super::store::OrderStore;
use crate::aws::dynamo::StoreError;
use crate::runtime::{ConsumeError, Message};
use crate::values::event::Delivered;
use crate::values::id::{OrderId, PaymentId};
use crate::values::money::Money;

/// The type of the event that a refund came back.
const RETURNED: &str = "PaymentRefundReturned";

/// What `PaymentRefunded` and `PaymentRefundReturned` say.
#[derive(Deserialize)]
struct Refunded {
    order_id: OrderId,
    /// The total that is refunded.
    amount: Money,
}

/// Shows on the order what of its payment is refunded: `on-payment-refunded`. Late and repeated events change nothing.
///
/// # Errors
/// [`ConsumeError`]; the message has to be delivered again, also while the order has no outcome.
pub async fn on_payment_refunded(
    orders: &OrderStore,
    message: Message,
) -> Result<(), ConsumeError> {
    let returned = Delivered::parse(&message.body)?.detail.event_type == RETURNED;
    let event_type = if returned {
        RETURNED
    } else {
        "PaymentRefunded"
    };
    let (delivered, _): (Delivered, PaymentId) = message.event(event_type)?;
    let data: Refunded = serde_json::from_value(delivered.detail.data)?;
    let shown = Refunds {
        refunded: data.amount,
        returned,
        version: delivered.detail.version,
    };
    let decide = |order| {
        rules::show_refunds(order, shown, delivered.time)
            .map_err(|undecided| StoreError::Busy(undecided.into()))
    };
    change::apply(orders, data.order_id, decide).await?;
    Ok(())
}
