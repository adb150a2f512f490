//! What shoppers see of a product beside its name and price: where it is found, pictures, and other languages.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use unicode_normalization::char::is_combining_mark;

use crate::values::id::ProductId;
use crate::values::locale::Locale;

/// The part of a product's address that names it, such as `sencha-from-uji`: 1 to 100 small letters and digits of any
/// script and single hyphens between them. It does not have the form of an identifier.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Slug(String);

/// A text that is not a slug.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "this must be 1 to 100 small letters and digits with single hyphens between them, such as \"green-tea\""
)]
pub struct InvalidSlug;

impl Slug {
    /// Returns the slug as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Slug {
    type Err = InvalidSlug;

    fn from_str(text: &str) -> Result<Self, InvalidSlug> {
        let is_small = |c: char| c.is_alphanumeric() && c.to_lowercase().eq([c]);
        // Scripts such as Devanagari write vowels and joins as marks of the letter before.
        let is_word = |word: &str| {
            let mut letters = word.chars();
            letters.next().is_some_and(is_small)
                && letters.all(|c| is_small(c) || is_combining_mark(c))
        };
        let length = text.chars().take(101).count();
        if length <= 100 && text.split('-').all(is_word) && text.parse::<ProductId>().is_err() {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidSlug)
        }
    }
}

impl TryFrom<String> for Slug {
    type Error = InvalidSlug;

    fn try_from(text: String) -> Result<Self, InvalidSlug> {
        text.parse()
    }
}

impl From<Slug> for String {
    fn from(slug: Slug) -> Self {
        slug.0
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What search engines show of a product.
///
/// Wire and stored shape: `{"title": "...", "description": "..."}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seo {
    /// The title of the page: a line of at most 100 characters. The product's name, if there is none.
    #[serde(default)]
    pub title: Option<String>,
    /// The description below it: at most 320 characters.
    #[serde(default)]
    pub description: Option<String>,
}

/// A picture of a product.
///
/// Wire and stored shape: `{"url": "https://...", "alt": "..."}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// Where it is: an `https` address of at most 2000 characters, or `/images/<name>` of one that was uploaded
    /// ([`crate::catalog::images`]).
    pub url: String,
    /// What it shows, for those who cannot see it: at most 500 characters.
    #[serde(default)]
    pub alt: String,
}

/// The texts of a product in another language.
///
/// Wire and stored shape: `{"name": "...", "description": "...", "seo": {...}}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Translation {
    /// The name: a line of 1 to 255 characters.
    pub name: String,
    /// The description: up to 1000 characters; that of the product, if there is none.
    #[serde(default)]
    pub description: Option<String>,
    /// What search engines show.
    #[serde(default)]
    pub seo: Seo,
}

/// What a product has beside what it needs to be sold.
///
/// Stored shape: an object of these fields; those that are empty are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Content {
    /// Its slug, unlike that of any other product.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slug: Option<Slug>,
    /// The brand: a line of 1 to 100 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub brand: Option<String>,
    /// Words by which it is found: at most 50 lines of 1 to 50 characters, no two of which are the same.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// What search engines show.
    #[serde(skip_serializing_if = "is_default")]
    pub seo: Seo,
    /// At most 20 pictures, in the order in which they are shown.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<Image>,
    /// Its texts in at most 20 other languages, by language tag in lower case.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub translations: BTreeMap<String, Translation>,
}

fn is_default(seo: &Seo) -> bool {
    *seo == Seo::default()
}

impl Content {
    /// Returns the texts in the language `locale`, or in the nearest that there is: `de-AT` finds those in `de`. `None`
    /// stands for the product's own texts.
    #[must_use]
    pub fn translation(&self, locale: &Locale) -> Option<&Translation> {
        nearest(&self.translations, locale)
    }

    /// Returns the content as `change` changes it.
    #[must_use]
    pub fn changed(&self, change: ContentChange) -> Self {
        let old = self.clone();
        Self {
            slug: change.slug.unwrap_or(old.slug),
            brand: change.brand.unwrap_or(old.brand),
            tags: change.tags.unwrap_or(old.tags),
            seo: change.seo.unwrap_or(old.seo),
            images: change.images.unwrap_or(old.images),
            translations: change.translations.unwrap_or(old.translations),
        }
    }
}

/// Returns what `translations` have for the language `locale`, or for the nearest that they have.
pub(super) fn nearest<'a, T>(
    translations: &'a BTreeMap<String, T>,
    locale: &Locale,
) -> Option<&'a T> {
    let mut tag = locale.as_str().to_ascii_lowercase();
    loop {
        if let Some(found) = translations.get(&tag) {
            return Some(found);
        }
        let end = tag.rfind('-')?;
        tag.truncate(end);
    }
}

/// A change of a product's content; fields that are `None` stay as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContentChange {
    /// As [`Content::slug`].
    pub slug: Option<Option<Slug>>,
    /// As [`Content::brand`].
    pub brand: Option<Option<String>>,
    /// As [`Content::tags`], which are replaced as a whole.
    pub tags: Option<Vec<String>>,
    /// As [`Content::seo`], which is replaced as a whole.
    pub seo: Option<Seo>,
    /// As [`Content::images`], which are replaced as a whole.
    pub images: Option<Vec<Image>>,
    /// As [`Content::translations`], which are replaced as a whole.
    pub translations: Option<BTreeMap<String, Translation>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_is_words_of_small_letters_and_digits_with_hyphens_between_them() {
        for text in [
            "sencha",
            "green-tea-2",
            "煎茶",
            "grüner-tee",
            "हिन्दी-चाय",
            "ชา",
            "7",
            &"x".repeat(100),
        ] {
            assert_eq!(text.parse::<Slug>().unwrap().as_str(), text);
        }
        let id = "0197f0a0-0000-7000-8000-000000000001";
        let long = "x".repeat(101);
        for text in [
            "", "-a", "a-", "a--b", "Sencha", "a b", "a/b", "a.b", "a_b", "%41", id, &long,
        ] {
            assert_eq!(text.parse::<Slug>(), Err(InvalidSlug), "{text}");
        }
    }

    #[test]
    fn the_nearest_language_is_found() {
        let translation = |name: &str| Translation {
            name: name.to_owned(),
            ..Translation::default()
        };
        let languages = ["de", "de-at", "zh-hant-tw"];
        let translations = languages.map(|tag| (tag.to_owned(), translation(tag)));
        let content = Content {
            translations: BTreeMap::from(translations),
            ..Content::default()
        };
        let cases = [
            ("de", Some("de")),
            ("de-AT", Some("de-at")),
            ("de-CH-1901", Some("de")),
            ("zh-Hant-TW", Some("zh-hant-tw")),
            ("zh-Hant", None),
            ("fr", None),
        ];
        for (locale, name) in cases {
            let found = content.translation(&locale.parse().unwrap());
            assert_eq!(found.map(|found| found.name.as_str()), name, "{locale}");
        }
    }
}
