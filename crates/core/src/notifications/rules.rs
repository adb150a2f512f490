//! What is decided about messages, without I/O.

use serde::Deserialize;

use super::model::{Claim, Message, NotificationError, Status, Template, Wanted};
use crate::clock::Time;
use crate::events::Delivered;
use crate::id::{CustomerId, OrderId};
use crate::orders::model::{Course, Order};

/// How often the queue must have delivered something before it takes over what another delivery is
/// sending: by the second time the queue's visibility timeout has passed, which is longer than a
/// function runs.
const TAKES_OVER_FROM: u32 = 2;

/// What the queue delivers: the order workflow's own request, or an event that a rule brought.
#[derive(Deserialize)]
#[serde(untagged)]
enum Body {
    Request { template: String, order_id: OrderId },
    Event(Box<Delivered>),
}

/// Which message `body`, a delivery of the queue, asks for.
///
/// # Errors
/// [`NotificationError::Unreadable`] if it asks for none.
pub fn wanted(body: &str) -> Result<Wanted, NotificationError> {
    let unreadable = |text: String| NotificationError::Unreadable(text);
    let body = serde_json::from_str(body).map_err(|error| unreadable(error.to_string()))?;
    match body {
        Body::Request { template, order_id } => {
            let found = Template::ALL.iter().find(|known| known.name() == template);
            let template = *found.ok_or_else(|| unreadable(format!("template {template:?}")))?;
            Ok(Wanted { template, order_id })
        }
        Body::Event(event) => {
            let event = event.detail;
            let template = match event.event_type.as_str() {
                "OrderFailed" => Template::OrderFailed,
                "OrderCancelled" => Template::OrderCancelled,
                other => return Err(unreadable(format!("event {other:?}"))),
            };
            let order_id = event
                .aggregate_id
                .parse()
                .map_err(|_| unreadable("an event of no order".to_owned()))?;
            Ok(Wanted { template, order_id })
        }
    }
}

/// Whether what `template` tells is still so: nobody is told that an order is confirmed which has
/// been cancelled meanwhile.
#[must_use]
pub fn still_true(template: Template, order: &Order) -> bool {
    match template {
        Template::OrderConfirmed => order.status.course() == Course::Confirmed,
        Template::OrderCancelled | Template::OrderFailed => order.status.course() == Course::Closed,
    }
}

/// What to do about a message that is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing: it is sent.
    Done,
    /// Wait: another delivery is at it.
    Wait,
    /// Send it, once this is stored.
    Send(Message),
}

/// What the delivery `claim` does at `now` about the message `wanted`, of which `stored` is
/// remembered.
///
/// An attempt whose end is unknown (`Sending`) is made again by a delivery that can know that the
/// attempt is over; see the module's page for why.
#[must_use]
pub fn decide(
    wanted: Wanted,
    customer_id: CustomerId,
    stored: Option<Message>,
    claim: Claim,
    now: Time,
) -> Next {
    let Some(stored) = stored else {
        return Next::Send(Message {
            wanted,
            customer_id,
            status: Status::Sending,
            claim,
            attempts: 1,
            created_at: now,
            updated_at: now,
        });
    };
    let again = match stored.status {
        Status::Sent => return Next::Done,
        Status::Failed => true,
        Status::Sending if stored.claim.delivery == claim.delivery => {
            claim.receive_count > stored.claim.receive_count
        }
        Status::Sending => claim.receive_count >= TAKES_OVER_FROM,
    };
    if !again {
        return Next::Wait;
    }
    Next::Send(Message {
        status: Status::Sending,
        claim,
        attempts: stored.attempts + 1,
        updated_at: now.no_earlier_than(stored.updated_at),
        ..stored
    })
}
