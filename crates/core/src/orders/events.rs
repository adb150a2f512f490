//! Published: `OrderCreated` and `OrderConfirmed` (`{customer_id, total_amount}`), `OrderFailed` (`{customer_id,
//! failure: {code, detail}}`), `OrderCancelled` (`{customer_id, previous_status}`), and `OrderClaimed`,
//! `OrderReviewWanted` and `OrderReviewed` (`{customer_id}`). The aggregate is the order's identifier.
//!
//! Consumed: `EmailConfirmed` ([`super::claims`]) and `CustomerDeleted` ([`super::erasure`]).

use serde::Serialize;
use serde::de::Error as _;

use super::item::{FailureItem, PartItem};
use crate::aws::dynamo::StoreError;
use crate::runtime::Message;
use crate::values::clock::Time;
use crate::values::event::{Delivered, DomainEvent};
use crate::values::id::{CustomerId, NotAnId};
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
        failure: header.failure.filter(|_| event_type == "OrderFailed"),
        previous_status: header
            .cancelled_from
            .filter(|_| event_type == "OrderCancelled"),
    };
    let data = serde_json::to_value(data).map_err(serde_dynamo::Error::custom)?;
    Ok(Some(DomainEvent::new(header.order_id, header.event, data)))
}

/// Why a message is delivered again.
#[derive(Debug, thiserror::Error)]
pub enum ConsumeError {
    /// The message is something else than an event.
    #[error("the message is not an event")]
    NotAnEvent(#[from] serde_json::Error),
    /// The queue is not for events of this type.
    #[error("events of the type {0:?} are not consumed here")]
    OtherType(String),
    /// The aggregate is something else than a customer.
    #[error("the event is not a customer's")]
    NotACustomer(#[from] NotAnId),
    /// The database did not do what was asked.
    #[error(transparent)]
    Store(#[from] StoreError),
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
    let Delivered { time, detail } = Delivered::parse(&message.body)?;
    if detail.event_type != event_type {
        return Err(ConsumeError::OtherType(detail.event_type));
    }
    Ok(CustomerEvent {
        customer: detail.aggregate_id.parse()?,
        happened_at: detail.timestamp,
        now: time,
    })
}
