//! Dividing an amount so that the parts add up to the whole.

use super::{Money, MoneyError};

impl Money {
    /// Splits this amount into one part for each of `weights`, in proportion to them. Parts are whole
    /// smallest units; units left over go one by one to the parts with the largest remainders, and among
    /// equal remainders to the earlier part (the largest remainder method). The parts add up to the whole,
    /// and no part exceeds its weight if the whole does not exceed the sum of the weights.
    ///
    /// # Errors
    /// Returns [`MoneyError::NoParts`] if the weights add up to zero while the amount does not, or if
    /// anything is negative; [`MoneyError::CurrencyMismatch`] if the currencies differ.
    pub fn split(self, weights: &[Self]) -> Result<Vec<Self>, MoneyError> {
        let whole = u128::from(self.minor_units().ok_or(MoneyError::NoParts)?);
        let mut units = Vec::with_capacity(weights.len());
        for weight in weights {
            self.same_currency(*weight)?;
            units.push(u128::from(weight.minor_units().ok_or(MoneyError::NoParts)?));
        }
        let all: u128 = units.iter().sum();
        if whole == 0 {
            return Ok(vec![Self::zero(self.currency); weights.len()]);
        }
        if all == 0 {
            return Err(MoneyError::NoParts);
        }
        // Neither factor has more than 64 bits.
        let mut parts: Vec<u128> = units.iter().map(|weight| whole * weight / all).collect();
        let mut order: Vec<usize> = (0..parts.len()).collect();
        order.sort_by_key(|at| std::cmp::Reverse(whole * units[*at] % all));
        let left = whole - parts.iter().sum::<u128>();
        for (at, _) in order.into_iter().zip(0..left) {
            parts[at] += 1;
        }
        let part = |units| {
            let units = u64::try_from(units).map_err(|_| MoneyError::TooLarge)?;
            Self::from_minor_units(units, self.currency)
        };
        parts.into_iter().map(part).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::values::money::{Currency, Money, MoneyError};

    fn money(units: u64, code: &str) -> Money {
        Money::from_minor_units(units, code.parse().unwrap()).unwrap()
    }

    #[test]
    fn what_is_left_over_goes_to_the_largest_remainders_and_of_equal_ones_to_the_earlier() {
        for (code, whole, weights, parts) in [
            ("EUR", 100, [1, 1, 1], [34, 33, 33]),
            ("JPY", 100, [1, 1, 2], [25, 25, 50]),
            ("KWD", 5, [10, 20, 30], [1, 2, 2]),
            ("EUR", 1, [1, 3, 3], [0, 1, 0]),
            ("EUR", 0, [0, 0, 0], [0, 0, 0]),
        ] {
            let weights = weights.map(|units| money(units, code));
            let expected = parts.map(|units| money(units, code));
            assert_eq!(money(whole, code).split(&weights).unwrap(), expected);
        }
    }

    #[test]
    fn an_amount_is_not_divided_over_zero() {
        let euro = |units| money(units, "EUR");
        assert_eq!(euro(1).split(&[]), Err(MoneyError::NoParts));
        assert_eq!(euro(1).split(&[euro(0)]), Err(MoneyError::NoParts));
        let yen = money(1, "JPY");
        assert_eq!(euro(1).split(&[yen]), Err(MoneyError::CurrencyMismatch));
    }

    proptest! {
        #[test]
        fn parts_add_up_to_the_whole_and_stay_below_their_weights(
            weights in prop::collection::vec(0_u64..=100_000_000_000, 1..50),
            per_mille in 0_u64..=1000,
            code in "EUR|JPY|KWD",
        ) {
            let currency: Currency = code.parse().unwrap();
            let all: u64 = weights.iter().sum();
            let whole = money(all / 1000 * per_mille, &code);
            let weights: Vec<Money> = weights.iter().map(|units| money(*units, &code)).collect();
            let parts = whole.split(&weights).unwrap();
            prop_assert_eq!(parts.len(), weights.len());
            for (part, weight) in parts.iter().zip(&weights) {
                prop_assert!(part.compare(*weight).unwrap().is_le());
            }
            prop_assert_eq!(Money::sum(currency, parts), Ok(whole));
        }
    }
}
