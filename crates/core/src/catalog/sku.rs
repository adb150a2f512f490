//! What merchants and trade call a variant by: the shop's own SKU, and the GTIN that is printed as a barcode.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::values::id::VariantId;

/// The shop's own name for a variant (stock-keeping unit), unique in the shop: one line of 1 to 100 characters, without
/// space at its ends. Upper and lower case differ.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sku(String);

/// A text that is not an SKU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this must be a line of 1 to 100 characters without space at its ends")]
pub struct InvalidSku;

impl Sku {
    /// Returns the SKU as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the SKU of the variant `id`: its `own`, or its identifier if it was given none.
    #[must_use]
    pub fn of_variant(own: Option<&Self>, id: VariantId) -> Self {
        own.cloned().unwrap_or_else(|| Self(id.to_string()))
    }

    /// Returns the variant that has the SKU because it was given none, if the SKU is an identifier.
    #[must_use]
    pub fn variant(&self) -> Option<VariantId> {
        self.0.parse().ok()
    }
}

impl FromStr for Sku {
    type Err = InvalidSku;

    fn from_str(text: &str) -> Result<Self, InvalidSku> {
        let length = text.chars().take(101).count();
        let is_line = !text.chars().any(char::is_control);
        if (1..=100).contains(&length) && is_line && text.trim() == text {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidSku)
        }
    }
}

impl TryFrom<String> for Sku {
    type Error = InvalidSku;

    fn try_from(text: String) -> Result<Self, InvalidSku> {
        text.parse()
    }
}

impl From<Sku> for String {
    fn from(sku: Sku) -> Self {
        sku.0
    }
}

impl fmt::Display for Sku {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A Global Trade Item Number: 8, 12, 13 or 14 digits, the last of which is a check digit (GS1 General Specifications,
/// section 7.9).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Gtin(String);

/// A text that is not a GTIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this must be a GTIN: 8, 12, 13 or 14 digits, the last of which is the check digit")]
pub struct InvalidGtin;

impl FromStr for Gtin {
    type Err = InvalidGtin;

    fn from_str(text: &str) -> Result<Self, InvalidGtin> {
        let has_length = matches!(text.len(), 8 | 12 | 13 | 14);
        if !has_length || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(InvalidGtin);
        }
        // From the right, digits count once and three times by turns, the check digit once.
        let weights = [1, 3].into_iter().cycle();
        let digits = text.bytes().rev().map(|byte| u32::from(byte - b'0'));
        let sum: u32 = digits
            .zip(weights)
            .map(|(digit, weight)| digit * weight)
            .sum();
        if sum.is_multiple_of(10) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidGtin)
        }
    }
}

impl TryFrom<String> for Gtin {
    type Error = InvalidGtin;

    fn try_from(text: String) -> Result<Self, InvalidGtin> {
        text.parse()
    }
}

impl From<Gtin> for String {
    fn from(gtin: Gtin) -> Self {
        gtin.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sku_is_a_line_without_space_at_its_ends() {
        for text in ["TEA-1", "茶 1", "a/b#c", &"x".repeat(100)] {
            assert_eq!(text.parse::<Sku>().unwrap().as_str(), text);
        }
        for text in ["", " TEA", "TEA ", "T\nEA", "T\u{7f}", &"x".repeat(101)] {
            assert_eq!(text.parse::<Sku>(), Err(InvalidSku), "{text:?}");
        }
    }

    #[test]
    fn a_gtin_has_one_of_four_lengths_and_the_right_check_digit() {
        // Examples of GS1's check digit calculator and of ISBN-13, ISSN and UPC-A barcodes.
        let valid = [
            "6291041500213",
            "9780306406157",
            "036000291452",
            "96385074",
            "10614141000415",
        ];
        for text in valid {
            assert!(text.parse::<Gtin>().is_ok(), "{text}");
            let last = text.len() - 1;
            let other = if text.ends_with('0') { "1" } else { "0" };
            let wrong = format!("{}{other}", &text[..last]);
            assert!(wrong.parse::<Gtin>().is_err(), "{wrong}");
        }
        for text in [
            "",
            "0",
            "629104150021",
            "62910415002130",
            "629104150021X",
            "６291041500213",
        ] {
            assert!(text.parse::<Gtin>().is_err(), "{text}");
        }
    }
}
