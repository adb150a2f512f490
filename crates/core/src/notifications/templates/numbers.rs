//! Numbers as a locale writes them.

use askama::Error;
use icu_decimal::options::DecimalFormatterOptions;
use icu_decimal::{DecimalFormatter, DecimalFormatterPreferences, input};
use icu_locale_core::Locale;
use rust_decimal::Decimal;

use crate::pricing::model::Rate;
use crate::values::money::Money;

/// Writes numbers as a locale does, by the data of the Unicode CLDR.
pub(super) struct Numbers(DecimalFormatter);

impl Numbers {
    /// Returns the numbers of the first of `tags` that is a Unicode locale identifier, or those of the CLDR's root
    /// locale if none is.
    ///
    /// # Errors
    /// Returns [`Error`] if the data are missing.
    pub(super) fn new(tags: &[&str]) -> Result<Self, Error> {
        let locale = tags.iter().find_map(|tag| tag.parse().ok());
        let preferences = DecimalFormatterPreferences::from(&locale.unwrap_or(Locale::UNKNOWN));
        let formatter = DecimalFormatter::try_new(preferences, DecimalFormatterOptions::default());
        formatter.map(Self).map_err(Error::custom)
    }

    /// Returns `money` with as many decimals as its currency has, and the currency's code: `1,234.50 EUR`.
    pub(super) fn amount(&self, money: Money) -> String {
        format!("{} {}", self.number(money.amount()), money.currency())
    }

    /// Returns `rate` in percent, without a percent sign: `7.5` for 0.075.
    pub(super) fn percent(&self, rate: Rate) -> String {
        self.number((rate.as_decimal() * Decimal::ONE_HUNDRED).normalize())
    }

    fn number(&self, number: Decimal) -> String {
        let decimals = i16::try_from(number.scale()).unwrap_or_default();
        let mut digits = input::Decimal::from(number.mantissa());
        digits.multiply_pow10(-decimals);
        digits.pad_end(-decimals);
        self.0.format_to_string(&digits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(tag: &str, amount: &str, currency: &str) -> String {
        let money = Money::parse(amount, currency.parse().unwrap()).unwrap();
        Numbers::new(&[tag]).unwrap().amount(money)
    }

    #[test]
    fn amounts_have_the_separators_of_the_locale_and_the_decimals_of_the_currency() {
        for (tag, number, currency, expected) in [
            ("en", "1234567.50", "EUR", "1,234,567.50 EUR"),
            ("de", "1234567.50", "EUR", "1.234.567,50 EUR"),
            ("zh", "1234567.50", "EUR", "1,234,567.50 EUR"),
            ("zh-Hans-CN", "-1234.5", "CNY", "-1,234.50 CNY"),
            ("de-CH", "1234.50", "CHF", "1'234.50 CHF"),
            ("de-AT", "1234.50", "EUR", "1\u{a0}234,50 EUR"),
            ("en-IN", "1234567.50", "INR", "12,34,567.50 INR"),
            ("en", "1000", "JPY", "1,000 JPY"),
            ("de", "1000", "JPY", "1.000 JPY"),
            ("en", "1.234", "KWD", "1.234 KWD"),
            ("de", "-0.05", "KWD", "-0,050 KWD"),
            ("de", "0", "EUR", "0,00 EUR"),
            ("en", "2000", "EUR", "2,000.00 EUR"),
            ("not a tag", "1234", "EUR", "1,234.00 EUR"),
        ] {
            assert_eq!(amount(tag, number, currency), expected, "{tag}");
        }
    }

    #[test]
    fn rates_are_percents_without_zeros_at_their_end() {
        for (tag, rate, expected) in [
            ("en", "0.19", "19"),
            ("en", "0.0725", "7.25"),
            ("de", "0.09975", "9,975"),
            ("de", "1", "100"),
            ("zh", "0", "0"),
        ] {
            let numbers = Numbers::new(&[tag]).unwrap();
            assert_eq!(numbers.percent(rate.parse().unwrap()), expected, "{rate}");
        }
    }
}
