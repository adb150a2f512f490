//! What a payment is.

use std::fmt;
use std::str::FromStr;

use crate::aws::dynamo::StoreError;
use crate::http::problem::Problem;
use crate::orders::model::PaymentStatus;
use crate::values::clock::Time;
use crate::values::event::Stamp;
use crate::values::id::{OrderId, PaymentId};
use crate::values::money::{Currency, Money, MoneyError};

/// The gateway told something, or a payment ended without it.
pub const PROCESSED: &str = "PaymentProcessed";
/// Money was given back.
pub const REFUNDED: &str = "PaymentRefunded";

/// What has been authorised, captured and refunded: refunded <= captured <= authorized, in one
/// currency, none below nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amounts {
    authorized: Money,
    captured: Money,
    refunded: Money,
}

impl Amounts {
    /// These amounts.
    ///
    /// # Errors
    /// [`PaymentError::Amounts`] if they break the order that they must be in.
    pub fn new(authorized: Money, captured: Money, refunded: Money) -> Result<Self, PaymentError> {
        let zero = Money::zero(authorized.currency());
        let ordered = zero.compare(refunded)?.is_le()
            && refunded.compare(captured)?.is_le()
            && captured.compare(authorized)?.is_le();
        if ordered {
            Ok(Self {
                authorized,
                captured,
                refunded,
            })
        } else {
            Err(PaymentError::Amounts)
        }
    }

    /// Nothing so far.
    #[must_use]
    pub fn none(currency: Currency) -> Self {
        let zero = Money::zero(currency);
        Self {
            authorized: zero,
            captured: zero,
            refunded: zero,
        }
    }

    /// Set aside or taken, in all.
    #[must_use]
    pub fn authorized(self) -> Money {
        self.authorized
    }

    /// Taken, in all.
    #[must_use]
    pub fn captured(self) -> Money {
        self.captured
    }

    /// Given back, in all.
    #[must_use]
    pub fn refunded(self) -> Money {
        self.refunded
    }
}

/// A company that moves the money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    /// The gateway for development: moves nothing, keeps books as if it did.
    Sandbox,
}

impl Provider {
    /// Its name: in the setting `PAYMENT_GATEWAY`, on the wire and as stored.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sandbox => "sandbox",
        }
    }
}

/// A text that names no gateway.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no payment gateway: {0:?}")]
pub struct NotAProvider(String);

impl FromStr for Provider {
    type Err = NotAProvider;

    fn from_str(text: &str) -> Result<Self, NotAProvider> {
        match text {
            "sandbox" => Ok(Self::Sandbox),
            _ => Err(NotAProvider(text.to_owned())),
        }
    }
}

/// The idempotency key of one attempt to charge an order, `<order>:<attempt>`: the gateway charges
/// once for it, however often it is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChargeKey(String);

impl ChargeKey {
    /// The key of attempt number `attempt`.
    #[must_use]
    pub fn new(order_id: OrderId, attempt: u32) -> Self {
        Self(format!("{order_id}:{attempt}"))
    }
}

impl fmt::Display for ChargeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The payment of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// Its id, which follows from the order's.
    pub id: PaymentId,
    /// The order.
    pub order_id: OrderId,
    /// Where it stands.
    pub status: PaymentStatus,
    /// Who moves the money.
    pub gateway: Provider,
    /// What is to be paid: the order's total.
    pub amount: Money,
    /// What has been.
    pub amounts: Amounts,
    /// The number of the present attempt, from 1; 0 when there was none and can be none.
    pub attempt: u32,
    /// Why the last attempt was declined, as the gateway calls it.
    pub decline: Option<String>,
    /// Whether the order has ended, so that all there is must be undone.
    pub void_requested: bool,
    /// The number of its events.
    pub version: u64,
    /// When it was stored.
    pub created_at: Time,
    /// When it last changed.
    pub updated_at: Time,
}

impl Payment {
    /// The id of `order_id`'s payment: one per order.
    #[must_use]
    pub fn id_of(order_id: OrderId) -> PaymentId {
        PaymentId::derived(&["payment", &order_id.to_string()])
    }

    /// The first attempt to be paid `amount` for `order_id`; of nothing, none is made.
    #[must_use]
    pub fn begin(order_id: OrderId, amount: Money, gateway: Provider, now: Time) -> Self {
        Self {
            id: Self::id_of(order_id),
            order_id,
            status: PaymentStatus::Pending,
            gateway,
            amount,
            amounts: Amounts::none(amount.currency()),
            attempt: u32::from(!amount.is_zero()),
            decline: None,
            void_requested: false,
            version: 0,
            created_at: now,
            updated_at: now,
        }
    }

    /// The record that an order ended before anything was charged: it takes the place in which a
    /// payment would have to be stored before it could begin.
    #[must_use]
    pub fn never(order_id: OrderId, amount: Money, gateway: Provider, now: Time) -> Self {
        Self {
            status: PaymentStatus::Voided,
            attempt: 0,
            void_requested: true,
            version: 1,
            ..Self::begin(order_id, amount, gateway, now)
        }
    }

    /// Whether nothing is to be paid: then no gateway hears of it, because none takes such a charge.
    #[must_use]
    pub fn is_free(&self) -> bool {
        self.amount.is_zero()
    }

    /// The gateway's idempotency key of the present attempt.
    #[must_use]
    pub fn key(&self) -> ChargeKey {
        ChargeKey::new(self.order_id, self.attempt)
    }
}

/// What is learnt about a payment, and with that what happens to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The gateway's answer is lost.
    Unknown,
    /// This much is set aside.
    Authorized(Money),
    /// This much is taken, in all.
    Captured(Money),
    /// Nothing is taken, with the gateway's code.
    Declined(String),
    /// Nothing is taken, nor can be any more.
    Voided,
    /// This much is given back, in all.
    Refunded(Money),
}

impl Change {
    /// The event that tells of it.
    #[must_use]
    pub fn event_type(&self) -> &'static str {
        match self {
            Self::Unknown
            | Self::Authorized(_)
            | Self::Captured(_)
            | Self::Declined(_)
            | Self::Voided => PROCESSED,
            Self::Refunded(_) => REFUNDED,
        }
    }

    /// The stamp of `payment`'s event after this change at `now`.
    #[must_use]
    pub fn stamp(&self, payment: &Payment, now: Time) -> Stamp {
        Stamp::new(payment.id, payment.version, self.event_type(), now)
    }
}

/// Why something cannot happen to a payment.
#[derive(Debug, thiserror::Error)]
pub enum PaymentError {
    /// The database gave no answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Amounts that would break refunded <= captured <= authorized.
    #[error("the amounts do not go together")]
    Amounts,
    /// Amounts in different currencies.
    #[error("the amounts do not go together")]
    Money(#[from] MoneyError),
    /// What the gateway says contradicts what is stored; only people can tell which is true.
    #[error("a payment that is {from} cannot become what the gateway says: {says}")]
    Contradiction {
        /// As stored.
        from: PaymentStatus,
        /// What the gateway says.
        says: String,
    },
}

impl From<PaymentError> for Problem {
    fn from(error: PaymentError) -> Self {
        match error {
            PaymentError::Store(error) => error.into(),
            PaymentError::Amounts | PaymentError::Money(_) | PaymentError::Contradiction { .. } => {
                Self::internal(error)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payments::fixtures::eur;

    #[test]
    fn amounts_are_in_their_order_or_not_at_all() {
        for (authorized, captured, refunded, right) in [
            ("0.00", "0.00", "0.00", true),
            ("3.00", "2.00", "1.00", true),
            ("2.00", "2.00", "2.00", true),
            ("1.99", "2.00", "1.00", false),
            ("3.00", "2.00", "2.01", false),
            ("3.00", "2.00", "-0.01", false),
            ("-1.00", "-1.00", "-1.00", false),
        ] {
            let amounts = Amounts::new(eur(authorized), eur(captured), eur(refunded));
            assert_eq!(amounts.is_ok(), right, "{authorized} {captured} {refunded}");
        }
        let dollars = Money::parse("1.00", "USD".parse().unwrap()).unwrap();
        assert!(Amounts::new(eur("2.00"), dollars, eur("0.00")).is_err());
    }
}
