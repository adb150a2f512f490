//! Published: `OrderCreated` and `OrderConfirmed` (`{customer_id, total_amount}`), `OrderFailed` (`{customer_id,
//! failure: {code}}`), `OrderCancelled` (`{customer_id, previous_status}`), and `OrderClaimed`,
//! `OrderReviewWanted`, `OrderReviewed` and `OrderAddressCorrected` (`{customer_id}`). The aggregate is the order's
//! identifier.
//!
//! Consumed: `EmailConfirmed` ([`super::claims`]) and `CustomerDeleted` ([`super::erasure`]).

use serde::Serialize;
use serde::de::Error as _;

use super::item::PartItem;
use crate::runtime::{ConsumeError, Message};
use crate::values::clock::Time;
use crate::values::event::{Delivered, DomainEvent};
use crate::values::id::CustomerId;
use crate::values::money::Money;

#[derive(Serialize)]
struct Data {
    customer_id: CustomerId,
    #[serde(skip_serializing_if = "Option::is_none")]
    total_amount: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<FailureData>,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_status: Option<String>,
}

/// Why an order failed. The detail may be what an admin wrote, so it stays with the order.
#[derive(Serialize)]
struct FailureData {
    code: String,
}

/// Returns the last event of the order whose header is `image`; or `None` for other items, which have no events.
///
/// # Errors
/// Returns an error if `image` is a header that cannot be read.
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
        failure: header
            .failure
            .filter(|_| event_type == "OrderFailed")
            .map(|failure| FailureData {
                code: failure.code.to_string(),
            }),
        previous_status: header
            .cancelled_from
            .filter(|_| event_type == "OrderCancelled"),
    };
    let data = serde_json::to_value(data).map_err(serde_dynamo::Error::custom)?;
    Ok(Some(DomainEvent::new(header.order_id, header.event, data)))
}

/// An event of a customer, as it was delivered.
pub(super) struct CustomerEvent {
    pub(super) customer: CustomerId,
    /// When it happened.
    pub(super) happened_at: Time,
    /// When it was put on the bus: the consumer's now.
    pub(super) now: Time,
}

/// Reads the event in `message`, which must be of the type `event_type` and of a customer.
pub(super) fn of_customer(
    message: &Message,
    event_type: &str,
) -> Result<CustomerEvent, ConsumeError> {
    let (Delivered { time, detail }, customer) = message.event(event_type)?;
    Ok(CustomerEvent {
        customer,
        happened_at: detail.timestamp,
        now: time,
    })
}
