//! The decisions about messages, without I/O.

use serde::Deserialize;

use super::model::{About, Claim, Message, MessageRequest, NotificationError, Status, Template};
use crate::customers::model::Account;
use crate::orders::model::{Course, Order};
use crate::values::clock::Time;
use crate::values::event::Delivered;
use crate::values::id::{CustomerId, EventId, OrderId};
use crate::values::money::Money;

/// The delivery count from which a delivery takes over a message that another one was sending: by the second time,
/// the queue's visibility timeout has passed, which is longer than a function runs.
const TAKES_OVER_FROM: u32 = 2;

/// The body of a delivery: a request for a guest, of the order workflow or of the customers service, or an event that a
/// rule forwarded.
#[derive(Deserialize)]
#[serde(untagged)]
enum Body {
    Guest {
        template: String,
        order_id: OrderId,
        occasion: EventId,
    },
    Order {
        template: String,
        order_id: OrderId,
    },
    Account {
        template: String,
        customer_id: CustomerId,
        occasion: EventId,
    },
    Event(Box<Delivered>),
}

/// Reads the request for a message in `body`, the body of a delivery.
///
/// # Errors
/// [`NotificationError::Unreadable`] if it is not a request for a message.
pub fn parse_request(body: &str) -> Result<MessageRequest, NotificationError> {
    let body = serde_json::from_str(body)
        .map_err(|error| NotificationError::Unreadable(error.to_string()))?;
    match body {
        Body::Guest {
            template,
            order_id,
            occasion,
        } => request_by_name(&template, About::Guest { order_id, occasion }),
        Body::Order { template, order_id } => request_by_name(&template, About::Order(order_id)),
        Body::Account {
            template,
            customer_id,
            occasion,
        } => request_by_name(
            &template,
            About::Account {
                customer_id,
                occasion,
            },
        ),
        Body::Event(event) => request_by_event(*event),
    }
}

/// Returns the request for the message named `template`, if such messages are about something like `about`.
fn request_by_name(template: &str, about: About) -> Result<MessageRequest, NotificationError> {
    let mut known = Template::ALL.iter();
    let found = known.find(|known| known.name() == template && known.fits(about));
    match found {
        Some(template) => Ok(MessageRequest {
            template: *template,
            about,
        }),
        None => Err(NotificationError::Unreadable(format!(
            "template {template:?}"
        ))),
    }
}

/// What the event of a refund says.
#[derive(Deserialize)]
struct Refunded {
    order_id: OrderId,
    refund_amount: Money,
}

fn request_by_event(event: Delivered) -> Result<MessageRequest, NotificationError> {
    let event = event.detail;
    if event.event_type == "PaymentRefunded" {
        let data: Refunded = serde_json::from_value(event.data)
            .map_err(|error| NotificationError::Unreadable(error.to_string()))?;
        return Ok(MessageRequest {
            template: Template::PaymentRefunded,
            about: About::Refund {
                order_id: data.order_id,
                occasion: event.event_id,
                amount: data.refund_amount,
            },
        });
    }
    let template = match event.event_type.as_str() {
        "OrderFailed" => Template::OrderFailed,
        "OrderCancelled" => Template::OrderCancelled,
        "CustomerRegistered" => Template::ConfirmEmail,
        "CustomerPasswordChanged" => Template::PasswordChanged,
        other => return Err(NotificationError::Unreadable(format!("event {other:?}"))),
    };
    let about = if template.is_about_order() {
        event.aggregate_id.parse().map(About::Order)
    } else {
        event
            .aggregate_id
            .parse()
            .map(|customer_id| About::Account {
                customer_id,
                occasion: event.event_id,
            })
    };
    let about = about.map_err(|_| {
        NotificationError::Unreadable("an event whose aggregate has no such identifier".to_owned())
    })?;
    Ok(MessageRequest { template, about })
}

/// Returns whether what `template` says about `account` is still true and useful: nobody is asked to confirm an
/// address that is confirmed, and no link is sent for a disabled account.
#[must_use]
pub fn is_still_useful(template: Template, account: &Account) -> bool {
    let customer = &account.customer;
    let change = account.email_change.as_ref();
    match template {
        Template::ApproveEmail => change.is_some_and(|change| !change.is_approved),
        Template::ConfirmNewEmail => change.is_some_and(|change| !change.is_confirmed),
        Template::ConfirmEmail => customer.email_confirmed_at.is_none() && !customer.disabled,
        Template::PasswordReset => !customer.disabled,
        Template::PasswordChanged => true,
        Template::OrderConfirmed
        | Template::OrderCancelled
        | Template::OrderFailed
        | Template::PaymentRefunded
        | Template::GuestAccess => false,
    }
}

/// Returns whether what `template` says about `order` is still true: nobody is told that an order is confirmed if
/// it has been cancelled in the meantime.
#[must_use]
pub fn is_still_true(template: Template, order: &Order) -> bool {
    match template {
        // The mail about an order that has ended says that all of it comes back.
        Template::OrderConfirmed | Template::PaymentRefunded => {
            order.status.course() == Course::Confirmed
        }
        Template::OrderCancelled | Template::OrderFailed => order.status.course() == Course::Closed,
        Template::ConfirmEmail
        | Template::ApproveEmail
        | Template::ConfirmNewEmail
        | Template::PasswordReset
        | Template::PasswordChanged
        | Template::GuestAccess => false,
    }
}

/// What a delivery does about the message that it requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing: the message has been sent.
    Done,
    /// Waits: another delivery is sending the message.
    Wait,
    /// Stores this record, then sends the message.
    Send(Message),
}

/// Decides what the delivery `claim` does at `now` about the message `request`, whose record is `stored`.
///
/// An attempt whose outcome is unknown (`Sending`) is repeated by a delivery that can know that the attempt is
/// over; the documentation of the module says why.
#[must_use]
pub fn decide(
    request: MessageRequest,
    customer_id: CustomerId,
    stored: Option<Message>,
    claim: Claim,
    now: Time,
) -> Next {
    let Some(stored) = stored else {
        return Next::Send(Message {
            request,
            customer_id,
            status: Status::Sending,
            claim,
            attempts: 1,
            created_at: now,
            updated_at: now,
        });
    };
    let again = match stored.status {
        Status::Sent | Status::Withheld => return Next::Done,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> MessageRequest {
        MessageRequest {
            template: Template::OrderConfirmed,
            about: About::Order(OrderId::derived(&["order"])),
        }
    }

    fn claim(delivery: &str, receive_count: u32) -> Claim {
        Claim {
            delivery: delivery.to_owned(),
            receive_count,
        }
    }

    /// Returns what the delivery `by` does about a message in `status` that delivery "a" claimed when it was
    /// delivered for the second time.
    fn next(status: Status, by: (&str, u32)) -> Next {
        let stored = Message {
            request: request(),
            customer_id: CustomerId::derived(&["ana"]),
            status,
            claim: claim("a", 2),
            attempts: 4,
            created_at: Time::from_millis(1_000),
            updated_at: Time::from_millis(3_000),
        };
        let now = Time::from_millis(2_000);
        decide(
            request(),
            stored.customer_id,
            Some(stored),
            claim(by.0, by.1),
            now,
        )
    }

    #[test]
    fn every_delivery_decides_by_every_status() {
        let deliveries = [("a", 1), ("a", 2), ("a", 3), ("b", 1), ("b", 2)];
        let sends = |status| {
            deliveries.map(|by| match next(status, by) {
                Next::Done => "done",
                Next::Wait => "wait",
                Next::Send(_) => "send",
            })
        };
        assert_eq!(sends(Status::Sent), ["done"; 5]);
        assert_eq!(sends(Status::Failed), ["send"; 5]);
        assert_eq!(
            sends(Status::Sending),
            ["wait", "wait", "send", "wait", "send"]
        );
    }

    #[test]
    fn each_attempt_is_counted_and_time_does_not_go_back() {
        let Next::Send(message) = next(Status::Failed, ("b", 1)) else {
            panic!("a refused message is sent again");
        };
        assert_eq!((message.attempts, message.status), (5, Status::Sending));
        assert_eq!(message.claim, claim("b", 1));
        assert_eq!(message.updated_at, Time::from_millis(3_000));
        assert_eq!(message.created_at, Time::from_millis(1_000));
    }

    #[test]
    fn each_template_of_each_order_is_one_message() {
        let ids = Template::ALL.iter().flat_map(|template| {
            ["one", "two"].map(|order| MessageRequest {
                template: *template,
                about: About::Order(OrderId::derived(&[order])),
            })
        });
        let ids: std::collections::BTreeSet<_> = ids.map(MessageRequest::message_id).collect();
        assert_eq!(ids.len(), 2 * Template::ALL.len());
        assert_eq!(request().message_id(), request().message_id());
    }
}
