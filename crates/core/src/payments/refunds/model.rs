//! Refunds and why they are refused.

use std::fmt;
use std::str::FromStr;

use crate::aws::dynamo::StoreError;
use crate::http::problem::{Fault, Problem};
use crate::orders::model::PaymentStatus;
use crate::payments::model::{PaymentError, Units};
use crate::payments::pieces::PiecesError;
use crate::values::clock::Time;
use crate::values::id::{OrderId, PaymentId, RefundId};
use crate::values::money::{Money, MoneyError};

/// The state of a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefundStatus {
    /// It is stored; whether it succeeds is not known yet.
    Pending,
    /// The gateway has refunded it.
    Succeeded,
    /// The gateway has refused it.
    Failed,
}

impl RefundStatus {
    const ALL: [Self; 3] = [Self::Pending, Self::Succeeded, Self::Failed];

    /// Returns its name on the wire and as stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }
}

/// A text that is not the name of a status.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown status of a refund {0:?}")]
pub struct UnknownRefundStatus(String);

impl FromStr for RefundStatus {
    type Err = UnknownRefundStatus;

    fn from_str(text: &str) -> Result<Self, UnknownRefundStatus> {
        let found = Self::ALL.into_iter().find(|status| status.as_str() == text);
        found.ok_or_else(|| UnknownRefundStatus(text.to_owned()))
    }
}

impl fmt::Display for RefundStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A refund.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refund {
    /// Its id, which follows from the `Idempotency-Key`.
    pub id: RefundId,
    /// The payment.
    pub payment_id: PaymentId,
    /// The order that was paid.
    pub order_id: OrderId,
    /// What is refunded.
    pub amount: Money,
    /// How much of it goes to the gift cards that the order took from; the rest goes to the gateway.
    pub gift_card_amount: Money,
    /// The pieces that it is for; empty if it is for an amount.
    pub units: Units,
    /// What the admin wrote, for people.
    pub reason: Option<String>,
    /// Whether the pieces come back into stock.
    pub restock: bool,
    /// Its status.
    pub status: RefundStatus,
    /// The gateway's code for why it failed.
    pub failure: Option<String>,
    /// How often its outcome was asked for.
    pub attempts: u32,
    /// When its outcome is asked for again; `None` once it is known.
    pub due_at: Option<Time>,
    /// Hash of the request that made it.
    pub request_hash: String,
    /// When it was stored.
    pub created_at: Time,
    /// When it last changed.
    pub updated_at: Time,
}

impl Refund {
    /// Returns what the gateway refunds.
    ///
    /// # Errors
    /// [`MoneyError`] if the amounts are in different currencies.
    pub fn gateway_amount(&self) -> Result<Money, MoneyError> {
        self.amount.minus(self.gift_card_amount)
    }

    /// Returns `units` with those of the refund added.
    #[must_use]
    pub fn added_to(&self, units: &Units) -> Units {
        let mut sum = units.clone();
        for (variant, quantity) in &self.units {
            *sum.entry(*variant).or_default() += quantity;
        }
        sum
    }

    /// Returns `units` without those of the refund.
    #[must_use]
    pub fn taken_from(&self, units: &Units) -> Units {
        let left = units.iter().map(|(variant, quantity)| {
            let taken = self.units.get(variant).copied().unwrap_or(0);
            (*variant, quantity.saturating_sub(taken))
        });
        left.filter(|(_, quantity)| *quantity > 0).collect()
    }
}

/// Why a refund cannot be made, read or settled.
#[derive(Debug, thiserror::Error)]
pub enum RefundError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The payment cannot be read or changed.
    #[error(transparent)]
    Payment(#[from] PaymentError),
    /// The amounts cannot be added.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// There is no such payment, or its order is gone.
    #[error("there is no such payment")]
    NotFound,
    /// The key was used with another request.
    #[error("the idempotency key was used with another request")]
    KeyReused,
    /// The request is at fault.
    #[error("the refund is not valid")]
    Invalid(Vec<Fault>),
    /// The payment's status allows no refund.
    #[error("the payment is {0}, so there is nothing to refund")]
    NothingToRefund(PaymentStatus),
    /// The order has ended, and all that is left is being refunded.
    #[error("the order has ended: all that is left of its payment is being refunded")]
    Ending,
    /// The pieces cost nothing, and no gateway refunds nothing.
    #[error("these pieces cost nothing, so there is nothing to refund")]
    Worthless,
    /// More than is left.
    #[error("only {left} of the payment is left to refund")]
    TooMuch {
        /// What is left.
        left: Money,
    },
    /// More pieces than are left.
    #[error("at most {left} of {name} can still be refunded")]
    TooMany {
        /// The name of the line.
        name: String,
        /// How many pieces are left.
        left: u32,
    },
}

impl From<PiecesError> for RefundError {
    fn from(error: PiecesError) -> Self {
        match error {
            PiecesError::Invalid(faults) => Self::Invalid(faults),
            PiecesError::TooMany { name, left } => Self::TooMany { name, left },
            PiecesError::Money(error) => Self::Money(error),
        }
    }
}

impl From<RefundError> for Problem {
    fn from(error: RefundError) -> Self {
        match error {
            RefundError::Store(error) => error.into(),
            RefundError::Payment(error) => error.into(),
            RefundError::Money(error) => Self::internal(error),
            RefundError::NotFound => Self::NotFound("payment"),
            RefundError::KeyReused => Self::IdempotencyKeyReused,
            RefundError::Invalid(faults) => Self::InvalidBody(faults),
            RefundError::NothingToRefund(_)
            | RefundError::Ending
            | RefundError::Worthless
            | RefundError::TooMuch { .. }
            | RefundError::TooMany { .. } => Self::Conflict(error.to_string()),
        }
    }
}
