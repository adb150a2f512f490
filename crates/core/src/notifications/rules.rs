//! What is decided about messages, without I/O.

use serde::Deserialize;

use super::model::{About, Claim, Message, NotificationError, Status, Template, Wanted};
use crate::customers::model::Customer;
use crate::orders::model::{Course, Order};
use crate::values::clock::Time;
use crate::values::event::Delivered;
use crate::values::id::{CustomerId, EventId, OrderId};

/// How often the queue must have delivered something before it takes over what another delivery is
/// sending: by the second time the queue's visibility timeout has passed, which is longer than a
/// function runs.
const TAKES_OVER_FROM: u32 = 2;

/// What the queue delivers: the order workflow's own request, a customer's, or an event that a rule
/// brought.
#[derive(Deserialize)]
#[serde(untagged)]
enum Body {
    OfOrder {
        template: String,
        order_id: OrderId,
    },
    OfAccount {
        template: String,
        customer_id: CustomerId,
        occasion: EventId,
    },
    Event(Box<Delivered>),
}

/// Which message `body`, a delivery of the queue, asks for.
///
/// # Errors
/// [`NotificationError::Unreadable`] if it asks for none.
pub fn wanted(body: &str) -> Result<Wanted, NotificationError> {
    let body = serde_json::from_str(body)
        .map_err(|error| NotificationError::Unreadable(error.to_string()))?;
    match body {
        Body::OfOrder { template, order_id } => named(&template, About::Order(order_id)),
        Body::OfAccount {
            template,
            customer_id,
            occasion,
        } => named(
            &template,
            About::Account {
                customer_id,
                occasion,
            },
        ),
        Body::Event(event) => of_event(*event),
    }
}

/// The message named `template` about what such messages are about.
fn named(template: &str, about: About) -> Result<Wanted, NotificationError> {
    let of_order = matches!(about, About::Order(_));
    let found = Template::ALL
        .iter()
        .find(|known| known.name() == template && known.is_of_order() == of_order);
    match found {
        Some(template) => Ok(Wanted {
            template: *template,
            about,
        }),
        None => Err(NotificationError::Unreadable(format!(
            "template {template:?}"
        ))),
    }
}

fn of_event(event: Delivered) -> Result<Wanted, NotificationError> {
    let event = event.detail;
    let template = match event.event_type.as_str() {
        "OrderFailed" => Template::OrderFailed,
        "OrderCancelled" => Template::OrderCancelled,
        "CustomerRegistered" => Template::ConfirmEmail,
        "CustomerPasswordChanged" => Template::PasswordChanged,
        other => return Err(NotificationError::Unreadable(format!("event {other:?}"))),
    };
    let about = if template.is_of_order() {
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
        NotificationError::Unreadable("an event of what has no such identifier".to_owned())
    })?;
    Ok(Wanted { template, about })
}

/// Whether what `template` tells of `customer` is still so and of use: nobody is asked to confirm what
/// is confirmed, and no link opens a disabled account.
#[must_use]
pub fn still_of_use(template: Template, customer: &Customer) -> bool {
    match template {
        Template::ConfirmEmail => customer.email_confirmed_at.is_none() && !customer.disabled,
        Template::PasswordReset => !customer.disabled,
        Template::PasswordChanged => true,
        Template::OrderConfirmed | Template::OrderCancelled | Template::OrderFailed => false,
    }
}

/// Whether what `template` tells of `order` is still so: nobody is told that an order is confirmed
/// which has been cancelled meanwhile.
#[must_use]
pub fn still_true(template: Template, order: &Order) -> bool {
    match template {
        Template::OrderConfirmed => order.status.course() == Course::Confirmed,
        Template::OrderCancelled | Template::OrderFailed => order.status.course() == Course::Closed,
        Template::ConfirmEmail | Template::PasswordReset | Template::PasswordChanged => false,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted() -> Wanted {
        Wanted {
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

    /// What the delivery `by` does about a message in `status` that delivery "a" claimed when it
    /// came for the second time.
    fn next(status: Status, by: (&str, u32)) -> Next {
        let stored = Message {
            wanted: wanted(),
            customer_id: CustomerId::derived(&["ana"]),
            status,
            claim: claim("a", 2),
            attempts: 4,
            created_at: Time::from_millis(1_000),
            updated_at: Time::from_millis(3_000),
        };
        let now = Time::from_millis(2_000);
        decide(
            wanted(),
            stored.customer_id,
            Some(stored),
            claim(by.0, by.1),
            now,
        )
    }

    #[test]
    fn every_status_meets_every_delivery() {
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
    fn each_attempt_counts_and_time_does_not_go_back() {
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
            ["one", "two"].map(|order| Wanted {
                template: *template,
                about: About::Order(OrderId::derived(&[order])),
            })
        });
        let ids: std::collections::BTreeSet<_> = ids.map(Wanted::message_id).collect();
        assert_eq!(ids.len(), 2 * Template::ALL.len());
        assert_eq!(wanted().message_id(), wanted().message_id());
    }
}
