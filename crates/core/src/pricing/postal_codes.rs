//! Sets of postal codes, which tax rates are for and zones of shipping methods have.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::values::postal_code;

/// The most characters of a pattern.
const MAX_CHARACTERS: usize = 30;

/// A set of postal codes: one code (`27498`), those with a prefix (`35*`) or a range (`1000..1999`). Codes are
/// compared by their letters and digits alone, ignoring case.
///
/// Wire and stored shape: the text, as it was entered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PostalCodePattern {
    text: String,
    codes: Codes,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Codes {
    One(String),
    Prefix(String),
    /// Both bounds are inclusive and of the same length.
    Range(String, String),
}

/// The error for text that is not a [`PostalCodePattern`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPattern {
    /// It has no letters or digits where they are needed, or other characters.
    #[error(
        "this must be a postal code such as \"27498\", a prefix such as \"35*\" or a range such as \"1000..1999\""
    )]
    Malformed,
    /// The bounds of a range have different lengths.
    #[error("both ends of a range must have the same number of letters and digits")]
    UnequalLengths,
    /// A range ends before it starts.
    #[error("a range must not end before it starts")]
    Backwards,
}

/// Returns the letters and digits of `text`, in upper case.
fn bare(text: &str) -> String {
    let kept = text.chars().filter(char::is_ascii_alphanumeric);
    kept.map(|c| c.to_ascii_uppercase()).collect()
}

/// Reads a postal code or its beginning: letters, digits, spaces and hyphens.
fn code(text: &str) -> Result<String, InvalidPattern> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == ' ' || c == '-';
    let code = bare(text);
    if code.is_empty() || !text.chars().all(allowed) {
        return Err(InvalidPattern::Malformed);
    }
    Ok(code)
}

impl FromStr for PostalCodePattern {
    type Err = InvalidPattern;

    fn from_str(text: &str) -> Result<Self, InvalidPattern> {
        if text.len() > MAX_CHARACTERS {
            return Err(InvalidPattern::Malformed);
        }
        let codes = if let Some((first, last)) = text.split_once("..") {
            let (first, last) = (code(first)?, code(last)?);
            if first.len() != last.len() {
                return Err(InvalidPattern::UnequalLengths);
            }
            if first > last {
                return Err(InvalidPattern::Backwards);
            }
            Codes::Range(first, last)
        } else if let Some(prefix) = text.strip_suffix('*') {
            Codes::Prefix(code(prefix)?)
        } else {
            Codes::One(code(text)?)
        };
        let text = text.to_owned();
        Ok(Self { text, codes })
    }
}

impl TryFrom<String> for PostalCodePattern {
    type Error = InvalidPattern;

    fn try_from(text: String) -> Result<Self, InvalidPattern> {
        text.parse()
    }
}

impl From<PostalCodePattern> for String {
    fn from(pattern: PostalCodePattern) -> Self {
        pattern.text
    }
}

impl fmt::Display for PostalCodePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PostalCodePattern {
    /// Returns whether a code of these letters and digits is in the set. A range has only codes of the length of its
    /// bounds.
    fn has(&self, given: &str) -> bool {
        match &self.codes {
            Codes::One(code) => given == code,
            Codes::Prefix(prefix) => given.starts_with(prefix),
            Codes::Range(first, last) => {
                given.len() == first.len() && first.as_str() <= given && given <= last.as_str()
            }
        }
    }

    /// Returns whether `postal_code` of `country` is in the set, however it is typed. The
    /// country in front, as in `CH-8001`, and the last four digits of a ZIP+4 code may be given or left out.
    #[must_use]
    pub fn matches_in(&self, country: &str, postal_code: &str) -> bool {
        let typed = bare(postal_code);
        let zip = typed.get(..5).filter(|_| country == "US");
        let mut spellings = postal_code::spellings(postal_code, country).into_iter();
        self.has(&typed)
            || zip.is_some_and(|zip| self.has(zip))
            || spellings.any(|code| self.has(&code))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, country: &str, inside: &[&str], outside: &[&str]) {
        let parsed: PostalCodePattern = pattern.parse().unwrap();
        for code in inside {
            assert!(parsed.matches_in(country, code), "{pattern} {code}");
        }
        for code in outside {
            assert!(!parsed.matches_in(country, code), "{pattern} {code}");
        }
    }

    #[test]
    fn a_pattern_is_a_code_a_prefix_or_a_range() {
        check("27498", "DE", &["27498"], &["27499", "2749", "274980"]);
        check("35*", "DE", &["35001", "35999"], &["36001", "13500"]);
        check(
            "1000..1999",
            "AT",
            &["1000", "1010", "1999"],
            &["0999", "2000", "10000", "100"],
        );
        check("im*", "GB", &["IM1 1AA", "im99 1aa"], &["M1 1AE"]);
        check("100-0001", "JP", &["1000001", "100-0001"], &["1000002"]);
        check(
            "h0h 0h0..h9z9z9",
            "CA",
            &["H2X 1Y4", "h0h0h0"],
            &["G1A 1A1"],
        );
    }

    #[test]
    fn a_country_in_front_and_the_end_of_a_zip_code_do_not_count() {
        check(
            "8000..8099",
            "CH",
            &["CH-8001", "CH 8001", "8001"],
            &["CH-9000"],
        );
        check(
            "6991",
            "AT",
            &["A-6991", "AT-6991", "６９９１"],
            &["D-6991"],
        );
        check(
            "1000..1099",
            "LV",
            &["LV-1050", "LV1050", "1050"],
            &["LV-2050"],
        );
        check("F*", "MT", &["FRN 1000"], &["MTF 1000"]);
        check("11500..11599", "EG", &["١١٥١١"], &["١١٤١١"]);
        check(
            "96701..96898",
            "US",
            &["96813", "96813-1234", "968131234"],
            &["96899", "96899-0001", "9681"],
        );
        check("96813-1234", "US", &["96813-1234"], &["96813"]);
        check("27498", "DE", &[], &["27498-1234"]);
    }

    #[test]
    fn a_text_that_is_not_a_pattern_is_refused() {
        use InvalidPattern::{Backwards, Malformed, UnequalLengths};
        for (text, error) in [
            ("", Malformed),
            ("*", Malformed),
            (" ", Malformed),
            ("3*5", Malformed),
            ("35**", Malformed),
            ("..", Malformed),
            ("1000..", Malformed),
            ("1000..1*", Malformed),
            ("1..2..3", Malformed),
            ("１０１１５", Malformed),
            ("1000,2000", Malformed),
            ("0000000000000000000000000000000", Malformed),
            ("100..1999", UnequalLengths),
            ("1999..1000", Backwards),
        ] {
            assert_eq!(text.parse::<PostalCodePattern>(), Err(error), "{text:?}");
        }
    }

    #[test]
    fn a_pattern_is_stored_as_it_was_entered() {
        let json = r#"["h0h 0h0..h9z9z9","35*"]"#;
        let read: Vec<PostalCodePattern> = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), json);
        assert_eq!(read[1].to_string(), "35*");
        assert!(serde_json::from_str::<PostalCodePattern>(r#""?""#).is_err());
    }
}
