//! How what somebody types becomes a query of the engine.
//!
//! Each word is looked for as it is, by its stems and its synonyms, in all fields, and counts where it counts most. The last
//! one may also be the beginning of a word. A word that no product has is taken apart, as a German compound, or looked for
//! with one or two typing errors. Nothing that is typed is a syntax: signs part words.

#![expect(clippy::disallowed_types, reason = "scores are no amounts")]

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};
use tantivy::query::{
    BooleanQuery, BoostQuery, ConstScoreQuery, DisjunctionMaxQuery, Occur, Query, TermQuery,
};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{Searcher, Term};

use crate::SearchError;
use crate::analysis::{self, Stemmed, Word};
use crate::dictionary::{Dictionary, Meant};
use crate::schema::Fields;
use crate::synonyms::Synonyms;

/// The most words of a query that are looked for; the others are not.
pub const MOST_WORDS: usize = 12;

/// The most pairs of characters of a word in a script without spaces.
const MOST_PAIRS: usize = 12;

/// The most words that are looked for together as a tag or a category.
const MOST_TOGETHER: u16 = 3;

/// The most words that a beginning, and a word with typing errors, stand for.
const MOST_MEANT: usize = 10;

/// What counts how much.
#[derive(Clone, Copy, Debug)]
pub struct Weights {
    /// A word in the name.
    pub name: f32,
    /// A word in brand, tags and values of attributes.
    pub keys: f32,
    /// A word in the name of the category, or of one above it.
    pub groups: f32,
    /// A word in the description.
    pub body: f32,
    /// All of the words together as a brand, a tag or the name of a category: this is added, however rare they are, and its
    /// part for some of them.
    pub whole: f32,
    /// All of the words together as an SKU or a GTIN.
    pub code: f32,
    /// The stem of a word, beside the word itself.
    pub stem: f32,
    /// A word that begins so.
    pub beginning: f32,
    /// A part of a compound.
    pub part: f32,
    /// A synonym.
    pub synonym: f32,
    /// A word with one typing error; with two, the square of it.
    pub typo: f32,
    /// What the fields in which a word counts less add to the one in which it counts most.
    pub others: f32,
}

impl Default for Weights {
    fn default() -> Self {
        Self {
            name: 4.0,
            keys: 2.0,
            groups: 2.0,
            body: 1.0,
            whole: 15.0,
            code: 50.0,
            stem: 0.9,
            beginning: 0.6,
            part: 0.8,
            synonym: 0.8,
            typo: 0.5,
            others: 0.1,
        }
    }
}

impl Weights {
    /// Returns the weights that are usual, with those of some fields changed.
    #[must_use]
    pub fn boosted(boosts: Boosts) -> Self {
        let usual = Self::default();
        let boosted = |weight: f32, percent: u16| weight * f32::from(percent) / 100.0;
        Self {
            name: boosted(usual.name, boosts.name),
            keys: boosted(usual.keys, boosts.keywords),
            groups: boosted(usual.groups, boosts.category),
            body: boosted(usual.body, boosts.description),
            ..usual
        }
    }
}

/// How much a word counts in the texts of a product, in percent of what it counts there by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Boosts {
    /// In the name.
    pub name: u16,
    /// In brand, tags and values of attributes.
    pub keywords: u16,
    /// In the name of its category, or of one above it.
    pub category: u16,
    /// In the description.
    pub description: u16,
}

impl Default for Boosts {
    fn default() -> Self {
        Self {
            name: 100,
            keywords: 100,
            category: 100,
            description: 100,
        }
    }
}

/// Words that say little: they are left out if there are others.
const STOP_WORDS: &[&str] = &[
    "a", "an", "and", "at", "by", "for", "from", "in", "is", "of", "on", "or", "the", "to", "with",
    "aus", "bei", "das", "dem", "den", "der", "des", "die", "ein", "eine", "einem", "einen",
    "einer", "eines", "fur", "fuer", "im", "ist", "mit", "oder", "und", "von", "zu", "zum", "zur",
    "的", "和", "与", "或", "给",
];

/// How much of a query a document must have.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Strictness {
    /// Most of its words.
    Most,
    /// Any of its words, or a part of one in a script without spaces.
    Any,
}

impl Strictness {
    /// Returns how many of so many words a document must have.
    fn of_words(self, count: usize) -> usize {
        match (self, count) {
            (Self::Any, _) => 1,
            (Self::Most, 0..=2) => count,
            (Self::Most, 3..=4) => count - 1,
            (Self::Most, _) => (count * 7).div_ceil(10),
        }
    }

    /// Returns how many of so many pairs of characters a document must have: not those that belong to two words.
    fn of_pairs(self, count: usize) -> usize {
        match self {
            Self::Any => 1,
            Self::Most => (count * 6).div_ceil(10),
        }
    }
}

/// Ways in which a document can have something, of which the best counts.
type Ways = Vec<Box<dyn Query>>;

/// Makes queries for one index.
pub(crate) struct Parser<'a> {
    pub(crate) searcher: &'a Searcher,
    pub(crate) fields: &'a Fields,
    pub(crate) weights: &'a Weights,
    pub(crate) synonyms: &'a Synonyms,
    pub(crate) strictness: Strictness,
}

impl Parser<'_> {
    /// Returns the query for `text`, or `None` if it has no words.
    ///
    /// # Errors
    /// Returns [`SearchError`] if the index cannot be read.
    pub(crate) fn parse(&self, text: &str) -> Result<Option<Box<dyn Query>>, SearchError> {
        let mut words = analysis::words(text);
        let says_little = |word: &Word| STOP_WORDS.contains(&word.text.as_str());
        if !words.iter().all(says_little) {
            words.retain(|word| !says_little(word));
        }
        words.truncate(MOST_WORDS);
        let Some(last) = words.len().checked_sub(1) else {
            return Ok(None);
        };
        let mut clauses = Vec::with_capacity(words.len());
        let mut read = Vec::with_capacity(words.len());
        for (at, word) in words.iter().enumerate() {
            let (ways, likely) = self.word(word, at == last)?;
            clauses.push((Occur::Should, self.best(ways)));
            read.push(likely);
        }
        let needed = self.strictness.of_words(clauses.len());
        let mut ways: Ways = vec![Box::new(BooleanQuery::with_minimum_required_clauses(
            clauses, needed,
        ))];
        if read.len() > 1 {
            for synonym in self.synonyms.of(&read.join(" ")) {
                ways.extend(self.all_of(&analysis::words(synonym), self.weights.synonym)?);
            }
        }
        ways.extend(self.code(&read.concat())?);
        let mut clauses = vec![(Occur::Must, self.best(ways))];
        let together = self.together(&read)?.into_iter();
        clauses.extend(together.map(|whole| (Occur::Should, whole)));
        Ok(Some(Box::new(BooleanQuery::new(clauses))))
    }

    /// Returns the ways to have `text` as an SKU or a GTIN, which has a digit.
    fn code(&self, text: &str) -> Result<Option<Box<dyn Query>>, SearchError> {
        let code = analysis::code(text);
        let field = self.fields.codes;
        let is_one = code.contains(|letter: char| letter.is_ascii_digit())
            && self.dictionary().documents(field, &code)? > 0;
        Ok(is_one.then(|| worth(field, &code, self.weights.code)))
    }

    /// Returns what is added for some of `words`, one after another, that are a brand, a tag or the name of a category: a
    /// ring is meant by "silver ring" before a signet ring is.
    fn together(&self, words: &[String]) -> Result<Ways, SearchError> {
        let mut found = Ways::new();
        let all = u16::try_from(words.len()).unwrap_or(u16::MAX);
        for length in 1..=all.min(MOST_TOGETHER) {
            let part = f32::from(length) / f32::from(all);
            for together in words.windows(length.into()) {
                let text = together.join(" ");
                for language in Stemmed::ALL {
                    let term = analysis::whole(&text, language);
                    if self.dictionary().documents(self.fields.whole, &term)? > 0 {
                        found.push(worth(self.fields.whole, &term, self.weights.whole * part));
                        break;
                    }
                }
            }
        }
        Ok(found)
    }

    /// Returns the query for all of `words`, such as those of a synonym; `None` if one of them is in no document.
    fn all_of(&self, words: &[Word], weight: f32) -> Result<Option<Box<dyn Query>>, SearchError> {
        let mut clauses = Vec::with_capacity(words.len());
        for word in words {
            let ways = self.known(word)?;
            if ways.is_empty() {
                return Ok(None);
            }
            clauses.push((Occur::Must, self.best(ways)));
        }
        let all = Box::new(BooleanQuery::new(clauses));
        Ok(Some(Box::new(BoostQuery::new(all, weight))))
    }

    /// Returns the ways to have `word`, and what it is most likely to be.
    fn word(&self, word: &Word, is_last: bool) -> Result<(Ways, String), SearchError> {
        let mut ways = self.known(word)?;
        let synonyms = self.synonyms.of(&word.text);
        for synonym in synonyms {
            ways.extend(self.all_of(&analysis::words(synonym), self.weights.synonym)?);
        }
        if word.is_unspaced {
            return Ok((ways, word.text.clone()));
        }
        if is_last && synonyms.is_empty() && word.text.chars().count() > 1 {
            let meant = self.dictionary().beginning_with(&word.text)?;
            ways.extend(self.meant(meant, self.weights.beginning)?);
        }
        if ways.is_empty() {
            return self.unknown(word);
        }
        Ok((ways, word.text.clone()))
    }

    /// Returns the ways to have a word that is in no document, and what it is most likely to be.
    fn unknown(&self, word: &Word) -> Result<(Ways, String), SearchError> {
        let mut ways = Ways::new();
        if let Some(parts) = self.dictionary().parts(&word.text)? {
            let parts: Vec<Word> = parts
                .iter()
                .flat_map(|part| analysis::words(part))
                .collect();
            ways.extend(self.all_of(&parts, self.weights.part)?);
        }
        let meant = self
            .dictionary()
            .misspelled(&word.text, self.synonyms.words())?;
        let likely = meant
            .iter()
            .min_by_key(|meant| (meant.errors, Reverse(meant.documents)));
        let likely = likely.map_or(&word.text, |meant| &meant.word).clone();
        ways.extend(self.meant(meant, 1.0)?);
        for synonym in self.synonyms.of(&likely) {
            let weight = self.weights.synonym * self.weights.typo;
            ways.extend(self.all_of(&analysis::words(synonym), weight)?);
        }
        Ok((ways, likely))
    }

    /// Returns the ways to have one of the words that somebody may have `meant`: those with the fewest typing errors, and of
    /// them those that most documents have.
    fn meant(&self, mut meant: Vec<Meant>, weight: f32) -> Result<Ways, SearchError> {
        meant.sort_by(|one, other| {
            let key = |meant: &Meant| (meant.errors, Reverse(meant.documents));
            key(one)
                .cmp(&key(other))
                .then_with(|| one.word.cmp(&other.word))
        });
        let mut taken: Vec<String> = Vec::new();
        let mut ways = Ways::new();
        for Meant { word, errors, .. } in meant {
            if taken.len() < MOST_MEANT && !taken.contains(&word) {
                let weight = weight * self.weights.typo.powi(errors.into());
                ways.extend(self.term(&word, weight)?);
                taken.push(word);
            }
        }
        Ok(ways)
    }

    /// Returns the ways to have `word` as it is, or its stem.
    fn known(&self, word: &Word) -> Result<Ways, SearchError> {
        if word.is_unspaced {
            return Ok(vec![self.pairs(&word.text)]);
        }
        let mut ways = Ways::new();
        let forms = [Some(word.text.clone()), word.spelled_out.clone()];
        let forms = forms.into_iter().flatten();
        for text in forms.chain(singulars(&word.text)) {
            ways.extend(self.term(&text, 1.0)?);
            let mut stems = Stemmed::ALL.map(|language| language.stem(&text)).to_vec();
            stems.dedup();
            for stem in stems {
                ways.extend(self.term(&stem, self.weights.stem)?);
            }
        }
        Ok(ways)
    }

    /// Returns the query for the pairs of characters of a word, or for single ones.
    fn pairs(&self, word: &str) -> Box<dyn Query> {
        let mut pairs = analysis::pairs(word);
        if let Strictness::Any = self.strictness {
            pairs.extend(word.chars().map(String::from));
        }
        let clauses = pairs.iter().take(MOST_PAIRS).map(|pair| {
            let ways = self
                .fields()
                .map(|(field, weight)| in_field(field, pair, weight));
            (Occur::Should, self.best(ways.into()))
        });
        let clauses: Vec<_> = clauses.collect();
        let needed = self.strictness.of_pairs(clauses.len());
        Box::new(BooleanQuery::with_minimum_required_clauses(clauses, needed))
    }

    /// Returns the ways to have `term` in the fields that have it.
    fn term(&self, term: &str, weight: f32) -> Result<Ways, SearchError> {
        let mut ways = Ways::new();
        for (field, of_field) in self.fields() {
            if self.dictionary().documents(field, term)? > 0 {
                ways.push(in_field(field, term, of_field * weight));
            }
        }
        Ok(ways)
    }

    fn dictionary(&self) -> Dictionary<'_> {
        Dictionary {
            searcher: self.searcher,
            fields: self.fields,
        }
    }

    fn fields(&self) -> [(Field, f32); 4] {
        [
            (self.fields.name, self.weights.name),
            (self.fields.keys, self.weights.keys),
            (self.fields.groups, self.weights.groups),
            (self.fields.body, self.weights.body),
        ]
    }

    fn best(&self, ways: Ways) -> Box<dyn Query> {
        let others = self.weights.others;
        Box::new(DisjunctionMaxQuery::with_tie_breaker(ways, others))
    }
}

fn in_field(field: Field, term: &str, weight: f32) -> Box<dyn Query> {
    let term = Term::from_field_text(field, term);
    let query = Box::new(TermQuery::new(term, IndexRecordOption::WithFreqs));
    Box::new(BoostQuery::new(query, weight))
}

/// Returns the query for `term` that is worth the same in each document.
fn worth(field: Field, term: &str, score: f32) -> Box<dyn Query> {
    let term = Term::from_field_text(field, term);
    let query = Box::new(TermQuery::new(term, IndexRecordOption::Basic));
    Box::new(ConstScoreQuery::new(query, score))
}

/// Returns what a plural such as `knives` and `shelves` may be of, which no stemmer knows.
fn singulars(word: &str) -> Vec<String> {
    match word.strip_suffix("ves") {
        Some(rest) if rest.len() > 1 => vec![format!("{rest}f"), format!("{rest}fe")],
        _ => Vec::new(),
    }
}
