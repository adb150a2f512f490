//! Full-text search over the products of a shop: text in any language to the identifiers of products, best first, with
//! counts by category, brand, attribute and price.
//!
//! [`segment::write`] makes a segment of documents, once and for all; [`Searcher`] searches some segments together. Nothing
//! here knows where they are kept, or what a shop is. How texts become terms is in [`analysis`], how a query becomes one of
//! tantivy's in [`query`].

pub mod analysis;
mod dictionary;
pub mod document;
pub mod facets;
pub mod query;
mod schema;
pub mod searcher;
pub mod segment;
pub mod synonyms;

pub use document::Document;
pub use searcher::{Found, Request, Searcher};

/// Why an index cannot be written or searched.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// What the engine says.
    #[error("the search index cannot be used")]
    Index(#[from] tantivy::TantivyError),
    /// A part of a segment cannot be read.
    #[error("a part of the search index cannot be read")]
    Read(#[from] std::io::Error),
}
