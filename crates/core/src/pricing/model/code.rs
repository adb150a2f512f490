//! Codes of discounts.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;

/// A discount code, which a shopper enters: 1 to 40 of the characters `A` to `Z`, `a` to `z`, `0` to `9`,
/// `-` and `_`. Codes that differ only in case are equal. White space around a code, and other forms of its
/// characters (NFKC), such as full-width letters, are read as what was meant: people paste codes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Code(String);

/// Hyphens, dashes and the minus sign that word processors put in the place of `-`.
const HYPHENS: [char; 7] = [
    '\u{2010}', '\u{2011}', '\u{2012}', '\u{2013}', '\u{2014}', '\u{2015}', '\u{2212}',
];

/// The error for text that is not a [`Code`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this must be 1 to 40 of the characters A to Z, a to z, 0 to 9, - and _")]
pub struct InvalidCode;

impl Code {
    /// Returns the code in lower case, the form in which keys contain it.
    #[must_use]
    pub fn lowercase(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl PartialEq for Code {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for Code {}

impl FromStr for Code {
    type Err = InvalidCode;

    fn from_str(text: &str) -> Result<Self, InvalidCode> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        let invisible = |letter: char| {
            letter.is_whitespace() || matches!(letter, '\u{200b}' | '\u{2060}' | '\u{feff}')
        };
        let typed = text.trim_matches(invisible).nfkc().take(41);
        let text: String = typed
            .map(|letter| {
                if HYPHENS.contains(&letter) {
                    '-'
                } else {
                    letter
                }
            })
            .collect();
        if (1..=40).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text))
        } else {
            Err(InvalidCode)
        }
    }
}

impl TryFrom<String> for Code {
    type Error = InvalidCode;

    fn try_from(text: String) -> Result<Self, InvalidCode> {
        text.parse()
    }
}

impl From<Code> for String {
    fn from(code: Code) -> Self {
        code.0
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_as_people_paste_it() {
        for (text, code) in [
            ("SPRING-10", Some("SPRING-10")),
            (" SPRING-10", Some("SPRING-10")),
            ("SPRING-10 \r\n", Some("SPRING-10")),
            ("\u{a0}SPRING-10\u{200b}", Some("SPRING-10")),
            ("\u{feff}\u{3000}SPRING-10", Some("SPRING-10")),
            ("ＳＰＲＩＮＧ－１０", Some("SPRING-10")),
            ("SPRING\u{2011}10", Some("SPRING-10")),
            ("SPRING 10", None),
            ("SPRING\u{200b}10", None),
            ("  ", None),
            ("", None),
            ("СПРИНГ", None),
        ] {
            let read = text.parse::<Code>().ok();
            let read = read.map(|code| code.to_string());
            assert_eq!(read.as_deref(), code, "{text:?}");
        }
        let longest = "a".repeat(40);
        assert_eq!(
            format!(" {longest} ").parse::<Code>().unwrap().to_string(),
            longest
        );
        assert!(format!("{longest}a").parse::<Code>().is_err());
        assert_eq!("spring".parse::<Code>().unwrap(), "SPRING".parse().unwrap());
    }
}
