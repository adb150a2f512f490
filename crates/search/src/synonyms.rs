//! Synonyms: words that are searched for as well, as data.

use std::collections::HashMap;

use crate::analysis;

/// Groups of words of which each stands for all.
#[derive(Clone, Debug, Default)]
pub struct Synonyms {
    /// The other words of the groups in which a word is, each as its parts.
    others: HashMap<String, Vec<String>>,
}

impl Synonyms {
    /// Returns the synonyms of `groups`.
    #[must_use]
    pub fn new<'a>(groups: impl IntoIterator<Item = Vec<&'a str>>) -> Self {
        let mut others: HashMap<String, Vec<String>> = HashMap::new();
        for group in groups {
            for word in &group {
                let rest = group.iter().filter(|other| *other != word);
                let rest = rest.map(|other| (*other).to_owned());
                others.entry(key(word)).or_default().extend(rest);
            }
        }
        Self { others }
    }

    /// Returns all words that have synonyms.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.others.keys().map(String::as_str)
    }

    /// Returns what is searched for as well as `words`.
    #[must_use]
    pub fn of(&self, words: &str) -> &[String] {
        self.others.get(&key(words)).map_or(&[], Vec::as_slice)
    }
}

/// Returns the words of `text` in the form in which they are compared; an empty text, if it has none.
#[must_use]
pub fn key(text: &str) -> String {
    let words = analysis::words(text);
    let words: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
    words.join(" ")
}
