//! What categories and collections are called.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::http::body::Body;
use crate::values::locale::Locale;

use super::content::nearest;
use super::fields::by_language;

/// A name, also in other languages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// The name: a line of 1 to 100 characters.
    pub name: String,
    /// The name in at most 20 other languages, by language tag in lower case.
    pub translations: BTreeMap<String, String>,
}

/// Names on the wire: `{"name": "...", "translations": {"de": {"name": "..."}}}`.
#[derive(Debug, Serialize)]
pub(super) struct NamesBody {
    name: String,
    translations: BTreeMap<String, NameBody>,
}

#[derive(Debug, Serialize)]
struct NameBody {
    name: String,
}

impl NamesBody {
    /// Returns `names`, with the name in the language `locale`, or in the nearest that there is.
    pub(super) fn new(names: &Names, locale: Option<&Locale>) -> Self {
        let name = locale.and_then(|locale| nearest(&names.translations, locale));
        let translations = names.translations.iter();
        Self {
            name: name.unwrap_or(&names.name).clone(),
            translations: translations
                .map(|(tag, name)| (tag.clone(), NameBody { name: name.clone() }))
                .collect(),
        }
    }
}

/// Reads names.
pub(super) fn names(body: &mut Body<'_>) -> Option<Names> {
    let name = body.required("name", |json| json.line(1..=100));
    let translations = body.optional("translations", |json| {
        by_language(json, |body| {
            body.required("name", |json| json.line(1..=100))
        })
    });
    Some(Names {
        name: name?,
        translations: translations?.unwrap_or_default(),
    })
}
