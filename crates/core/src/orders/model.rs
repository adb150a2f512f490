//! Orders and their parts.

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

/// Why an order failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// For programs.
    pub code: FailureCode,
    /// For people; at most [`Failure::DETAIL_BYTES`] bytes, because it is stored in the header.
    pub detail: String,
}

impl Failure {
    /// The most bytes that a detail may have, so that the header stays within one write unit (1 KB).
    pub const DETAIL_BYTES: usize = 200;

    /// Returns a failure with `detail`, cut to [`Failure::DETAIL_BYTES`].
    #[must_use]
    pub fn new(code: FailureCode, detail: &str) -> Self {
        let detail = cut(detail);
        Self { code, detail }
    }
}

impl Review {
    /// Returns a review that is wanted because of `reasons`, cut to [`Failure::DETAIL_BYTES`].
    #[must_use]
    pub fn wanted(reasons: &str) -> Self {
        let reasons = cut(reasons);
        Self {
            state: ReviewState::Wanted,
            reasons,
        }
    }

    /// Returns a review that was decided as `state`.
    #[must_use]
    pub fn decided(state: ReviewState) -> Self {
        let reasons = String::new();
        Self { state, reasons }
    }
}

/// Cuts `text` to what the header has room for.
fn cut(text: &str) -> String {
    if text.len() <= Failure::DETAIL_BYTES {
        return text.to_owned();
    }
    let ellipsis = '…';
    let end = text.floor_char_boundary(Failure::DETAIL_BYTES - ellipsis.len_utf8());
    format!("{}{ellipsis}", &text[..end])
}

/// A review of an order: a rule asks an admin to look at the order before it is paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    /// Whether it is decided, and how.
    pub state: ReviewState,
    /// The messages of the rules, for people; cut as a [`Failure`]'s detail. Empty once it is decided.
    pub reasons: String,
}

/// A person who orders without an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guest {
    /// The address for messages about the order.
    pub email: Email,
    /// The language of these messages.
    pub locale: Locale,
}

/// A product of an order; an order has one line for each of its products.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The product.
    pub product_id: ProductId,
    /// Its name when the order was placed.
    pub name: String,
    /// The number of pieces.
    pub quantity: u32,
    /// The price of one piece when the order was placed.
    pub unit_price: Money,
}

impl Line {
    /// Returns the price of the line, before discounts and tax.
    ///
    /// # Errors
    /// Returns [`MoneyError::TooLarge`] if [`Money`] cannot hold it.
    pub fn subtotal(&self) -> Result<Money, MoneyError> {
        self.unit_price.times(self.quantity)
    }
}

/// An order, header and lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Its identifier.
    pub id: OrderId,
    /// The customer; for a guest, an identifier that is made for this one order.
    pub customer_id: CustomerId,
    /// The guest who placed it, until an account claims it.
    pub guest: Option<Guest>,
    /// Its status.
    pub status: Status,
    /// The status of its payment.
    pub payment_status: PaymentStatus,
    /// One line for each product.
    pub lines: Vec<Line>,
    /// The parts of its total, with one entry for each line.
    pub breakdown: Breakdown,
    /// The uses of discounts that it took, and gives back when it fails or is cancelled.
    pub uses: Vec<Use>,
    /// The amount that is charged.
    pub total: Money,
    /// The address that it is shipped to.
    pub shipping_address: Address,
    /// When its address is erased at the latest, if its customer was deleted.
    pub erase_at: Option<Time>,
    /// Why it failed, if it did.
    pub failure: Option<Failure>,
    /// Its review, if a rule asked for one.
    pub review: Option<Review>,
    /// The number of its events.
    pub version: u64,
    /// When it was placed.
    pub created_at: Time,
    /// When it last changed.
    pub updated_at: Time,
    /// After this time nothing new is begun for it while it is pending.
    pub deadline_at: Time,
    /// The token that the gateway charges; `None` once the payment is settled. It must never be logged.
    pub payment_token: Option<String>,
    /// Its status before it was cancelled.
    pub cancelled_from: Option<Status>,
    /// When the workflow is run again; `None` once everything that the status demands is done.
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
    /// Returns the entity tag: `<version>-<payment status>`, and `-erased` once the address is erased, because both
    /// change without an event of the order.
    #[must_use]
    pub fn tag(&self) -> String {
        let erased = if self.shipping_address.is_erased() {
            "-erased"
        } else {
            ""
        };
        format!("{}-{}{erased}", self.version, self.payment_status.as_str())
    }

    /// Returns the sort key of lists of orders: the time, then the identifier.
    #[must_use]
    pub fn position(&self) -> String {
        format!("{}#{}", self.created_at, self.id)
    }

    /// Returns whether an admin has to review it before it is paid.
    #[must_use]
    pub fn awaits_review(&self) -> bool {
        let state = self.review.as_ref().map(|review| review.state);
        state == Some(ReviewState::Wanted)
    }

    /// Returns whether its deadline has passed at `now`.
    #[must_use]
    pub fn is_past_deadline(&self, now: Time) -> bool {
        now > self.deadline_at
    }
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
