//! Amounts as Stripe counts them: <https://docs.stripe.com/currencies#minor-units>. Most are in ISO 4217's smallest unit;
//! this module has the exceptions.

use crate::values::money::{Currency, Money, MoneyError};

/// How Stripe counts a currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Counting {
    /// In ISO 4217's smallest unit.
    Iso,
    /// ISO 4217 has no decimals, Stripe has two, which must be zero
    /// (<https://docs.stripe.com/currencies#special-cases>).
    Hundredths,
    /// ISO 4217 has two decimals, Stripe has none (<https://docs.stripe.com/currencies#zero-decimal>).
    Whole,
    /// In thousandths, of which the last digit must be zero
    /// (<https://docs.stripe.com/currencies#three-decimal>).
    Tens,
}

/// Forints and Taiwan dollars are charged in hundredths, as ISO 4217 has them; only payouts of them are whole.
fn counting(currency: Currency) -> Counting {
    match currency.code() {
        "ISK" | "UGX" => Counting::Hundredths,
        "MGA" => Counting::Whole,
        _ if currency.exponent() == 3 => Counting::Tens,
        _ => Counting::Iso,
    }
}

/// Returns `amount` as Stripe counts it, or `None` if it is negative or Stripe cannot charge exactly as much. It is not
/// rounded, because an order is paid with its total and nothing else.
pub(super) fn to_stripe(amount: Money) -> Option<u64> {
    let units = amount.minor_units()?;
    match counting(amount.currency()) {
        Counting::Iso => Some(units),
        Counting::Hundredths => units.checked_mul(100),
        Counting::Whole => units.is_multiple_of(100).then_some(units / 100),
        Counting::Tens => units.is_multiple_of(10).then_some(units),
    }
}

/// Returns what `units` of the currency `code`, in lower case as Stripe has it, are.
///
/// # Errors
/// [`MoneyError`] if there is no such currency, or no such amount of it.
pub(super) fn from_stripe(units: u64, code: &str) -> Result<Money, MoneyError> {
    let currency: Currency = code.to_ascii_uppercase().parse()?;
    let units = match counting(currency) {
        Counting::Iso | Counting::Tens => units,
        Counting::Hundredths if units.is_multiple_of(100) => units / 100,
        Counting::Hundredths => return Err(MoneyError::TooManyDecimals),
        Counting::Whole => units.checked_mul(100).ok_or(MoneyError::TooLarge)?,
    };
    Money::from_minor_units(units, currency)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn money(amount: &str, currency: &str) -> Money {
        Money::parse(amount, currency.parse().unwrap()).unwrap()
    }

    #[test]
    fn amounts_are_in_the_unit_of_their_currency() {
        for (amount, currency, units) in [
            ("10.99", "EUR", Some(1099)),
            ("0.00", "EUR", Some(0)),
            ("-0.01", "EUR", None),
            ("500", "JPY", Some(500)),
            ("500", "XAF", Some(500)),
            ("5", "ISK", Some(500)),
            ("5", "UGX", Some(500)),
            ("5.00", "MGA", Some(5)),
            ("5.50", "MGA", None),
            ("10.45", "HUF", Some(1045)),
            ("800.45", "TWD", Some(80045)),
            ("5.120", "KWD", Some(5120)),
            ("5.124", "KWD", None),
            ("5.130", "TND", Some(5130)),
        ] {
            let counted = to_stripe(money(amount, currency));
            assert_eq!(counted, units, "{amount} {currency}");
            if let Some(units) = units {
                let back = from_stripe(units, &currency.to_lowercase()).unwrap();
                assert_eq!(back, money(amount, currency));
            }
        }
        assert!(from_stripe(550, "isk").is_err());
        assert!(from_stripe(1, "").is_err());
        assert!(from_stripe(u64::MAX, "mga").is_err());
    }

    proptest! {
        #[test]
        fn what_is_counted_comes_back_as_it_was(
            units in 0_u64..100_000_000_000,
            code in prop::sample::select(vec!["EUR", "JPY", "ISK", "UGX", "MGA", "KWD", "HUF"]),
        ) {
            let amount = Money::from_minor_units(units, code.parse().unwrap()).unwrap();
            if let Some(counted) = to_stripe(amount) {
                prop_assert_eq!(from_stripe(counted, &code.to_lowercase()).unwrap(), amount);
            }
        }
    }
}
