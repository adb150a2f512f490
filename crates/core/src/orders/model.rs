//! What an order is.

use std::fmt;
use std::str::FromStr;

use crate::customers::model::{Email, Locale};
use crate::http::problem::Problem;
use crate::orders::uses::Use;
use crate::pricing::breakdown::Breakdown;
use crate::values::address::Address;
use crate::values::clock::Time;
use crate::values::event::Stamp;
use crate::values::id::{CustomerId, OrderId, ProductId};
use crate::values::money::{Money, MoneyError};

/// A text that names no value of its kind.
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
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name on the wire and in storage.
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
    /// Where an order stands.
    Status {
        /// Placed; the workflow has not come to an outcome.
        Pending = "pending",
        /// Held, paid, and to be delivered.
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
        /// Called off by its customer or an admin.
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
        /// A rule, the stock, the payment or the deadline said no.
        Fail = "fail",
        /// The customer or an admin calls it off.
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
    /// How an order's payment stands, as its customer sees it.
    PaymentStatus {
        /// Not tried yet.
        Pending = "pending",
        /// Tried; the outcome is not known yet.
        Processing = "processing",
        /// Authorised, not captured.
        Authorized = "authorized",
        /// Captured.
        Completed = "completed",
        /// Captured, and a part given back.
        PartiallyRefunded = "partially_refunded",
        /// Captured, and all given back.
        Refunded = "refunded",
        /// Nothing was taken, and nothing will be.
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
        /// Too little stock of at least one product.
        OutOfStock = "out_of_stock",
        /// The payment was declined.
        PaymentDeclined = "payment_declined",
        /// No outcome before the deadline.
        Expired = "expired",
    }
}

named! {
    /// How far the review of an order has come.
    ReviewState {
        /// An admin has to look at it; until then nothing is charged.
        Wanted = "wanted",
        /// An admin let it pass.
        Approved = "approved",
        /// An admin refused it; the order has failed.
        Rejected = "rejected",
    }
}

impl Status {
    /// Whether an order in this status may be called off: until it is picked.
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

    /// What the workflow has to bring about for an order in this status.
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

/// What the workflow has to bring about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Course {
    /// An outcome.
    Undecided,
    /// The hold is committed and the confirmation queued.
    Confirmed,
    /// The hold is released and the money returned.
    Closed,
}

/// Why an order failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// For programs.
    pub code: FailureCode,
    /// For people; at most [`Failure::DETAIL_BYTES`] bytes, because it is stored in the header.
    pub detail: String,
}

impl Failure {
    /// The most bytes that a detail has: the header stays within one write unit (1 KB).
    pub const DETAIL_BYTES: usize = 200;

    /// A failure whose detail is `detail`, cut to what the header has room for.
    #[must_use]
    pub fn new(code: FailureCode, detail: &str) -> Self {
        let detail = cut(detail);
        Self { code, detail }
    }
}

impl Review {
    /// A review that is wanted because of `reasons`.
    #[must_use]
    pub fn wanted(reasons: &str) -> Self {
        let reasons = cut(reasons);
        Self {
            state: ReviewState::Wanted,
            reasons,
        }
    }

    /// A review that has come to `state`.
    #[must_use]
    pub fn decided(state: ReviewState) -> Self {
        let reasons = String::new();
        Self { state, reasons }
    }
}

/// `text`, cut to what the header has room for.
fn cut(text: &str) -> String {
    if text.len() <= Failure::DETAIL_BYTES {
        return text.to_owned();
    }
    let ellipsis = '…';
    let end = text.floor_char_boundary(Failure::DETAIL_BYTES - ellipsis.len_utf8());
    format!("{}{ellipsis}", &text[..end])
}

/// A review of an order: a rule wants somebody to look at it before it is paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    /// How far it has come.
    pub state: ReviewState,
    /// What the rules found, for people; cut as a [`Failure`]'s detail. Empty once it is decided.
    pub reasons: String,
}

/// Somebody who orders without an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guest {
    /// Where messages about the order go.
    pub email: Email,
    /// The language that they are written in.
    pub locale: Locale,
}

/// A product of an order; an order has one line for each of its products.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The product.
    pub product_id: ProductId,
    /// Its name when the order was placed.
    pub name: String,
    /// How many.
    pub quantity: u32,
    /// The price of one when the order was placed.
    pub unit_price: Money,
}

impl Line {
    /// What the line costs.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`].
    pub fn subtotal(&self) -> Result<Money, MoneyError> {
        self.unit_price.times(self.quantity)
    }
}

/// An order, header and lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Its identifier.
    pub id: OrderId,
    /// Whose it is; of a guest, an identifier made for this one order.
    pub customer_id: CustomerId,
    /// Who placed it without an account, until an account claims it.
    pub guest: Option<Guest>,
    /// Where it stands.
    pub status: Status,
    /// How its payment stands.
    pub payment_status: PaymentStatus,
    /// What was bought, one line for each product.
    pub lines: Vec<Line>,
    /// What it costs, part by part; the lines have one entry each.
    pub breakdown: Breakdown,
    /// The uses of discounts that it took, and gives back when it fails or is cancelled.
    pub uses: Vec<Use>,
    /// What is charged.
    pub total: Money,
    /// Where it goes.
    pub shipping_address: Address,
    /// When its address is erased at the latest, its customer having gone.
    pub erase_at: Option<Time>,
    /// Why it failed, if it did.
    pub failure: Option<Failure>,
    /// Whether somebody has to look at it, or has.
    pub review: Option<Review>,
    /// How many events it has had.
    pub version: u64,
    /// When it was placed.
    pub created_at: Time,
    /// When it last changed.
    pub updated_at: Time,
    /// From when on nothing new is begun for it while it is pending.
    pub deadline_at: Time,
    /// What the gateway charges; `None` once the payment is settled. Never to be logged.
    pub payment_token: Option<String>,
    /// What it was before it was cancelled.
    pub cancelled_from: Option<Status>,
    /// When the workflow is run again; `None` once all that the status demands is done.
    pub due_at: Option<Time>,
    /// How often `run-due-orders` has run it since its status changed.
    pub due_attempts: u32,
    /// How often the workflow was started anew; part of the execution's name.
    pub run: u32,
    /// Hash of the request that placed it.
    pub request_hash: String,
    /// Counts all writes of the header, with and without an event: every write is conditional on it.
    pub revision: u64,
    /// The last event.
    pub event: Stamp,
}

impl Order {
    /// The entity tag: `<version>-<payment status>`, because the payment status changes without an
    /// event of the order, too; and so does the address when it is erased.
    #[must_use]
    pub fn tag(&self) -> String {
        let erased = if self.shipping_address.is_erased() {
            "-erased"
        } else {
            ""
        };
        format!("{}-{}{erased}", self.version, self.payment_status.as_str())
    }

    /// The key that orders a list of orders: by time, then by identifier.
    #[must_use]
    pub fn position(&self) -> String {
        format!("{}#{}", self.created_at, self.id)
    }

    /// Whether somebody has to look at it before it is paid.
    #[must_use]
    pub fn awaits_review(&self) -> bool {
        let state = self.review.as_ref().map(|review| review.state);
        state == Some(ReviewState::Wanted)
    }

    /// Whether nothing new may be begun for it any more at `now`.
    #[must_use]
    pub fn is_past_deadline(&self, now: Time) -> bool {
        now > self.deadline_at
    }
}

/// An event that an order's status does not allow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the order is {from}, which does not allow to {event} it; {}", legal_text(.legal))]
pub struct IllegalTransition {
    /// The order's status.
    pub from: Status,
    /// What was to happen.
    pub event: Event,
    /// What may happen instead.
    pub legal: Vec<Event>,
}

fn legal_text(legal: &[Event]) -> String {
    if legal.is_empty() {
        return "it is at its end".to_owned();
    }
    let names: Vec<&str> = legal.iter().map(|event| event.as_str()).collect();
    format!("possible are: {}", names.join(", "))
}

impl From<IllegalTransition> for Problem {
    fn from(error: IllegalTransition) -> Self {
        Self::Conflict(error.to_string())
    }
}
