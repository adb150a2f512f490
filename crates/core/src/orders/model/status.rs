//! The statuses of an order and of its parts, and what changes them.

use std::fmt;
use std::str::FromStr;

use crate::http::problem::Problem;

/// A text that is not the name of a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not one of the known names: {0:?}")]
pub struct UnknownName(String);

macro_rules! named {
    ($(#[$doc:meta])* $kind:ident { $($(#[$variant_doc:meta])* $variant:ident = $name:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $kind {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $kind {
            /// All values.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Returns the name on the wire and in storage.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }

        impl fmt::Display for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $kind {
            type Err = UnknownName;

            fn from_str(text: &str) -> Result<Self, UnknownName> {
                match text {
                    $($name => Ok(Self::$variant),)*
                    _ => Err(UnknownName(text.to_owned())),
                }
            }
        }
    };
}

named! {
    /// The status of an order.
    Status {
        /// Placed; the workflow has not decided it yet.
        Pending = "pending",
        /// Its stock is held and its payment captured.
        Confirmed = "confirmed",
        /// Being picked.
        Processing = "processing",
        /// Handed to a carrier.
        Shipped = "shipped",
        /// Received.
        Delivered = "delivered",
        /// Received, and the time for a return is over.
        Completed = "completed",
        /// Sent back.
        Returned = "returned",
        /// Cancelled by its customer or an admin.
        Cancelled = "cancelled",
        /// Never confirmed; `failure` says why.
        Failed = "failed",
    }
}

named! {
    /// What changes an order's status.
    Event {
        /// Stock is held and the payment captured.
        Confirm = "confirm",
        /// A rule was not passed, stock was missing, the payment was declined, or the deadline passed.
        Fail = "fail",
        /// The customer or an admin cancels it.
        Cancel = "cancel",
        /// Picking begins.
        Process = "process",
        /// A carrier takes it.
        Ship = "ship",
        /// The customer has it.
        Deliver = "deliver",
        /// The time for a return is over.
        Complete = "complete",
        /// The customer sends it back.
        Return = "return",
    }
}

named! {
    /// The status of an order's payment, as its customer sees it.
    PaymentStatus {
        /// Not begun yet.
        Pending = "pending",
        /// Begun; the outcome is not known yet.
        Processing = "processing",
        /// Begun; it goes on once the shopper has done what their bank wants.
        RequiresAction = "requires_action",
        /// Authorised, not captured.
        Authorized = "authorized",
        /// Captured.
        Completed = "completed",
        /// Captured, and partly refunded.
        PartiallyRefunded = "partially_refunded",
        /// Captured, and fully refunded.
        Refunded = "refunded",
        /// Nothing was captured, and nothing will be.
        Voided = "voided",
        /// Declined.
        Failed = "failed",
    }
}

named! {
    /// Why an order failed, for programs.
    FailureCode {
        /// A rule of the shop was not passed.
        RuleFailed = "rule_failed",
        /// At least one product has too little stock.
        OutOfStock = "out_of_stock",
        /// The payment was declined.
        PaymentDeclined = "payment_declined",
        /// No outcome before the deadline.
        Expired = "expired",
    }
}

named! {
    /// The state of an order's review.
    ReviewState {
        /// An admin has to decide; until then nothing is charged.
        Wanted = "wanted",
        /// An admin approved the order.
        Approved = "approved",
        /// An admin rejected the order, which has failed.
        Rejected = "rejected",
    }
}

impl Status {
    /// Returns whether an order in this status may be cancelled, which it may until it is picked.
    #[must_use]
    pub fn can_cancel(self) -> bool {
        match self {
            Self::Pending | Self::Confirmed => true,
            Self::Processing
            | Self::Shipped
            | Self::Delivered
            | Self::Completed
            | Self::Returned
            | Self::Cancelled
            | Self::Failed => false,
        }
    }

    /// Returns what the workflow has to achieve for an order in this status.
    #[must_use]
    pub fn course(self) -> Course {
        match self {
            Self::Pending => Course::Undecided,
            Self::Confirmed
            | Self::Processing
            | Self::Shipped
            | Self::Delivered
            | Self::Completed
            | Self::Returned => Course::Confirmed,
            Self::Cancelled | Self::Failed => Course::Closed,
        }
    }
}

/// What the workflow has to achieve for an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Course {
    /// The order is to be confirmed or failed.
    Undecided,
    /// The hold is to be committed and the confirmation to be queued.
    Confirmed,
    /// The hold is to be released and the money to be returned.
    Closed,
}

/// An event that an order's status does not allow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("A {from} order cannot be {}{}.", event.participle(), alternatives(legal))]
pub struct IllegalTransition {
    /// The order's status.
    pub from: Status,
    /// The event.
    pub event: Event,
    /// The events that the status allows.
    pub legal: Vec<Event>,
}

fn alternatives(legal: &[Event]) -> String {
    let names: Vec<&str> = legal.iter().map(|event| event.participle()).collect();
    match names.as_slice() {
        [] => String::new(),
        names => format!("; it can only be {}", names.join(" or ")),
    }
}

impl Event {
    fn participle(self) -> &'static str {
        match self {
            Self::Confirm => "confirmed",
            Self::Fail => "failed",
            Self::Cancel => "cancelled",
            Self::Process => "processed",
            Self::Ship => "shipped",
            Self::Deliver => "delivered",
            Self::Complete => "completed",
            Self::Return => "returned",
        }
    }
}

impl From<IllegalTransition> for Problem {
    fn from(error: IllegalTransition) -> Self {
        Self::Conflict(error.to_string())
    }
}
