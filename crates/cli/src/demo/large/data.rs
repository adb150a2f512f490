//! The words and phrases that products of the large demo are made of. Where they come from is said beside the files, in
//! demo/large/README.md.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::Error;

const CATEGORIES: &str = include_str!("../../../demo/large/categories.json");
const VOCABULARY: &str = include_str!("../../../demo/large/vocabulary.json");
const WORDS: &str = include_str!("../../../demo/large/words.tsv");

/// The languages of a [`Phrase`]; the first one is that of products.
pub(super) const LANGUAGES: [&str; 3] = ["en", "de", "zh"];

/// The same in English, German and Chinese.
pub(super) type Phrase = [String; 3];

/// A category. Those without a kind have no products, but other categories below them.
#[derive(Debug, Deserialize)]
pub(super) struct Category {
    pub(super) id: String,
    pub(super) parent: Option<String>,
    pub(super) en: String,
    pub(super) de: String,
    pub(super) zh: String,
    /// Which of the [`Vocabulary::kinds`] its products are.
    pub(super) kind: Option<String>,
    /// From what to what they cost, in cents of a currency with two decimals.
    #[serde(default)]
    pub(super) cents: (u64, u64),
    /// From what to what they weigh.
    #[serde(default)]
    pub(super) grams: (u32, u32),
}

/// Returns the categories, each after its parent.
///
/// # Errors
/// If the file cannot be read.
pub(super) fn categories() -> Result<Vec<Category>, Error> {
    Ok(serde_json::from_str(CATEGORIES)?)
}

/// What is said of products, beside their words.
#[derive(Debug, Deserialize)]
pub(super) struct Vocabulary {
    /// The first and the second halves of invented brands.
    pub(super) brands: [Vec<String>; 2],
    /// Invented names of models.
    pub(super) models: Vec<String>,
    pub(super) colours: Vec<Phrase>,
    pub(super) origins: Vec<Phrase>,
    pub(super) kinds: BTreeMap<String, Kind>,
}

/// How products of a kind are called and described, and in what their variants differ.
#[derive(Debug, Deserialize)]
pub(super) struct Kind {
    /// What they are made of, if that is said.
    pub(super) materials: Vec<Phrase>,
    /// The name, with `{brand}`, `{model}`, `{number}`, `{word}`, `{material}`, `{colour}` and `{origin}`.
    pub(super) name: Phrase,
    pub(super) options: Vec<Choice>,
    /// How many of a hundred products have the options.
    pub(super) chance: u32,
    /// Attributes and their values.
    pub(super) facts: BTreeMap<String, Vec<String>>,
    pub(super) sentences: Vec<Phrase>,
}

/// Something in which variants differ.
#[derive(Debug, Deserialize)]
pub(super) struct Choice {
    pub(super) name: String,
    /// Each value, and what a variant with it costs and weighs in percent. None for colours.
    #[serde(default)]
    pub(super) values: Vec<(String, u32)>,
    /// The least and the most values that a product has.
    pub(super) take: (usize, usize),
}

/// Returns the vocabulary.
///
/// # Errors
/// If the file cannot be read.
pub(super) fn vocabulary() -> Result<Vocabulary, Error> {
    Ok(serde_json::from_str(VOCABULARY)?)
}

/// What a product is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word {
    pub(super) category: &'static str,
    /// Its name in each of [`LANGUAGES`], empty where it is not known.
    pub(super) names: [&'static str; 3],
    /// Keywords and synonyms in each of [`LANGUAGES`], with `|` between them.
    pub(super) keywords: [&'static str; 3],
    /// What it is, in English; may be empty.
    pub(super) gloss: &'static str,
}

impl Word {
    /// Returns whether it has a name in every language.
    pub(super) fn is_translated(&self) -> bool {
        self.names.iter().all(|name| !name.is_empty())
    }
}

/// Returns all words.
///
/// # Errors
/// If a line has other columns.
pub(super) fn words() -> Result<Vec<Word>, Error> {
    let words = WORDS.lines().map(|line| {
        let columns: Vec<&str> = line.split('\t').collect();
        let [category, en, de, zh, words_en, words_de, words_zh, gloss] = columns[..] else {
            return Err(format!("not a line of words: {line}").into());
        };
        Ok(Word {
            category,
            names: [en, de, zh],
            keywords: [words_en, words_de, words_zh],
            gloss,
        })
    });
    words.collect()
}
