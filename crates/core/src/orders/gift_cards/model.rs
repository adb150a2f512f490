//! Gift cards.

use crate::values::clock::Time;
use crate::values::id::{CustomerId, GiftCardId};
use crate::values::money::Money;

/// A gift card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GiftCard {
    /// Its id, which follows from the `Idempotency-Key`.
    pub id: GiftCardId,
    /// The last four characters of its code.
    pub last_four: String,
    /// What it was issued with.
    pub issued: Money,
    /// What is left of it.
    pub balance: Money,
    /// The only customer who can redeem it, if it is store credit.
    pub customer_id: Option<CustomerId>,
    /// When it stops to pay, if it does. What comes back later is kept on it, too.
    pub expires_at: Option<Time>,
    /// Hash of the request that issued it.
    pub request_hash: String,
    /// When it was issued.
    pub created_at: Time,
    /// When its balance last changed.
    pub updated_at: Time,
}

/// Why a gift card does not pay for an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No card has this code.
    #[error("no gift card has this code")]
    UnknownCode,
    /// It has expired.
    #[error("this gift card has expired")]
    Expired,
    /// The order is in another currency.
    #[error("this gift card is for orders in another currency")]
    OtherCurrency,
    /// It is the store credit of another customer.
    #[error("this gift card belongs to another customer")]
    OtherCustomer,
    /// Nothing is left of it.
    #[error("nothing is left on this gift card")]
    Empty,
}

impl Refusal {
    /// Returns its code, for programs.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::UnknownCode => "unknown_code",
            Self::Expired => "expired",
            Self::OtherCurrency => "other_currency",
            Self::OtherCustomer => "other_customer",
            Self::Empty => "empty",
        }
    }
}
