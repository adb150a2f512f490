//! What orders publish: `OrderCreated` and `OrderConfirmed` (`{customer_id, total_amount}`),
//! `OrderFailed` (`{customer_id, failure: {code, detail}}`) and `OrderCancelled` (`{customer_id,
//! previous_status}`), and `OrderClaimed`, `OrderReviewWanted`, `OrderReviewed` (`{customer_id}`), of the aggregate that is the order's identifier.

use serde::Serialize;
use serde::de::Error as _;

use super::item::{FailureItem, PartItem};
use crate::values::event::DomainEvent;
use crate::values::id::CustomerId;
use crate::values::money::Money;

#[derive(Serialize)]
struct Data {
    customer_id: CustomerId,
    #[serde(skip_serializing_if = "Option::is_none")]
    total_amount: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<FailureItem>,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_status: Option<String>,
}

/// The last event of the order whose header is `image`; `None` for an order's lines, which have no
/// events of their own.
///
/// # Errors
/// If `image` is no item of an order.
pub fn published(image: serde_dynamo::Item) -> Result<Option<DomainEvent>, serde_dynamo::Error> {
    let header = match serde_dynamo::from_item(image)? {
        PartItem::Header(header) => header,
        PartItem::Lines(_) | PartItem::Other => return Ok(None),
    };
    let total =
        Money::parse(&header.total, header.currency).map_err(serde_dynamo::Error::custom)?;
    let event_type = header.event.event_type.as_str();
    let data = Data {
        customer_id: header.customer_id,
        total_amount: Some(total)
            .filter(|_| matches!(event_type, "OrderCreated" | "OrderConfirmed")),
        failure: header.failure.filter(|_| event_type == "OrderFailed"),
        previous_status: header
            .cancelled_from
            .filter(|_| event_type == "OrderCancelled"),
    };
    let data = serde_json::to_value(data).map_err(serde_dynamo::Error::custom)?;
    Ok(Some(DomainEvent::new(header.order_id, header.event, data)))
}
