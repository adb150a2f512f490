//! The words that are in an index: which there are, and which somebody may have meant.

use std::sync::LazyLock;

use levenshtein_automata::{DFA, Distance, LevenshteinAutomatonBuilder, SINK_STATE};
use tantivy::schema::Field;
use tantivy::termdict::TermDictionary;
use tantivy::{Searcher, Term};
use tantivy_fst::Automaton;

use crate::SearchError;
use crate::analysis::{STEM, Stemmed};
use crate::schema::Fields;

/// The most words that are looked at for a beginning or a word with typing errors, in each field of each segment.
const MOST_LOOKED_AT: usize = 5_000;

/// The shortest part of a compound, in characters.
const SHORTEST_PART: usize = 3;

/// A word of the index that somebody may have meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Meant {
    /// The word.
    pub(crate) word: String,
    /// How many typing errors it would be.
    pub(crate) errors: u8,
    /// In how many documents it is, in one of the fields.
    pub(crate) documents: u32,
}

/// The words in names, keys and groups.
#[derive(Clone, Copy)]
pub(crate) struct Dictionary<'a> {
    pub(crate) searcher: &'a Searcher,
    pub(crate) fields: &'a Fields,
}

impl Dictionary<'_> {
    /// Returns how many documents have `term` in `field`.
    ///
    /// # Errors
    /// Returns [`SearchError`] if the index cannot be read.
    pub(crate) fn documents(&self, field: Field, term: &str) -> Result<u64, SearchError> {
        Ok(self
            .searcher
            .doc_freq(&Term::from_field_text(field, term))?)
    }

    /// Returns the words that begin with `beginning` and are longer.
    ///
    /// # Errors
    /// Returns [`SearchError`] if the index cannot be read.
    pub(crate) fn beginning_with(&self, beginning: &str) -> Result<Vec<Meant>, SearchError> {
        let mut found = Vec::new();
        self.each(|terms| {
            let mut stream = terms.range().ge(beginning).into_stream()?;
            for _ in 0..MOST_LOOKED_AT {
                if !stream.advance() || !stream.key().starts_with(beginning.as_bytes()) {
                    break;
                }
                if let Ok(word) = std::str::from_utf8(stream.key())
                    && word != beginning
                {
                    found.push(Meant {
                        word: word.to_owned(),
                        errors: 0,
                        documents: stream.value().doc_freq,
                    });
                }
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// Returns the words that are one or two typing errors away from `word`, by its length, with those of `others`.
    ///
    /// # Errors
    /// Returns [`SearchError`] if the index cannot be read.
    pub(crate) fn misspelled<'o>(
        &self,
        word: &str,
        others: impl Iterator<Item = &'o str>,
    ) -> Result<Vec<Meant>, SearchError> {
        let [one_error, two_errors] = &*AUTOMATA;
        let near = match word.chars().count() {
            0..=3 => return Ok(Vec::new()),
            4..=7 => Near(one_error.build_dfa(word)),
            _ => Near(two_errors.build_dfa(word)),
        };
        let mut found: Vec<Meant> = others.filter_map(|other| near.meant(other, 0)).collect();
        self.each(|terms| {
            let mut stream = terms.search(&near).into_stream()?;
            for _ in 0..MOST_LOOKED_AT {
                if !stream.advance() {
                    break;
                }
                let word = std::str::from_utf8(stream.key());
                let word = word.ok().filter(|word| !word.starts_with(STEM));
                found.extend(word.and_then(|word| near.meant(word, stream.value().doc_freq)));
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// Returns the two words that `compound` consists of, such as `baumwolle` and `hemd`: of all ways to part it, the one
    /// whose shorter part is the longest.
    ///
    /// # Errors
    /// Returns [`SearchError`] if the index cannot be read.
    pub(crate) fn parts(&self, compound: &str) -> Result<Option<[String; 2]>, SearchError> {
        let letters: Vec<char> = compound.chars().collect();
        let mut best: Option<(usize, [String; 2])> = None;
        for at in SHORTEST_PART..letters.len().saturating_sub(SHORTEST_PART - 1) {
            let (left, right) = letters.split_at(at);
            let shorter = left.len().min(right.len());
            if best.as_ref().is_some_and(|(length, _)| *length >= shorter) {
                continue;
            }
            let right: String = right.iter().collect();
            if !self.has(&right)? {
                continue;
            }
            for left in without_link(&left.iter().collect::<String>()) {
                if self.has(&left)? {
                    best = Some((shorter, [left, right]));
                    break;
                }
            }
        }
        Ok(best.map(|(_, parts)| parts))
    }

    /// Returns whether `word`, or its stem, is a word of the index.
    fn has(&self, word: &str) -> Result<bool, SearchError> {
        let stems = Stemmed::ALL.map(|language| language.stem(word));
        for term in stems.iter().map(String::as_str).chain([word]) {
            for field in self.looked_up() {
                if self.documents(field, term)? > 0 {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    fn each(
        &self,
        mut look: impl FnMut(&TermDictionary) -> Result<(), std::io::Error>,
    ) -> Result<(), SearchError> {
        for segment in self.searcher.segment_readers() {
            for field in self.looked_up() {
                look(segment.inverted_index(field)?.terms())?;
            }
        }
        Ok(())
    }

    fn looked_up(&self) -> [Field; 3] {
        [self.fields.name, self.fields.keys, self.fields.groups]
    }
}

/// Returns what the first part of a compound may be: itself, with the `e` that it has lost, or without the letters that
/// link it to the second.
fn without_link(part: &str) -> Vec<String> {
    let links = ["s", "es", "n", "en", "er", "e"];
    let shorter = links.iter().filter_map(|link| part.strip_suffix(link));
    let parts = [part.to_owned(), format!("{part}e")].into_iter();
    let parts = parts.chain(shorter.map(str::to_owned));
    parts
        .filter(|part| part.chars().count() >= SHORTEST_PART)
        .collect()
}

/// Automata for one and for two typing errors, of which two letters that have changed places are one.
static AUTOMATA: LazyLock<[LevenshteinAutomatonBuilder; 2]> =
    LazyLock::new(|| [1, 2].map(|errors| LevenshteinAutomatonBuilder::new(errors, true)));

/// The words that are at most some errors away from one.
struct Near(DFA);

impl Near {
    /// Returns `word` if it is one of them.
    fn meant(&self, word: &str, documents: u32) -> Option<Meant> {
        match self.0.eval(word) {
            Distance::Exact(errors) => Some(Meant {
                word: word.to_owned(),
                errors,
                documents,
            }),
            Distance::AtLeast(_) => None,
        }
    }
}

impl Automaton for Near {
    type State = u32;

    fn start(&self) -> u32 {
        self.0.initial_state()
    }

    fn is_match(&self, state: &u32) -> bool {
        matches!(self.0.distance(*state), Distance::Exact(_))
    }

    fn can_match(&self, state: &u32) -> bool {
        *state != SINK_STATE
    }

    fn accept(&self, state: &u32, byte: u8) -> u32 {
        self.0.transition(*state, byte)
    }
}
