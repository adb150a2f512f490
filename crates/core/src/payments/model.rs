//! Payments and the changes that happen to them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::aws::dynamo::StoreError;
use crate::http::problem::Problem;
use crate::orders::model::PaymentStatus;
use crate::values::clock::Time;
use crate::values::event::Stamp;
use crate::values::id::{AttemptId, OrderId, PaymentId, RefundId, VariantId};
use crate::values::money::{Money, MoneyError};

use captures::Capture;
use disputes::{Dispute, Disputes};
use gift_cards::GiftCardPart;

pub use super::providers::{GatewayName, Provider};
pub use amounts::{Amounts, AmountsError};
pub use captures::CaptureTime;
pub use keys::{ChargeKey, InvalidChargeKey, RefundKey};

mod amounts;
pub mod captures;
pub mod disputes;
pub mod gift_cards;
mod keys;

/// The type of the event that a payment's status changed, other than by a refund.
pub const PROCESSED: &str = "PaymentProcessed";
/// The type of the event that money was refunded.
pub const REFUNDED: &str = "PaymentRefunded";

/// The type of the event that a refund came back, which had succeeded.
pub const REFUND_RETURNED: &str = "PaymentRefundReturned";

/// The type of the event that a payment was disputed, or a dispute decided.
pub const DISPUTED: &str = "PaymentDisputed";

/// What the shopper has to do before a payment can go on, on the wire and as stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Action {
    /// Open this address, at which the bank asks them to confirm the payment.
    Redirect {
        /// The address.
        url: String,
    },
    /// Let the provider's script in the shop's page ask them, such as `stripe.handleNextAction`. The secret is for the
    /// shopper's browser alone, and must never be logged.
    Script {
        /// What the script takes.
        client_secret: String,
    },
}

/// A request to pay with another token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retry {
    /// Its identifier, which follows from its `Idempotency-Key`.
    pub id: AttemptId,
    /// A hash of its body.
    pub request_hash: String,
}

/// How many pieces of each variant.
pub type Units = BTreeMap<VariantId, u32>;

/// The payment of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "what is stored of a payment beside its status"
)]
pub struct Payment {
    /// Its id, which follows from the order's.
    pub id: PaymentId,
    /// The order.
    pub order_id: OrderId,
    /// Its status.
    pub status: PaymentStatus,
    /// The gateway that moves the money. It changes only when the current attempt is voided there, together with the
    /// attempt's number.
    pub gateway: GatewayName,
    /// Whether the current attempt is given up, so that another gateway takes the next one: it is voided first.
    pub leaving: bool,
    /// The amount to pay at the gateway: the order's total without what gift cards pay.
    pub amount: Money,
    /// When it is captured.
    pub capture: CaptureTime,
    /// What gift cards pay of the order.
    pub gift_cards: GiftCardPart,
    /// What was authorised, captured and refunded of it.
    pub amounts: Amounts,
    /// When it was authorised, if it is to be captured later.
    pub authorized_at: Option<Time>,
    /// The captures that have succeeded, if it is not captured at once.
    pub captures: Vec<Capture>,
    /// The capture whose outcome is not known yet.
    pub capturing: Option<Capture>,
    /// When the gateway is asked about it, while it waits for a capture.
    pub due_at: Option<Time>,
    /// How much of it refunds have taken that have not failed: at least what is refunded, at most what is captured.
    pub refunding: Money,
    /// The disputes of it.
    pub disputes: Disputes,
    /// What open and lost disputes have taken.
    pub disputed: Money,
    /// What lost disputes have taken.
    pub lost: Money,
    /// How many pieces of each variant refunds have taken that have not failed.
    pub refunded_units: Units,
    /// How many pieces of each variant have come back into stock by refunds.
    pub restocked: Units,
    /// The number of the current attempt, from 1; 0 if there was none and there will be none.
    pub attempt: u32,
    /// The gateway's code for why the last attempt was declined.
    pub decline: Option<String>,
    /// What the shopper has to do, while the payment requires an action.
    pub action: Option<Action>,
    /// The token of the current attempt, until it has an outcome, if it is not the order's. It must never be logged.
    pub token: Option<String>,
    /// The requests for the attempts after the first.
    pub retries: Vec<Retry>,
    /// Whether the order has ended, so that the payment has to be undone.
    pub void_requested: bool,
    /// Whether a refund came back after all was undone: what is left then is for a person to refund.
    pub reopened: bool,
    /// Whether all its movements of money are in the ledger: earlier releases had none.
    pub in_ledger: bool,
    /// The number of its events.
    pub version: u64,
    /// When it was stored.
    pub created_at: Time,
    /// When it last changed.
    pub updated_at: Time,
}

impl Payment {
    /// Returns the id of the one payment of `order_id`.
    #[must_use]
    pub fn id_of(order_id: OrderId) -> PaymentId {
        PaymentId::derived(&["payment", &order_id.to_string()])
    }

    /// Returns the payment of `order_id` before its first attempt. A payment of zero has no attempt.
    #[must_use]
    pub fn begin(
        order_id: OrderId,
        amount: Money,
        gateway: impl Into<GatewayName>,
        now: Time,
    ) -> Self {
        Self {
            id: Self::id_of(order_id),
            order_id,
            status: PaymentStatus::Pending,
            gateway: gateway.into(),
            leaving: false,
            amount,
            capture: CaptureTime::AtOnce,
            gift_cards: GiftCardPart::none(amount.currency()),
            amounts: Amounts::none(amount.currency()),
            authorized_at: None,
            captures: Vec::new(),
            capturing: None,
            due_at: None,
            refunding: Money::zero(amount.currency()),
            disputes: Disputes::new(),
            disputed: Money::zero(amount.currency()),
            lost: Money::zero(amount.currency()),
            refunded_units: Units::new(),
            restocked: Units::new(),
            attempt: u32::from(!amount.is_zero()),
            decline: None,
            action: None,
            token: None,
            retries: Vec::new(),
            void_requested: false,
            reopened: false,
            in_ledger: true,
            version: 0,
            created_at: now,
            updated_at: now,
        }
    }

    /// Returns the payment of an order of which gift cards pay `amount`.
    #[must_use]
    pub fn beside_gift_cards(self, amount: Money) -> Self {
        Self {
            gift_cards: GiftCardPart::of(amount),
            ..self
        }
    }

    /// Returns the record that an order ended before anything was charged. It takes the key under which a
    /// payment would have to be stored before it could begin.
    #[must_use]
    pub fn never_charged(
        order_id: OrderId,
        amount: Money,
        gateway: impl Into<GatewayName>,
        now: Time,
    ) -> Self {
        Self {
            status: PaymentStatus::Voided,
            attempt: 0,
            void_requested: true,
            version: 1,
            ..Self::begin(order_id, amount, gateway, now)
        }
    }

    /// Returns whether nothing has to be paid. The gateway is not called then, because none takes a charge of zero.
    #[must_use]
    pub fn is_free(&self) -> bool {
        self.amount.is_zero()
    }

    /// Returns whether its current attempt has no outcome yet.
    #[must_use]
    pub fn is_open(&self) -> bool {
        match self.status {
            PaymentStatus::Pending
            | PaymentStatus::Processing
            | PaymentStatus::RequiresAction
            | PaymentStatus::Authorized => true,
            PaymentStatus::Completed
            | PaymentStatus::PartiallyRefunded
            | PaymentStatus::Refunded
            | PaymentStatus::Voided
            | PaymentStatus::Failed => false,
        }
    }

    /// Returns whether it is authorised, and waits for captures.
    #[must_use]
    pub fn awaits_capture(&self) -> bool {
        self.capture == CaptureTime::AtShipment && self.status == PaymentStatus::Authorized
    }

    /// Returns what can still be captured.
    ///
    /// # Errors
    /// [`MoneyError`] if the amounts are in different currencies.
    pub fn left_to_capture(&self) -> Result<Money, MoneyError> {
        self.amounts.authorized().minus(self.amounts.captured())
    }

    /// Returns what can still be refunded, at the gateway and to gift cards.
    ///
    /// # Errors
    /// [`MoneyError`] if the amounts are in different currencies.
    pub fn left_to_refund(&self) -> Result<Money, MoneyError> {
        self.left_at_gateway()?.plus(self.gift_cards.left()?)
    }

    /// Returns what can still be refunded at the gateway.
    ///
    /// # Errors
    /// [`MoneyError`] if the amounts are in different currencies.
    pub fn left_at_gateway(&self) -> Result<Money, MoneyError> {
        self.left_of(self.refunding)
    }

    /// Returns whether a refund has no outcome yet.
    #[must_use]
    pub fn has_pending_refund(&self) -> bool {
        let cards = self.gift_cards;
        self.refunding != self.amounts.refunded() || cards.refunding != cards.refunded
    }

    /// Returns what the shop still has of what was captured.
    ///
    /// # Errors
    /// [`MoneyError`] if the amounts are in different currencies.
    pub fn kept(&self) -> Result<Money, MoneyError> {
        self.left_of(self.amounts.refunded())
    }

    /// Returns what is left once refunds have taken `refunds`. A bank may dispute what was refunded before.
    fn left_of(&self, refunds: Money) -> Result<Money, MoneyError> {
        let left = self
            .amounts
            .captured()
            .minus(refunds)?
            .minus(self.disputed)?;
        let zero = Money::zero(left.currency());
        Ok(if left.is_positive() { left } else { zero })
    }

    /// Returns the idempotency key of the refund with `id`.
    #[must_use]
    pub fn refund_key(&self, id: RefundId) -> RefundKey {
        let charge = self.key();
        RefundKey { charge, refund: id }
    }

    /// Returns the id of the refund of all that is left when the order ends. What a bank gives back later is another refund.
    #[must_use]
    pub fn last_refund_id(&self) -> RefundId {
        let id = self.id.to_string();
        if self.disputes.is_empty() {
            return RefundId::derived(&["rest", &id]);
        }
        let refunded = self.amounts.refunded().to_string();
        RefundId::derived(&["rest", &id, &refunded])
    }

    /// Returns the idempotency key of the current attempt.
    #[must_use]
    pub fn key(&self) -> ChargeKey {
        ChargeKey::new(self.order_id, self.attempt).at(self.gateway.clone())
    }
}

/// A change of a payment, which follows from a response of the gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The gateway's response was lost.
    Unknown,
    /// The shopper has to do this.
    ActionRequired(Action),
    /// This total is authorised.
    Authorized(Money),
    /// This total is captured, and more can be.
    PartlyCaptured(Money),
    /// This total is captured, and no more can be.
    Captured(Money),
    /// The charge was declined, with the gateway's code.
    Declined(String),
    /// The charge was voided before anything was captured.
    Voided,
    /// The gateway has this of a dispute.
    Disputed {
        /// The gateway's identifier of it.
        id: String,
        /// The dispute.
        dispute: Dispute,
    },
    /// This total is refunded.
    Refunded {
        /// The total.
        total: Money,
        /// The refund that has succeeded.
        by: RefundId,
    },
}

impl Change {
    /// Returns the type of its event.
    #[must_use]
    pub fn event_type(&self) -> &'static str {
        match self {
            Self::Unknown
            | Self::ActionRequired(_)
            | Self::Authorized(_)
            | Self::PartlyCaptured(_)
            | Self::Captured(_)
            | Self::Declined(_)
            | Self::Voided => PROCESSED,
            Self::Disputed { .. } => DISPUTED,
            Self::Refunded { .. } => REFUNDED,
        }
    }

    /// Returns the stamp of the event of `payment`, as it is after this change at `now`.
    #[must_use]
    pub fn stamp(&self, payment: &Payment, now: Time) -> Stamp {
        Stamp::new(payment.id, payment.version, self.event_type(), now)
    }
}

/// Why a payment cannot be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum PaymentError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The amounts do not go together.
    #[error(transparent)]
    Amounts(#[from] AmountsError),
    /// The amounts are in different currencies.
    #[error("the amounts are in different currencies")]
    Money(#[from] MoneyError),
    /// The outcome of what the change is about is not known yet; it can be made later.
    #[error("the outcome of the payment is not known yet")]
    Undecided,
    /// The gateway's books contradict the stored payment; a person has to look at it.
    #[error("the stored payment is {from}, but the gateway says {says}")]
    Contradiction {
        /// The stored status.
        from: PaymentStatus,
        /// What the gateway says.
        says: String,
    },
}

impl From<PaymentError> for Problem {
    fn from(error: PaymentError) -> Self {
        match error {
            PaymentError::Store(error) => error.into(),
            PaymentError::Undecided => Self::Busy(error.into()),
            PaymentError::Amounts(_)
            | PaymentError::Money(_)
            | PaymentError::Contradiction { .. } => Self::internal(error),
        }
    }
}
