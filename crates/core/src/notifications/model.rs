//! Messages to customers, and why they are not sent.

use crate::aws::dynamo::StoreError;
use crate::customers::model::{Customer, CustomerError, Email};
use crate::values::clock::Time;
use crate::values::id::{CustomerId, EventId, MessageId, OrderId};
use crate::values::locale::Locale;
use crate::values::money::{Money, MoneyError};

/// The kind of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Template {
    /// The order is confirmed.
    OrderConfirmed,
    /// The order was cancelled.
    OrderCancelled,
    /// The order failed.
    OrderFailed,
    /// Something of the order's payment was refunded.
    PaymentRefunded,
    /// The link that confirms an email address.
    ConfirmEmail,
    /// The link that approves, at the present address, that the account gets another one.
    ApproveEmail,
    /// The link that confirms the new address of an account.
    ConfirmNewEmail,
    /// The link that resets the password.
    PasswordReset,
    /// The password was changed.
    PasswordChanged,
    /// The link with which a guest sees and erases what the shop knows.
    GuestAccess,
}

impl Template {
    /// All templates.
    pub const ALL: &[Self] = &[
        Self::OrderConfirmed,
        Self::OrderCancelled,
        Self::OrderFailed,
        Self::PaymentRefunded,
        Self::ConfirmEmail,
        Self::ApproveEmail,
        Self::ConfirmNewEmail,
        Self::PasswordReset,
        Self::PasswordChanged,
        Self::GuestAccess,
    ];

    /// Returns the name in queues and items.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::OrderConfirmed => "order_confirmed",
            Self::OrderCancelled => "order_cancelled",
            Self::OrderFailed => "order_failed",
            Self::PaymentRefunded => "payment_refunded",
            Self::ConfirmEmail => "confirm_email",
            Self::ApproveEmail => "approve_email",
            Self::ConfirmNewEmail => "confirm_new_email",
            Self::PasswordReset => "password_reset",
            Self::PasswordChanged => "password_changed",
            Self::GuestAccess => "guest_access",
        }
    }

    /// Returns whether such messages are about an order. The others are about an account or a guest.
    #[must_use]
    pub fn is_about_order(self) -> bool {
        match self {
            Self::OrderConfirmed
            | Self::OrderCancelled
            | Self::OrderFailed
            | Self::PaymentRefunded => true,
            Self::ConfirmEmail
            | Self::ApproveEmail
            | Self::ConfirmNewEmail
            | Self::PasswordReset
            | Self::PasswordChanged
            | Self::GuestAccess => false,
        }
    }

    /// Returns whether such messages are about something like `about`.
    #[must_use]
    pub fn fits(self, about: About) -> bool {
        match about {
            About::Order(_) => self.is_about_order() && self != Self::PaymentRefunded,
            About::Refund { .. } => self == Self::PaymentRefunded,
            About::Guest { .. } => self == Self::GuestAccess,
            About::Account { .. } => !self.is_about_order() && self != Self::GuestAccess,
        }
    }
}

/// What a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// An order. There is one message of each template about it.
    Order(OrderId),
    /// A refund.
    Refund {
        /// The order whose payment was refunded.
        order_id: OrderId,
        /// The event that it succeeded. There is one message for it.
        occasion: EventId,
        /// What was refunded.
        amount: Money,
    },
    /// A guest.
    Guest {
        /// One of the guest's orders.
        order_id: OrderId,
        /// The request that caused the message. There is one message of each template for it.
        occasion: EventId,
    },
    /// A customer's account.
    Account {
        /// The customer.
        customer_id: CustomerId,
        /// The event or the request that caused the message. There is one message of each template for it.
        occasion: EventId,
    },
}

/// A request for a message. However often it is made, there is one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageRequest {
    /// What the message says.
    pub template: Template,
    /// What the message is about.
    pub about: About,
}

impl MessageRequest {
    /// Returns the identifier of the message, the same for each of these requests.
    #[must_use]
    pub fn message_id(self) -> MessageId {
        let about = match self.about {
            About::Order(order_id) => order_id.to_string(),
            About::Refund {
                order_id, occasion, ..
            }
            | About::Guest { order_id, occasion } => format!("{order_id} {occasion}"),
            About::Account {
                customer_id,
                occasion,
            } => format!("{customer_id} {occasion}"),
        };
        MessageId::derived(&["message", self.template.name(), &about])
    }
}

/// The recipient of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// The email address.
    pub email: Email,
    /// The name.
    pub name: String,
    /// Whether the recipient has confirmed the address. A guest has not.
    pub is_confirmed: bool,
    /// The language of the message.
    pub locale: Locale,
    /// The address of a page that the message leads to and that needs no sign-in.
    pub link: Option<String>,
}

impl From<Customer> for Recipient {
    fn from(customer: Customer) -> Self {
        Self {
            email: customer.email,
            name: customer.name,
            is_confirmed: customer.email_confirmed_at.is_some(),
            locale: customer.locale,
            link: None,
        }
    }
}

/// The status of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// An attempt to send it has begun. Whether it has been sent is not known.
    Sending,
    /// It has been sent.
    Sent,
    /// The last attempt certainly did not send it.
    Failed,
    /// It was not sent and will not be, because the mailbox had got as many of its kind that day as it may.
    Withheld,
}

/// The delivery of the queue that sends a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The queue's identifier of the request, the same each time it delivers it.
    pub delivery: String,
    /// How often the queue has delivered the request by now, from 1.
    pub receive_count: u32,
}

/// The record of a message. It contains neither the text nor the address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The request for it.
    pub request: MessageRequest,
    /// The customer whom it is for.
    pub customer_id: CustomerId,
    /// The status.
    pub status: Status,
    /// The delivery that sends it, or was the last to try.
    pub claim: Claim,
    /// Counts the attempts to send it, from 1.
    pub attempts: u32,
    /// When the first attempt began.
    pub created_at: Time,
    /// When it last changed.
    pub updated_at: Time,
}

/// Why a message was not sent. The queue delivers the request again, and finally moves it to the dead-letter
/// queue.
#[derive(Debug, thiserror::Error)]
pub enum NotificationError {
    /// The delivery is not a request for a message.
    #[error("the delivery is not a request for a message: {0}")]
    Unreadable(String),
    /// The order does not exist.
    #[error("there is no order {0}")]
    NoSuchOrder(OrderId),
    /// The customer does not exist.
    #[error("there is no customer {0}")]
    NoSuchCustomer(CustomerId),
    /// The link in the message could not be signed.
    #[error("the link in the message could not be signed")]
    Link(#[source] CustomerError),
    /// Another delivery is sending the message. The outcome will be known when this delivery is retried.
    #[error("another delivery is sending this message")]
    InProgress,
    /// The message was certainly not sent.
    #[error("the message was refused: {0}")]
    Refused(String),
    /// It is not known whether the message was sent.
    #[error("it is not known whether the message was sent: {0}")]
    Unknown(String),
    /// The text of the message could not be made.
    #[error("the text of the message could not be made")]
    Template(#[from] askama::Error),
    /// The order's amounts do not add up.
    #[error("the order's amounts do not add up")]
    Amount(#[from] MoneyError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
