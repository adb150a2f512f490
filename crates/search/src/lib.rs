//! Full-text search over the products of a shop: text in any language to the identifiers of products, best first, with
//! counts by category, brand, attribute and price.
//!
//! [`segment::write`] makes a segment of documents, once and for all, and [`segment::merge`] one of several; [`Searcher`]
//! searches some segments together. They are read through [`blocks::Blocks`]; nothing here knows where they are kept, or
//! what a shop is. How texts become terms is in [`analysis`], how a query becomes one of
//! tantivy's in [`query`].

pub mod analysis;
pub mod blocks;
mod dictionary;
mod directory;
pub mod document;
pub mod facets;
pub mod ids;
pub mod index;
pub mod memory;
pub mod query;
mod schema;
pub mod searcher;
pub mod segment;
pub mod synonyms;
pub mod versions;

pub use document::Document;
pub use searcher::{Found, Request, Searcher};

/// Why an index cannot be written or searched.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// What the engine says.
    #[error("the search index cannot be used")]
    Index(#[from] tantivy::TantivyError),
    /// Something that belongs to an index is not there.
    #[error("the search index is damaged: {0}")]
    Damaged(&'static str),
    /// A part of a segment cannot be read.
    #[error("a part of the search index cannot be read")]
    Read(#[from] std::io::Error),
}
