//! What has been authorised, captured and refunded of a payment.

use crate::values::money::{Currency, Money, MoneyError};

/// What has been authorised, captured and refunded, in one currency: 0 <= refunded <= captured <=
/// authorized.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amounts {
    authorized: Money,
    captured: Money,
    refunded: Money,
}

/// Why amounts do not go together.
#[derive(Debug, thiserror::Error)]
pub enum AmountsError {
    /// They would break refunded <= captured <= authorized.
    #[error("the amounts are not refunded <= captured <= authorized")]
    Order,
    /// They are in different currencies.
    #[error(transparent)]
    Money(#[from] MoneyError),
}

impl Amounts {
    /// Creates the amounts.
    ///
    /// # Errors
    /// [`AmountsError`] if they are not in their order, or in different currencies.
    pub fn new(authorized: Money, captured: Money, refunded: Money) -> Result<Self, AmountsError> {
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
            Err(AmountsError::Order)
        }
    }

    /// Returns amounts of zero.
    #[must_use]
    pub fn none(currency: Currency) -> Self {
        let zero = Money::zero(currency);
        Self {
            authorized: zero,
            captured: zero,
            refunded: zero,
        }
    }

    /// Returns the total that was authorised.
    #[must_use]
    pub fn authorized(self) -> Money {
        self.authorized
    }

    /// Returns the total that was captured.
    #[must_use]
    pub fn captured(self) -> Money {
        self.captured
    }

    /// Returns the total that was refunded.
    #[must_use]
    pub fn refunded(self) -> Money {
        self.refunded
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payments::fixtures::eur;

    #[test]
    fn amounts_that_are_not_in_their_order_are_refused() {
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
