//! Messages to customers, and what may go wrong with them.

use crate::aws::dynamo::StoreError;
use crate::customers::model::{Customer, CustomerError, Email, Locale};
use crate::values::clock::Time;
use crate::values::id::{CustomerId, EventId, MessageId, OrderId};
use crate::values::money::MoneyError;

/// What a message tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Template {
    /// The order is confirmed.
    OrderConfirmed,
    /// The order was cancelled.
    OrderCancelled,
    /// The order failed.
    OrderFailed,
    /// The link that confirms an address.
    ConfirmEmail,
    /// The link to another password.
    PasswordReset,
    /// The password was changed.
    PasswordChanged,
}

impl Template {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::OrderConfirmed,
        Self::OrderCancelled,
        Self::OrderFailed,
        Self::ConfirmEmail,
        Self::PasswordReset,
        Self::PasswordChanged,
    ];

    /// Its name in queues and items.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::OrderConfirmed => "order_confirmed",
            Self::OrderCancelled => "order_cancelled",
            Self::OrderFailed => "order_failed",
            Self::ConfirmEmail => "confirm_email",
            Self::PasswordReset => "password_reset",
            Self::PasswordChanged => "password_changed",
        }
    }

    /// Whether it tells of an order; else it tells of an account.
    #[must_use]
    pub fn is_of_order(self) -> bool {
        match self {
            Self::OrderConfirmed | Self::OrderCancelled | Self::OrderFailed => true,
            Self::ConfirmEmail | Self::PasswordReset | Self::PasswordChanged => false,
        }
    }
}

/// What a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// An order, of which everything is told once.
    Order(OrderId),
    /// A customer's account.
    Account {
        /// Whose.
        customer_id: CustomerId,
        /// What caused it, an event or a request: of each, everything is told once.
        occasion: EventId,
    },
}

/// What is to be told, and about what: there is one message of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// What.
    pub template: Template,
    /// About what.
    pub about: About,
}

impl Wanted {
    /// The message's identifier, the same however often it is wanted.
    #[must_use]
    pub fn message_id(self) -> MessageId {
        let about = match self.about {
            About::Order(order_id) => order_id.to_string(),
            About::Account {
                customer_id,
                occasion,
            } => format!("{customer_id} {occasion}"),
        };
        MessageId::derived(&["message", self.template.name(), &about])
    }
}

/// Whom a message is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// Where it goes.
    pub email: Email,
    /// How the recipient is greeted.
    pub name: String,
    /// The language that it is written in.
    pub locale: Locale,
    /// Where what it is about can be read without signing in.
    pub link: Option<String>,
}

impl From<Customer> for Recipient {
    fn from(customer: Customer) -> Self {
        Self {
            email: customer.email,
            name: customer.name,
            locale: customer.locale,
            link: None,
        }
    }
}

/// How far a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Somebody is sending it, or ended while doing so: whether it is sent is not known.
    Sending,
    /// It is sent.
    Sent,
    /// The last attempt did certainly not send it.
    Failed,
}

/// Which delivery of the queue sends a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The queue's identifier of what it delivers: the same when it delivers it again.
    pub delivery: String,
    /// How often the queue has delivered it by now, from 1.
    pub receive_count: u32,
}

/// What is remembered of a message. Neither its text nor its address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// What it tells.
    pub wanted: Wanted,
    /// Whom.
    pub customer_id: CustomerId,
    /// How far it is.
    pub status: Status,
    /// Who sends it, or did last.
    pub claim: Claim,
    /// Counts the attempts to send it, from 1.
    pub attempts: u32,
    /// When it was first wanted.
    pub created_at: Time,
    /// When it last changed.
    pub updated_at: Time,
}

/// Why a message is not sent. The queue delivers what asked for it again, and gives it up at last.
#[derive(Debug, thiserror::Error)]
pub enum NotificationError {
    /// What the queue delivered asks for no message.
    #[error("the delivery asks for no message: {0}")]
    Unreadable(String),
    /// There is no such order.
    #[error("there is no order {0}")]
    NoSuchOrder(OrderId),
    /// There is no such customer.
    #[error("there is no customer {0}")]
    NoSuchCustomer(CustomerId),
    /// The link to a guest's order could not be signed.
    #[error("the link to the order could not be made")]
    Link(#[source] CustomerError),
    /// Another delivery is sending it; whether it does will be known when this one comes again.
    #[error("another delivery is sending this message")]
    Elsewhere,
    /// The message was certainly not sent.
    #[error("the message was refused: {0}")]
    Refused(String),
    /// Whether the message was sent is not known.
    #[error("whether the message was sent is not known: {0}")]
    Unknown(String),
    /// A template has a place that nothing fills.
    #[error("a template has a place {0:?} that nothing fills")]
    Template(String),
    /// The order's amounts do not add up.
    #[error("the order's amounts do not add up")]
    Amount(#[from] MoneyError),
    /// The database gave no answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}
