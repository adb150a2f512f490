//! Searching some segments.

use tantivy::collector::TopDocs;
use tantivy::query::{AllQuery, BooleanQuery, ConstScoreQuery, Occur, Query, TermQuery};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{Index, IndexReader, ReloadPolicy, Term};
use uuid::Uuid;

use crate::SearchError;
use crate::analysis::{self, Stemmed};
use crate::facets::{CountFacets, Counts};
use crate::query::{Parser, Strictness, Weights};
use crate::schema::{Fields, SEPARATOR};
use crate::synonyms::Synonyms;

/// What is searched for.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// What somebody typed.
    pub text: String,
    /// Only products of this category, or of one below it.
    pub category: Option<String>,
    /// Only products of this brand.
    pub brand: Option<String>,
    /// Only products with all of these attributes.
    pub attributes: Vec<(String, String)>,
    /// How many of the best are returned.
    pub limit: usize,
    /// How many of the best are left out.
    pub offset: usize,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// The products, best first.
    pub products: Vec<Uuid>,
    /// How many there are of each kind.
    pub counts: Counts,
}

/// Some segments that are searched together.
pub struct Searcher {
    fields: Fields,
    reader: IndexReader,
    weights: Weights,
    synonyms: Synonyms,
}

impl Searcher {
    /// Returns a searcher of `index`.
    ///
    /// # Errors
    /// Returns [`SearchError`] if it cannot be opened.
    pub fn new(index: &Index, weights: Weights, synonyms: Synonyms) -> Result<Self, SearchError> {
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual);
        Ok(Self {
            fields: Fields::new(),
            reader: reader.try_into()?,
            weights,
            synonyms,
        })
    }

    /// Returns what `request` finds; nothing, if it has no words and no filters.
    ///
    /// # Errors
    /// Returns [`SearchError`] if the index cannot be read.
    pub fn search(&self, request: &Request) -> Result<Found, SearchError> {
        let searcher = self.reader.searcher();
        let filters = self.filters(request);
        let mut found = (Vec::new(), Counts::default());
        for strictness in [Strictness::Most, Strictness::Any] {
            let parser = Parser {
                strictness,
                searcher: &searcher,
                fields: &self.fields,
                weights: &self.weights,
                synonyms: &self.synonyms,
            };
            let words = parser.parse(&request.text)?;
            let has_words = words.is_some();
            if !has_words && filters.is_empty() {
                break;
            }
            let words = words.unwrap_or_else(|| Box::new(AllQuery));
            let filters = filters
                .iter()
                .map(|filter| (Occur::Must, filter.box_clone()));
            let query =
                BooleanQuery::new([(Occur::Must, words)].into_iter().chain(filters).collect());
            let best = TopDocs::with_limit(request.limit.max(1)).and_offset(request.offset);
            found = searcher.search(&query, &(best.order_by_score(), CountFacets))?;
            if found.1.total > 0 || !has_words {
                break;
            }
        }
        let (best, counts) = found;
        let mut products = Vec::with_capacity(best.len());
        for (_, address) in best {
            let columns = searcher.segment_reader(address.segment_ord).fast_fields();
            let half = |name| -> tantivy::Result<u64> {
                Ok(columns.u64(name)?.first(address.doc_id).unwrap_or_default())
            };
            products.push(Uuid::from_u64_pair(half("id_high")?, half("id_low")?));
        }
        Ok(Found { products, counts })
    }

    /// Returns how many documents have each of the terms of the words of `text`, in each field: what an index that is read
    /// term by term would have to read.
    ///
    /// # Errors
    /// Returns [`SearchError`] if the index cannot be read.
    pub fn postings(&self, text: &str) -> Result<Vec<u64>, SearchError> {
        let searcher = self.reader.searcher();
        let mut postings = Vec::new();
        for field in [
            self.fields.name,
            self.fields.keys,
            self.fields.groups,
            self.fields.body,
        ] {
            let terms = analysis::words(text).into_iter().flat_map(|word| {
                if word.is_unspaced {
                    return analysis::pairs(&word.text);
                }
                let stems = Stemmed::ALL.map(|language| language.stem(&word.text));
                stems.into_iter().chain([word.text]).collect()
            });
            for term in terms {
                postings.push(searcher.doc_freq(&Term::from_field_text(field, &term))?);
            }
        }
        postings.retain(|count| *count > 0);
        Ok(postings)
    }

    fn filters(&self, request: &Request) -> Vec<Box<dyn Query>> {
        let named = |field: Field, value: &str| -> Box<dyn Query> {
            let term = Term::from_field_text(field, value);
            let query = TermQuery::new(term, IndexRecordOption::Basic);
            Box::new(ConstScoreQuery::new(Box::new(query), 0.0))
        };
        let category = request.category.iter();
        let category = category.map(|category| named(self.fields.category, category));
        let brand = request.brand.iter();
        let brand = brand.map(|brand| named(self.fields.brand, brand));
        let attributes = request.attributes.iter().map(|(name, value)| {
            named(self.fields.attribute, &format!("{name}{SEPARATOR}{value}"))
        });
        category.chain(brand).chain(attributes).collect()
    }
}

#[cfg(test)]
mod tests;
