//! Searching some segments.

use std::collections::BTreeSet;
use std::sync::Arc;

use tantivy::collector::TopDocs;
use tantivy::query::{AllQuery, BooleanQuery, ConstScoreQuery, Occur, Query, TermQuery};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocAddress, IndexReader, ReloadPolicy, Term};
use uuid::Uuid;

use crate::SearchError;
use crate::analysis::{self, Stemmed};
use crate::blocks::{self, Blocks};
use crate::facets::{CountFacets, Counts};
use crate::index::{self, Part};
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
    blocks: Arc<Blocks>,
    parts: Vec<Part>,
    fields: Fields,
    reader: IndexReader,
    weights: Weights,
    synonyms: Synonyms,
}

impl Searcher {
    /// Returns a searcher of the index of `parts`, whose segments are in `blocks`: at least one.
    ///
    /// # Errors
    /// Returns [`SearchError`] if it cannot be opened.
    pub fn open(
        blocks: &Arc<Blocks>,
        parts: Vec<Part>,
        weights: Weights,
        synonyms: Synonyms,
    ) -> Result<Self, SearchError> {
        let index = index::open(blocks, &parts)?;
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual);
        Ok(Self {
            blocks: Arc::clone(blocks),
            parts,
            fields: Fields::of(&index.schema())?,
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
            self.load(&searcher, &query)?;
            let best = TopDocs::with_limit(request.limit.max(1)).and_offset(request.offset);
            found = searcher.search(&query, &(best.order_by_score(), CountFacets))?;
            if found.1.total > 0 || !has_words {
                break;
            }
        }
        let (best, counts) = found;
        let products = self.products(&searcher, best.into_iter().map(|(_, found)| found))?;
        Ok(Found { products, counts })
    }

    /// Reads what `query` needs at once, and not one after another as the engine would.
    fn load(&self, searcher: &tantivy::Searcher, query: &dyn Query) -> Result<(), SearchError> {
        let mut fields = BTreeSet::new();
        query.query_terms(&mut |term, _| {
            fields.insert(term.field());
        });
        for segment in searcher.segment_readers() {
            for field in &fields {
                segment.inverted_index(*field)?;
            }
        }
        let needed = blocks::noted(true, || {
            for segment in searcher.segment_readers() {
                query.query_terms(&mut |term, _| {
                    // Those that fail are read by the search, which says why.
                    let _ = segment.get_fieldnorms_reader(term.field());
                    let _ = segment.inverted_index(term.field()).and_then(|index| {
                        let option = IndexRecordOption::WithFreqs;
                        Ok(index.read_postings(term, option)?)
                    });
                });
            }
        });
        Ok(self.blocks.load(&needed)?)
    }

    /// Returns the products of these documents.
    fn products(
        &self,
        searcher: &tantivy::Searcher,
        documents: impl Iterator<Item = DocAddress>,
    ) -> Result<Vec<Uuid>, SearchError> {
        let mut found = Vec::new();
        for document in documents {
            let segment = searcher
                .segment_reader(document.segment_ord)
                .segment_id()
                .uuid_string();
            let segment = segment.replace('-', "");
            let mut parts = self.parts.iter();
            let part = parts.find(|part| part.segment.id.simple().to_string() == segment);
            let part = part.ok_or(SearchError::Damaged("a segment is not part of it"))?;
            found.push((part.segment.ids(&self.blocks)?, document.doc_id));
        }
        let places = found.iter().map(|(ids, document)| ids.place(*document));
        self.blocks.load(&places.collect::<Vec<_>>())?;
        let ids = found
            .into_iter()
            .map(|(ids, document)| Ok(ids.get(document)?.id));
        ids.collect()
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

    /// Returns how often a term is in a field of a document, each counted once for a document, and what they take in bytes.
    ///
    /// # Errors
    /// Returns [`SearchError`] if the index cannot be read.
    pub fn all_postings(&self) -> Result<(u64, u64), SearchError> {
        let searcher = self.reader.searcher();
        let (mut postings, mut bytes) = (0, 0);
        for segment in searcher.segment_readers() {
            bytes += segment.space_usage()?.postings().total().get_bytes();
            for (field, entry) in segment.schema().fields() {
                if entry.is_indexed() {
                    let index = segment.inverted_index(field)?;
                    let mut terms = index.terms().stream()?;
                    while terms.advance() {
                        postings += u64::from(terms.value().doc_freq);
                    }
                }
            }
        }
        Ok((postings, bytes))
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
