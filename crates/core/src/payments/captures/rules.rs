//! Pure decisions about captures: what one takes, and when the gateway is asked about it.

use std::time::Duration;

use crate::aws::dynamo::StoreError;
use crate::http::problem::{Fault, Problem};
use crate::orders::lines::Item;
use crate::orders::model::{Course, Order, PaymentStatus};
use crate::payments::gateway::Charge;
use crate::payments::model::captures::Capture;
use crate::payments::model::{Change, Payment, PaymentError, Units};
use crate::payments::pieces::{self, PiecesError};
use crate::values::clock::Time;
use crate::values::id::CaptureId;
use crate::values::money::{Money, MoneyError};

/// When the gateway is asked again about an authorisation that is about to expire, or has.
pub const NEXT_LOOK: Duration = Duration::from_hours(12);

/// When a capture whose outcome is not known is repeated.
pub const RETRY: Duration = Duration::from_mins(1);

/// The most captures of a payment.
pub const MOST_CAPTURES: usize = 20;

/// What an admin wants to capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// All that is left.
    Rest,
    /// An amount.
    Amount(Money),
    /// Pieces of lines, each with its share of discounts, taxes and shipping.
    Lines(Vec<Item>),
}

/// A request for a capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// What is wanted.
    pub wanted: Wanted,
    /// Whether what is not captured then is released.
    pub last: bool,
}

/// Why a payment is not captured.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// The payment cannot be read or changed.
    #[error(transparent)]
    Payment(#[from] PaymentError),
    /// There is no such payment, or its order is gone.
    #[error("there is no such payment")]
    NotFound,
    /// The key was used with another request.
    #[error("the idempotency key was used with another request")]
    KeyReused,
    /// The request is at fault.
    #[error("the capture is not valid")]
    Invalid(Vec<Fault>),
    /// The order is not confirmed yet.
    #[error("the order is not confirmed yet: its payment can be captured then")]
    Unconfirmed,
    /// The order has ended.
    #[error("the order has ended: its payment is being voided or refunded")]
    Ended,
    /// The payment's status allows no capture.
    #[error("the payment is {0}, so there is nothing to capture")]
    NothingToCapture(PaymentStatus),
    /// The gateway has let the authorisation end.
    #[error(
        "the authorisation has ended at the gateway, so the payment cannot be captured any more"
    )]
    Expired,
    /// More than is left.
    #[error("only {left} of the payment is left to capture")]
    TooMuch {
        /// What is left.
        left: Money,
    },
    /// More pieces than are left.
    #[error("at most {left} of {name} can still be captured")]
    TooMany {
        /// The name of the line.
        name: String,
        /// How many pieces are left.
        left: u32,
    },
    /// The gateway captures a payment once, and the request leaves something.
    #[error(
        "this gateway captures a payment once: capture all that the order costs, or say with \"last\" that the rest is released"
    )]
    OnceOnly,
    /// Nothing would be captured or released, or nothing at all would be captured of the payment.
    #[error(
        "nothing would be captured: to release a payment of which nothing is captured, cancel its order"
    )]
    Nothing,
    /// There are too many captures.
    #[error("the payment was captured {} times: capture the rest at once, or release it", MOST_CAPTURES - 1)]
    TooManyCaptures,
    /// The outcome of another capture is not known yet.
    #[error("another capture of this payment is not decided yet")]
    Undecided,
}

impl From<StoreError> for CaptureError {
    fn from(error: StoreError) -> Self {
        Self::Payment(error.into())
    }
}

impl From<MoneyError> for CaptureError {
    fn from(error: MoneyError) -> Self {
        Self::Payment(error.into())
    }
}

impl From<CaptureError> for Problem {
    fn from(error: CaptureError) -> Self {
        match error {
            CaptureError::Payment(error) => error.into(),
            CaptureError::NotFound => Self::NotFound("payment"),
            CaptureError::KeyReused => Self::IdempotencyKeyReused,
            CaptureError::Invalid(faults) => Self::InvalidBody(faults),
            CaptureError::Unconfirmed
            | CaptureError::Ended
            | CaptureError::NothingToCapture(_)
            | CaptureError::Expired
            | CaptureError::TooMuch { .. }
            | CaptureError::TooMany { .. }
            | CaptureError::OnceOnly
            | CaptureError::Nothing
            | CaptureError::TooManyCaptures
            | CaptureError::Undecided => Self::Conflict(error.to_string()),
        }
    }
}

/// What a capture takes of a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The amount.
    pub amount: Money,
    /// The pieces that it is for.
    pub units: Units,
    /// Whether nothing can be captured after it.
    pub last: bool,
}

/// Decides what the capture `draft` takes of `payment`, which is for `order`, at a gateway that captures a charge
/// `in_parts` or once.
///
/// # Errors
/// [`CaptureError`] if the request is at fault, or asks for more than is left.
pub fn take(
    payment: &Payment,
    order: &Order,
    draft: &Draft,
    in_parts: bool,
) -> Result<Taken, CaptureError> {
    let left = payment.left_to_capture()?;
    let captured = captured_units(payment);
    let (amount, units) = match &draft.wanted {
        Wanted::Rest => (left, Units::new()),
        Wanted::Amount(amount) if amount.currency() == left.currency() => (*amount, Units::new()),
        Wanted::Amount(_) => {
            let currency = left.currency().code();
            return Err(CaptureError::Invalid(vec![Fault {
                pointer: "/amount/currency".to_owned(),
                code: "currency",
                detail: format!("the payment is in {currency}"),
            }]));
        }
        Wanted::Lines(lines) => {
            let taken = pieces::price(order, &captured, lines, left.currency())?;
            // Amounts may have been captured besides, so that less is left than the pieces are worth.
            let exceeds = taken.amount.compare(left)?.is_gt();
            (if exceeds { left } else { taken.amount }, taken.units)
        }
    };
    require_open(payment, order)?;
    if amount.compare(left)?.is_gt() {
        return Err(CaptureError::TooMuch { left });
    }
    let last = draft.last || amount == left;
    let releases = last && !payment.amounts.captured().is_zero();
    if amount.is_zero() && !releases {
        return Err(CaptureError::Nothing);
    }
    if !last && !in_parts {
        return Err(CaptureError::OnceOnly);
    }
    if !last && payment.captures.len() + 1 >= MOST_CAPTURES {
        return Err(CaptureError::TooManyCaptures);
    }
    Ok(Taken {
        amount,
        units,
        last,
    })
}

/// Returns an error unless `payment`, which is for `order`, can be captured now.
fn require_open(payment: &Payment, order: &Order) -> Result<(), CaptureError> {
    if payment.void_requested {
        return Err(CaptureError::Ended);
    }
    if !payment.awaits_capture() {
        return Err(CaptureError::NothingToCapture(payment.status));
    }
    match order.status.course() {
        Course::Undecided => Err(CaptureError::Unconfirmed),
        Course::Closed => Err(CaptureError::Ended),
        Course::Confirmed => Ok(()),
    }
}

/// Returns how many pieces of each variant are captured.
fn captured_units(payment: &Payment) -> Units {
    let mut units = Units::new();
    for capture in &payment.captures {
        for (variant, quantity) in &capture.units {
            *units.entry(*variant).or_default() += quantity;
        }
    }
    units
}

/// Decides what follows for `payment` from what its gateway says of its charge; `None` if that is what is stored.
#[must_use]
pub fn settle(payment: &Payment, charge: &Charge) -> Option<Change> {
    let news = |captured: &Money| *captured != payment.amounts.captured();
    match charge {
        Charge::PartlyCaptured { captured, .. } if news(captured) => {
            Some(Change::PartlyCaptured(*captured))
        }
        Charge::Captured { amount: captured } | Charge::Refunded { captured, .. } => {
            Some(Change::Captured(*captured))
        }
        Charge::Voided | Charge::Declined { .. } => Some(Change::Voided),
        Charge::NotFound
        | Charge::ActionRequired(_)
        | Charge::Authorized { .. }
        | Charge::PartlyCaptured { .. } => None,
    }
}

/// Returns the capture of `taken` that `draft` requested at `now`.
#[must_use]
pub fn capture(id: CaptureId, hash: &str, taken: Taken, now: Time) -> Capture {
    Capture {
        id,
        request_hash: hash.to_owned(),
        amount: taken.amount,
        units: taken.units,
        last: taken.last,
        created_at: now,
    }
}

impl From<PiecesError> for CaptureError {
    fn from(error: PiecesError) -> Self {
        match error {
            PiecesError::Invalid(faults) => Self::Invalid(faults),
            PiecesError::TooMany { name, left } => Self::TooMany { name, left },
            PiecesError::Money(error) => error.into(),
        }
    }
}
