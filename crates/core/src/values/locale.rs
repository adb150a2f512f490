//! Languages, as people choose them.

use std::str::FromStr;

/// A language in which somebody reads, and perhaps a script and a region: a language tag such as `en`, `de-AT` or
/// `zh-Hant-TW` (RFC 5646). Its form is checked, but not whether its parts are registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locale(String);

/// The error for a text that does not have the form of a language tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a language tag such as \"en\" or \"de-AT\"")]
pub struct InvalidLocale;

impl Locale {
    /// Returns the whole tag.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the language alone, in lower case: `de` for `de-AT`.
    #[must_use]
    pub fn language(&self) -> String {
        let language = self.0.split('-').next().unwrap_or_default();
        language.to_ascii_lowercase()
    }
}

impl Default for Locale {
    /// Returns English.
    fn default() -> Self {
        Self("en".to_owned())
    }
}

impl FromStr for Locale {
    type Err = InvalidLocale;

    fn from_str(text: &str) -> Result<Self, InvalidLocale> {
        let mut parts = text.split('-');
        let language = parts.next().unwrap_or_default();
        let language_fits = (2..=3).contains(&language.len())
            && language.bytes().all(|byte| byte.is_ascii_alphabetic());
        let rest_fits = parts.all(|part| {
            (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
        });
        if language_fits && rest_fits && text.len() <= 35 {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidLocale)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locale_has_the_form_of_a_language_tag() {
        for (text, language) in [("en", "en"), ("de-AT", "de"), ("zh-Hant-TW", "zh")] {
            assert_eq!(text.parse::<Locale>().unwrap().language(), language);
        }
        for text in [
            "",
            "e",
            "english",
            "e1",
            "en-",
            "en_US",
            "en-verylongpart",
            "../x",
        ] {
            assert_eq!(text.parse::<Locale>(), Err(InvalidLocale), "{text:?}");
        }
    }
}
