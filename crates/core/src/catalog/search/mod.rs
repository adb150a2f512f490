//! The search index of the products.
//!
//! It is some segments, which do not change once they are written, and a manifest, which says which segments there are. The
//! manifest is replaced on condition that nobody else has replaced it meanwhile, so that two who write lose nothing.
//! [`follow`] writes what has changed, [`build`] builds the index anew and merges segments, and [`index`] is what is
//! searched (docs/decisions/0045-search.md).

pub mod admin;
pub mod api;
pub mod build;
mod documents;
pub mod follow;
pub mod index;
pub mod model;
pub mod settings;
pub mod store;

#[cfg(test)]
mod tests;
