//! The codes of gift cards.

use std::fmt;
use std::str::FromStr;

use crate::http::problem::Problem;
use crate::values::digest::sha256_hex;

/// The characters of a code: without 0, 1, I and O, which people take for one another.
const ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// The number of characters of a code, of five bits each: 100 bits cannot be guessed.
const CHARACTERS: usize = 20;

/// The number of characters between two hyphens, and of those that are shown of a code.
const GROUP: usize = 4;

/// The code of a gift card. It is money, so it must never be logged or stored: `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct GiftCardCode(String);

/// A text that is not the code of a gift card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this must be a gift card's code, such as ABCD-EFGH-JKLM-NPQR-STUV")]
pub struct InvalidGiftCardCode;

impl GiftCardCode {
    /// Returns a new random code.
    ///
    /// # Errors
    /// [`Problem::Internal`] if the operating system has no randomness.
    pub fn random() -> Result<Self, Problem> {
        let mut bytes = [0; CHARACTERS];
        aws_lc_rs::rand::fill(&mut bytes).map_err(Problem::internal)?;
        let five_bits = bytes.iter().map(|byte| usize::from(byte % 32));
        let characters = five_bits.map(|bits| char::from(ALPHABET[bits]));
        Ok(Self(characters.collect()))
    }

    /// Returns the hash by which the card is found.
    #[must_use]
    pub fn hash(&self) -> String {
        sha256_hex(&self.0)
    }

    /// Returns the last four characters, by which people tell cards apart.
    #[must_use]
    pub fn last_four(&self) -> String {
        self.0.chars().skip(CHARACTERS - GROUP).collect()
    }

    /// Returns the code as people are shown it, in groups: `ABCD-EFGH-JKLM-NPQR-STUV`.
    #[must_use]
    pub fn reveal(&self) -> String {
        let mut shown = String::new();
        for (at, letter) in self.0.chars().enumerate() {
            if at > 0 && at % GROUP == 0 {
                shown.push('-');
            }
            shown.push(letter);
        }
        shown
    }
}

impl fmt::Debug for GiftCardCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GiftCardCode(..)")
    }
}

impl FromStr for GiftCardCode {
    type Err = InvalidGiftCardCode;

    /// Reads a code as people type it, in any case, with or without hyphens and white space.
    fn from_str(text: &str) -> Result<Self, InvalidGiftCardCode> {
        let typed = text.chars();
        let letters = typed.filter(|letter| !letter.is_whitespace() && *letter != '-');
        let letters = letters.map(|letter| letter.to_ascii_uppercase());
        let code: String = letters.take(CHARACTERS + 1).collect();
        let is_code = code.len() == CHARACTERS && code.bytes().all(|byte| ALPHABET.contains(&byte));
        if is_code {
            Ok(Self(code))
        } else {
            Err(InvalidGiftCardCode)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_as_people_type_it() {
        let code: GiftCardCode = "ABCD-EFGH-JKLM-NPQR-2345".parse().unwrap();
        for typed in [
            "abcdefghjklmnpqr2345",
            " ABCD EFGH JKLM NPQR 2345 ",
            "abcd-EFGH-jklm NPQR2345",
        ] {
            assert_eq!(typed.parse(), Ok(code.clone()), "{typed}");
        }
        assert_eq!(code.reveal(), "ABCD-EFGH-JKLM-NPQR-2345");
        assert_eq!(code.last_four(), "2345");
        for other in [
            "",
            "ABCD-EFGH-JKLM-NPQR-234",
            "ABCD-EFGH-JKLM-NPQR-23456",
            "ABCD-EFGH-JKLM-NPQR-2340",
            "ABCD-EFGH-JKLM-NPQR-234Ä",
        ] {
            assert_eq!(
                other.parse::<GiftCardCode>(),
                Err(InvalidGiftCardCode),
                "{other}"
            );
        }
    }

    #[test]
    fn random_codes_are_codes_and_differ_and_are_not_in_logs() {
        let one = GiftCardCode::random().unwrap();
        let other = GiftCardCode::random().unwrap();
        assert_ne!(one, other);
        assert_ne!(one.hash(), other.hash());
        assert_eq!(one.reveal().parse(), Ok(one.clone()));
        assert_eq!(format!("{one:?}"), "GiftCardCode(..)");
    }
}
