//! The events of payments.
//!
//! | event | when | data |
//! |---|---|---|
//! | `PaymentProcessed` | the status became processing, authorized, completed, voided or failed | `order_id`, `amount`, `status`, `origin` |
//! | `PaymentRefunded` | money was given back | `order_id`, `amount`: what has been given back in all |

use serde::Serialize;
use serde_dynamo::Item;

use crate::events::DomainEvent;
use crate::id::OrderId;
use crate::money::Money;

use super::store::PaymentItem;

/// The gateway told something, or a payment ended without it.
pub const PROCESSED: &str = "PaymentProcessed";
/// Money was given back.
pub const REFUNDED: &str = "PaymentRefunded";

/// Who learnt it: `webhook` will mean that the provider called, and starts the order's workflow.
const ORIGIN: &str = "workflow";

#[derive(Serialize)]
struct Processed {
    order_id: OrderId,
    /// The order's total, whatever became of it.
    amount: Money,
    status: String,
    origin: &'static str,
}

#[derive(Serialize)]
struct Refunded {
    order_id: OrderId,
    amount: Money,
}

/// The event that a payment's stored `image` tells of; none before the gateway was called.
///
/// # Errors
/// If the image is no payment.
pub fn published(image: Item) -> Result<Option<DomainEvent>, serde_dynamo::Error> {
    let item: PaymentItem = serde_dynamo::from_item(image)?;
    let Some(stamp) = item.event.clone() else {
        return Ok(None);
    };
    let data = if stamp.event_type == REFUNDED {
        serde_json::to_value(Refunded {
            order_id: item.order_id,
            amount: item.money(item.refunded)?,
        })
    } else {
        serde_json::to_value(Processed {
            order_id: item.order_id,
            amount: item.money(item.amount)?,
            status: item.status.clone(),
            origin: ORIGIN,
        })
    };
    let data = data.map_err(serde::ser::Error::custom)?;
    Ok(Some(DomainEvent::new(item.payment_id, stamp, data)))
}
