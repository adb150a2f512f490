//! Tax numbers of businesses in the European Union: their forms, and their checksums where those are public.
//!
//! Forms: the VIES FAQ (<https://ec.europa.eu/taxation_customs/vies/#/faq>). Checksums: as python-stdnum and
//! jsvat document them from the member states' own publications.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

mod checksum;

/// A VAT identification number of a member state of the EU, or of Northern Ireland (`XI`), with the country in
/// front and without spaces, such as `ATU13585627`. That it is well formed does not mean that it was issued.
///
/// Wire and stored shape: the text. It can be that of a person, so it is not printed for debugging.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TaxNumber(String);

/// The error for text that is not a [`TaxNumber`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTaxNumber {
    /// It does not begin with a member state.
    #[error(
        "this must begin with the two letters of a member state of the EU, such as \"ATU13585627\""
    )]
    Country,
    /// It does not have the form of the country's numbers, or its checksum is wrong.
    #[error(
        "this is not a VAT identification number of this country: a character is missing or mistyped"
    )]
    Mistyped,
}

impl TaxNumber {
    /// Returns the country, as in ISO 3166-1: `GR` for `EL` and `GB` for `XI`.
    #[must_use]
    pub fn country(&self) -> &str {
        match self.0.get(..2).unwrap_or_default() {
            "EL" => "GR",
            "XI" => "GB",
            country => country,
        }
    }
}

impl FromStr for TaxNumber {
    type Err = InvalidTaxNumber;

    fn from_str(text: &str) -> Result<Self, InvalidTaxNumber> {
        let kept = |letter: &char| !letter.is_whitespace() && !matches!(letter, '.' | '-');
        let number: String = text.chars().filter(kept).collect();
        let mut number = number.to_ascii_uppercase();
        if number.starts_with("GR") {
            // People write Greece as ISO does; its numbers begin with EL.
            number.replace_range(..2, "EL");
        }
        let (country, rest) = number
            .split_at_checked(2)
            .ok_or(InvalidTaxNumber::Country)?;
        let is_valid = checksum::of_country(country).ok_or(InvalidTaxNumber::Country)?;
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'*');
        // Zeros alone are right by most checksums, and what people type to get past a form.
        let digits = rest.bytes().filter(u8::is_ascii_digit);
        let zeros = digits.clone().count() > 0 && digits.clone().all(|digit| digit == b'0');
        if rest.bytes().all(allowed) && !zeros && is_valid(rest) {
            Ok(Self(number))
        } else {
            Err(InvalidTaxNumber::Mistyped)
        }
    }
}

impl TryFrom<String> for TaxNumber {
    type Error = InvalidTaxNumber;

    fn try_from(text: String) -> Result<Self, InvalidTaxNumber> {
        text.parse()
    }
}

impl From<TaxNumber> for String {
    fn from(number: TaxNumber) -> Self {
        number.0
    }
}

impl fmt::Display for TaxNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TaxNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TaxNumber({}...)", self.0.get(..2).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests;
