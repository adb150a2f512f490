//! Rates.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// A fraction from 0 to 1, such as a tax rate or the part that a discount takes off.
///
/// Wire and stored shape: a decimal as text with at most six decimal places, `0.19` for 19 percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rate(Decimal);

/// The error for text that is not a [`Rate`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this must be a decimal from 0 to 1 with at most six decimal places, such as \"0.19\"")]
pub struct InvalidRate;

impl Rate {
    /// The rate as a number.
    #[must_use]
    pub fn as_decimal(self) -> Decimal {
        self.0
    }
}

impl FromStr for Rate {
    type Err = InvalidRate;

    fn from_str(text: &str) -> Result<Self, InvalidRate> {
        let plain = text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.');
        let malformed = text.starts_with('.') || text.ends_with('.') || text.len() > 8;
        if !plain || malformed {
            return Err(InvalidRate);
        }
        let rate = Decimal::from_str_exact(text).map_err(|_| InvalidRate)?;
        if rate <= Decimal::ONE && rate.scale() <= 6 {
            Ok(Self(rate.normalize()))
        } else {
            Err(InvalidRate)
        }
    }
}

impl TryFrom<String> for Rate {
    type Error = InvalidRate;

    fn try_from(text: String) -> Result<Self, InvalidRate> {
        text.parse()
    }
}

impl From<Rate> for String {
    fn from(rate: Rate) -> Self {
        rate.to_string()
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_plain_decimal_from_0_to_1() {
        for (text, good) in [
            ("0", true),
            ("0.19", true),
            ("1", true),
            ("1.00", true),
            ("0.000001", true),
            ("1.01", false),
            ("-0.1", false),
            ("0.0000001", false),
            (".1", false),
            ("1.", false),
            ("1e-1", false),
            ("", false),
        ] {
            assert_eq!(text.parse::<Rate>().is_ok(), good, "{text:?}");
        }
    }
}
