//! What is told of a product of the large demo, in three languages.

use super::data::{Phrase, Word};

/// What is drawn for the texts of a product.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub(super) word: Word,
    pub(super) brand: String,
    pub(super) model: String,
    /// Of the model.
    pub(super) number: usize,
    pub(super) material: Option<Phrase>,
    pub(super) colour: Option<Phrase>,
    pub(super) origin: Phrase,
    pub(super) sentences: Vec<Phrase>,
}

impl Told {
    /// Returns the same without the colour, in which the variants differ.
    pub(super) fn uncoloured(self) -> Self {
        Self {
            colour: None,
            ..self
        }
    }

    /// Returns the name in `language`, by a template such as `{brand} {word}, {colour}`.
    pub(super) fn name(&self, templates: &Phrase, language: usize) -> String {
        let phrase = |phrase: &Option<Phrase>| {
            let phrase = phrase.as_ref().and_then(|phrase| phrase.get(language));
            phrase.cloned().unwrap_or_default()
        };
        let template = templates.get(language).map_or("", String::as_str);
        let template = if self.colour.is_none() {
            template.replace(", {colour}", "").replace("{colour}", "")
        } else {
            template.to_owned()
        };
        template
            .replace("{brand}", &self.brand)
            .replace("{model}", &self.model)
            .replace("{number}", &self.number.to_string())
            .replace("{material}", &phrase(&self.material))
            .replace("{colour}", &phrase(&self.colour))
            .replace(
                "{origin}",
                self.origin.get(language).map_or("", |text| text),
            )
            .replace("{word}", &self.word_in(language))
    }

    /// Returns the word as it is written in a name: `Cricket Bat`, `Roter Apfel`.
    fn word_in(&self, language: usize) -> String {
        let word = self.word.names.get(language).copied().unwrap_or_default();
        if language == 0 {
            let parts: Vec<String> = word.split(' ').map(capitalised).collect();
            parts.join(" ")
        } else {
            capitalised(word)
        }
    }

    /// Returns the description in `language`.
    pub(super) fn description(&self, language: usize) -> String {
        let [colon, semicolon, stop, between] = match language {
            2 => ["：", "；", "。", ""],
            _ => [": ", "; ", ".", " "],
        };
        let word = self.word_in(language);
        let mut sentences = Vec::new();
        if language == 0 && !self.word.gloss.is_empty() {
            sentences.push(format!("{word}: {}.", self.word.gloss));
        }
        let of_language = |phrase: &Phrase| phrase.get(language).cloned().unwrap_or_default();
        sentences.extend(self.sentences.iter().map(of_language));
        let origin = Some(&self.origin);
        let facts = [
            (["Material", "Material", "材质"], self.material.as_ref()),
            (["Colour", "Farbe", "颜色"], self.colour.as_ref()),
            (["Origin", "Herkunft", "产地"], origin),
        ];
        let facts = facts.into_iter().filter_map(|(names, phrase)| {
            let name = names.get(language)?;
            Some(format!("{name}{colon}{}", phrase?.get(language)?))
        });
        let facts: Vec<String> = facts.collect();
        sentences.push(format!("{}{stop}", facts.join(semicolon)));
        sentences.join(between)
    }

    /// Returns the words by which the product is found, in all languages.
    pub(super) fn tags(&self) -> Vec<String> {
        let words = self.word.names.iter().chain(&self.word.keywords);
        let words = words.flat_map(|words| words.split('|'));
        let mut tags: Vec<String> = Vec::new();
        for word in words.filter(|word| !word.is_empty()) {
            if !tags.iter().any(|tag| tag == word) {
                tags.push(word.to_owned());
            }
        }
        tags
    }
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}

/// Returns the slug of product `number`, which no other product has.
pub(super) fn slug(name: &str, number: u32) -> String {
    let small = name.to_lowercase();
    let words = small.split(|c: char| !c.is_ascii_alphanumeric());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    let mut slug = words.join("-");
    slug.truncate(80);
    format!("{}-{number}", slug.trim_end_matches('-'))
}

/// Returns a GTIN of 13 digits for use within a company (they begin with 2), so that it is nobody's.
pub(super) fn gtin(number: u64) -> String {
    let digits = format!("2{number:011}");
    // From the right, before the check digit: 3, 1, 3, ... (GS1 General Specifications, section 7.9).
    let weights = [3, 1].into_iter().cycle();
    let values = digits.bytes().rev().map(|digit| u32::from(digit - b'0'));
    let sum: u32 = values
        .zip(weights)
        .map(|(value, weight)| value * weight)
        .sum();
    format!("{digits}{}", (10 - sum % 10) % 10)
}
