//! The part of an order that gift cards pay, beside its payment.

use crate::values::money::{Currency, Money, MoneyError};

/// What gift cards pay, and how much of it refunds return to them: 0 <= refunded <= refunding <= amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GiftCardPart {
    /// What they pay.
    pub amount: Money,
    /// How much of it refunds have taken that have not failed.
    pub refunding: Money,
    /// How much of it refunds have returned.
    pub refunded: Money,
}

impl GiftCardPart {
    /// Returns the part of an order that no gift card pays.
    #[must_use]
    pub fn none(currency: Currency) -> Self {
        Self::of(Money::zero(currency))
    }

    /// Returns the part `amount`, of which nothing is refunded.
    #[must_use]
    pub fn of(amount: Money) -> Self {
        let zero = Money::zero(amount.currency());
        Self {
            amount,
            refunding: zero,
            refunded: zero,
        }
    }

    /// Returns this part when all of it is returned.
    #[must_use]
    pub fn all_refunded(self) -> Self {
        Self {
            refunding: self.amount,
            refunded: self.amount,
            ..self
        }
    }

    /// Returns what refunds can still take.
    ///
    /// # Errors
    /// [`MoneyError`] if the amounts are in different currencies.
    pub fn left(self) -> Result<Money, MoneyError> {
        self.amount.minus(self.refunding)
    }
}
