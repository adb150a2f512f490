//! Amounts of money: exact, in one currency, never a float.

use std::fmt;
use std::str::FromStr;

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};

mod split;

/// The largest amount that is accepted: fifteen digits before the point leave room for every sum of
/// an order within [`Decimal`]'s 28.
const MAX_AMOUNT: i64 = 999_999_999_999_999;

/// An ISO 4217 currency, such as `EUR`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency(iso_currency::Currency);

impl Currency {
    /// Digits after the decimal point: 2 for EUR, 0 for JPY, 3 for KWD (ISO 4217's exponent; 0 for
    /// the codes that have none, such as XAU).
    #[must_use]
    pub fn exponent(self) -> u32 {
        self.0.exponent().map_or(0, u32::from)
    }

    /// The three-letter code.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.0.code()
    }
}

impl FromStr for Currency {
    type Err = MoneyError;

    fn from_str(code: &str) -> Result<Self, MoneyError> {
        iso_currency::Currency::from_code(code)
            .map(Self)
            .ok_or(MoneyError::UnknownCurrency)
    }
}

impl TryFrom<String> for Currency {
    type Error = MoneyError;

    fn try_from(code: String) -> Result<Self, MoneyError> {
        code.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.code().to_owned()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// How an amount is rounded to the decimals of its currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoundingMode {
    /// To the nearest; halfway, to the even one.
    #[default]
    HalfEven,
    /// To the nearest; halfway, away from zero.
    HalfUp,
    /// Toward zero.
    Down,
}

/// Why a text is not an amount of money, or why two amounts cannot be combined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// The amount is not a plain decimal number such as `19.99`.
    #[error("the amount is not a decimal number such as \"19.99\"")]
    InvalidNumber,
    /// The amount has more digits after the point than its currency.
    #[error("the amount has more decimals than its currency allows")]
    TooManyDecimals,
    /// The amount is beyond fifteen digits before the point.
    #[error("the amount is too large")]
    TooLarge,
    /// The code is not in ISO 4217.
    #[error("the currency is not an ISO 4217 code")]
    UnknownCurrency,
    /// Two amounts have different currencies.
    #[error("the currencies differ")]
    CurrencyMismatch,
    /// An amount was to be divided over weights that add up to zero.
    #[error("there is nothing to divide the amount over")]
    NoParts,
}

/// A price or total: an exact amount in one currency, never rounded silently.
///
/// Wire and stored shape: `{"amount":"19.99","currency":"EUR"}`, the amount always with as many
/// decimals as the currency has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "RawMoney", into = "RawMoney")]
pub struct Money {
    amount: Decimal,
    currency: Currency,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawMoney {
    amount: String,
    currency: Currency,
}

impl Money {
    /// An amount that its currency can express.
    ///
    /// # Errors
    /// [`MoneyError::TooManyDecimals`] or [`MoneyError::TooLarge`].
    pub fn new(amount: Decimal, currency: Currency) -> Result<Self, MoneyError> {
        if amount.abs() > Decimal::from(MAX_AMOUNT) {
            return Err(MoneyError::TooLarge);
        }
        if amount.normalize().scale() > currency.exponent() {
            return Err(MoneyError::TooManyDecimals);
        }
        let mut amount = amount;
        amount.rescale(currency.exponent());
        Ok(Self { amount, currency })
    }

    /// The amount `text`, such as `19.99`; no sign but `-`, no exponent, no separators.
    ///
    /// # Errors
    /// [`MoneyError::InvalidNumber`], or as [`Money::new`].
    pub fn parse(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let plain = !digits.is_empty()
            && digits.len() <= 40
            && digits.bytes().all(|b| b.is_ascii_digit() || b == b'.')
            && !digits.starts_with('.')
            && !digits.ends_with('.');
        if !plain {
            return Err(MoneyError::InvalidNumber);
        }
        let amount = Decimal::from_str_exact(text).map_err(|_| MoneyError::InvalidNumber)?;
        Self::new(amount, currency)
    }

    /// Returns zero in `currency`.
    #[must_use]
    pub fn zero(currency: Currency) -> Self {
        let mut amount = Decimal::ZERO;
        amount.rescale(currency.exponent());
        Self { amount, currency }
    }

    /// `units` of the currency's smallest unit: 1999 in EUR is 19.99.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`].
    pub fn from_minor_units(units: u64, currency: Currency) -> Result<Self, MoneyError> {
        let amount = Decimal::try_from_i128_with_scale(units.into(), currency.exponent())
            .map_err(|_| MoneyError::TooLarge)?;
        Self::new(amount, currency)
    }

    /// Returns the amount in the currency's smallest unit, as gateways and number attributes count it, or
    /// `None` if it is negative.
    #[must_use]
    pub fn minor_units(self) -> Option<u64> {
        u64::try_from(self.amount.mantissa()).ok()
    }

    /// Returns the amount without its currency.
    #[must_use]
    pub fn amount(self) -> Decimal {
        self.amount
    }

    /// Returns the currency.
    #[must_use]
    pub fn currency(self) -> Currency {
        self.currency
    }

    /// Returns whether the amount is greater than zero.
    #[must_use]
    pub fn is_positive(self) -> bool {
        self.amount > Decimal::ZERO
    }

    /// Returns whether the amount is zero.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.amount.is_zero()
    }

    /// Returns the sum.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`] or [`MoneyError::TooLarge`].
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        let sum = self
            .amount
            .checked_add(other.amount)
            .ok_or(MoneyError::TooLarge)?;
        Self::new(sum, self.currency)
    }

    /// Returns the difference, which may be negative.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`] or [`MoneyError::TooLarge`].
    pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        let difference = self
            .amount
            .checked_sub(other.amount)
            .ok_or(MoneyError::TooLarge)?;
        Self::new(difference, self.currency)
    }

    /// Returns this amount multiplied by `quantity`.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`].
    pub fn times(self, quantity: u32) -> Result<Self, MoneyError> {
        let product = self
            .amount
            .checked_mul(Decimal::from(quantity))
            .ok_or(MoneyError::TooLarge)?;
        Self::new(product, self.currency)
    }

    /// Returns the sum of `parts`, or zero in `currency` if there are none.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`] or [`MoneyError::TooLarge`].
    pub fn sum(
        currency: Currency,
        parts: impl IntoIterator<Item = Self>,
    ) -> Result<Self, MoneyError> {
        parts.into_iter().try_fold(Self::zero(currency), Self::plus)
    }

    /// Returns `amount` rounded half to even to the decimals of its currency.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`].
    pub fn rounded(amount: Decimal, currency: Currency) -> Result<Self, MoneyError> {
        Self::rounded_by(RoundingMode::HalfEven, amount, currency)
    }

    /// Returns `amount` rounded by `mode` to the decimals of its currency. Nothing else rounds.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`].
    pub fn rounded_by(
        mode: RoundingMode,
        amount: Decimal,
        currency: Currency,
    ) -> Result<Self, MoneyError> {
        let strategy = match mode {
            RoundingMode::HalfEven => RoundingStrategy::MidpointNearestEven,
            RoundingMode::HalfUp => RoundingStrategy::MidpointAwayFromZero,
            RoundingMode::Down => RoundingStrategy::ToZero,
        };
        let rounded = amount.round_dp_with_strategy(currency.exponent(), strategy);
        Self::new(rounded, currency)
    }

    /// Compares two amounts.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`].
    pub fn compare(self, other: Self) -> Result<std::cmp::Ordering, MoneyError> {
        self.same_currency(other)?;
        Ok(self.amount.cmp(&other.amount))
    }

    fn same_currency(self, other: Self) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            Ok(())
        } else {
            Err(MoneyError::CurrencyMismatch)
        }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount, self.currency)
    }
}

impl TryFrom<RawMoney> for Money {
    type Error = MoneyError;

    fn try_from(raw: RawMoney) -> Result<Self, MoneyError> {
        Self::parse(&raw.amount, raw.currency)
    }
}

impl From<Money> for RawMoney {
    fn from(money: Money) -> Self {
        Self {
            amount: money.amount.to_string(),
            currency: money.currency,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn eur(text: &str) -> Money {
        Money::parse(text, "EUR".parse().unwrap()).unwrap()
    }

    #[test]
    fn an_amount_has_the_decimals_of_its_currency() {
        assert_eq!(
            serde_json::to_string(&eur("7")).unwrap(),
            r#"{"amount":"7.00","currency":"EUR"}"#
        );
        let yen: Currency = "JPY".parse().unwrap();
        assert_eq!(Money::parse("7.5", yen), Err(MoneyError::TooManyDecimals));
        assert_eq!(
            Money::parse("7.500", "EUR".parse().unwrap()),
            Ok(eur("7.50"))
        );
    }

    #[test]
    fn a_text_that_is_not_a_plain_number_is_refused() {
        for text in [
            "", "-", ".5", "5.", "1e3", "+1", "1,5", "0x10", "1_000", " 1", "1.2.3", "NaN",
        ] {
            assert_eq!(
                Money::parse(text, "EUR".parse().unwrap()),
                Err(MoneyError::InvalidNumber),
                "{text:?}"
            );
        }
        assert_eq!(
            Money::parse("1000000000000000", "EUR".parse().unwrap()),
            Err(MoneyError::TooLarge)
        );
    }

    #[test]
    fn halves_are_rounded_to_the_even_neighbour() {
        let euro = "EUR".parse().unwrap();
        for (given, rounded) in [("0.125", "0.12"), ("0.135", "0.14"), ("-0.125", "-0.12")] {
            assert_eq!(
                Money::rounded(given.parse().unwrap(), euro),
                Ok(eur(rounded)),
                "{given}"
            );
        }
    }

    #[test]
    fn currencies_do_not_mix() {
        let dollars = Money::parse("1", "USD".parse().unwrap()).unwrap();
        assert_eq!(eur("1").plus(dollars), Err(MoneyError::CurrencyMismatch));
    }

    proptest! {
        #[test]
        fn minor_units_are_the_amount_without_its_point(
            units in 0_u64..=99_999_999_999_999_999, code in "EUR|JPY|KWD"
        ) {
            let currency: Currency = code.parse().unwrap();
            if let Ok(money) = Money::from_minor_units(units, currency) {
                prop_assert_eq!(money.minor_units(), Some(units));
                prop_assert_eq!(money.amount().to_string().replace('.', "").parse(), Ok(units));
            }
        }

        #[test]
        fn a_product_is_the_sum_of_its_parts(cents in 0_i64..10_000_000, quantity in 0_u32..200) {
            let price = Money::new(Decimal::new(cents, 2), "EUR".parse().unwrap()).unwrap();
            let parts = std::iter::repeat_n(price, quantity as usize);
            prop_assert_eq!(price.times(quantity), Money::sum(price.currency(), parts));
        }
    }
}
