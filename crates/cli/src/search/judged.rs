//! Judged queries: how good the answers of the search are. crates/cli/search/README.md says what the grades mean.

#![expect(
    clippy::disallowed_types,
    reason = "figures about relevance are not amounts"
)]

use std::collections::BTreeMap;

use oxcart_search::Document;

use crate::Error;

const QUERIES: &str = include_str!("../../search/queries.tsv");
const SYNONYMS: &str = include_str!("../../search/synonyms.tsv");

/// A query, and which products answer it.
pub(super) struct Judged {
    /// The language that it is in.
    pub(super) language: &'static str,
    /// What somebody typed.
    pub(super) text: &'static str,
    judgements: Vec<Judgement>,
}

/// The grade of some products.
struct Judgement {
    category: &'static str,
    /// The word that the products are of; `*` for all of the category, and of those below it.
    word: &'static str,
    /// The attributes that they have besides.
    conditions: Vec<(&'static str, &'static str)>,
    grade: u32,
}

/// Returns the queries.
///
/// # Errors
/// If a line cannot be read.
pub(super) fn queries() -> Result<Vec<Judged>, Error> {
    let queries = rows(QUERIES).map(|columns| {
        let [language, text, judgements] = columns[..] else {
            return Err(format!("not three columns: {columns:?}").into());
        };
        let judgements = judgements.split(';').map(|one| {
            let judgement = judgement(one);
            judgement.ok_or_else(|| format!("{text}: not a judgement: {one}").into())
        });
        Ok(Judged {
            language,
            text,
            judgements: judgements.collect::<Result<_, Error>>()?,
        })
    });
    queries.collect()
}

/// Returns groups of words that mean the same.
pub(super) fn synonyms() -> impl Iterator<Item = Vec<&'static str>> {
    rows(SYNONYMS).filter_map(|columns| Some(columns.get(1)?.split('|').collect()))
}

/// Returns the columns of the lines that are no comments.
fn rows(table: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    let lines = table.lines();
    let lines = lines.filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    lines.map(|line| line.split('\t').collect())
}

/// Reads `shoes/boot[material=leather]=3`.
fn judgement(text: &'static str) -> Option<Judgement> {
    let (products, grade) = text.rsplit_once('=')?;
    let (products, conditions) = products.split_once('[').unwrap_or((products, ""));
    let (category, word) = products.split_once('/')?;
    let conditions = conditions.trim_end_matches(']').split("][");
    let conditions = conditions.filter(|condition| !condition.is_empty());
    Some(Judgement {
        category,
        word,
        conditions: conditions
            .map(|one| one.split_once('='))
            .collect::<Option<_>>()?,
        grade: grade.parse().ok()?,
    })
}

impl Judged {
    /// Returns the grade of `product`: the highest of the judgements that it meets.
    pub(super) fn grade(&self, product: &Product) -> u32 {
        let met = self
            .judgements
            .iter()
            .filter(|judgement| judgement.is_of(product));
        met.map(|judgement| judgement.grade).max().unwrap_or(0)
    }
}

impl Judgement {
    fn is_of(&self, product: &Product) -> bool {
        let mut categories = product.categories.iter();
        let is_of_word = if self.word == "*" {
            categories.any(|category| category == self.category)
        } else {
            product.word == self.word && categories.next().is_some_and(|own| own == self.category)
        };
        is_of_word
            && self
                .conditions
                .iter()
                .all(|(name, value)| product.has(name, value))
    }
}

/// What of a product is judged.
pub(super) struct Product {
    categories: Vec<String>,
    word: String,
    brand: String,
    attributes: BTreeMap<String, Vec<String>>,
}

impl Product {
    /// Returns what is judged of the product that `document` is of. The word is the first of its tags.
    pub(super) fn new(document: &Document) -> Self {
        let mut attributes: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in &document.attributes {
            attributes
                .entry(name.clone())
                .or_default()
                .push(value.clone());
        }
        Self {
            categories: document.categories.clone(),
            word: document.tags.first().cloned().unwrap_or_default(),
            brand: document.brand.clone().unwrap_or_default(),
            attributes,
        }
    }

    fn has(&self, name: &str, value: &str) -> bool {
        match name {
            "brand" => self.brand == value,
            "category" => self.categories.iter().any(|category| category == value),
            name => {
                let values = self.attributes.get(name).into_iter().flatten();
                values.into_iter().any(|known| known == value)
            }
        }
    }
}

/// Returns the normalised discounted cumulative gain of the first ten products, which have the grades `found`, if `all` are
/// the grades of all products; `None` if none of them is any good.
pub(super) fn ndcg(found: &[u32], mut all: Vec<u32>) -> Option<f64> {
    all.sort_unstable_by(|one, other| other.cmp(one));
    let best = gain(&all);
    (best > 0.0).then(|| gain(found) / best)
}

fn gain(grades: &[u32]) -> f64 {
    let first = grades.iter().take(10).zip(2_u32..);
    let gains = first.map(|(grade, place)| {
        let gain = 2_u32.saturating_pow(*grade) - 1;
        f64::from(gain) / f64::from(place).log2()
    });
    gains.fold(0.0, |sum, gain| sum + gain)
}
