//! Imports: files with any number of products or prices, which an admin uploads to the bucket of files.
//!
//! An import is an item in the table of file jobs. It waits for its file, runs when the bucket says that the file is there, and is then
//! completed, failed or cancelled. [`run`] reads the file piece by piece. After each piece it notes how far it has come
//! in the import's item, so it goes on there after anything. A piece that is read twice changes nothing the second time,
//! because rows say what a product is to be and name it by its SKU or identifier. What imports rows is an
//! [`piece::Importer`]: of products and prices in [`importer`], of stock in [`crate::inventory::imports`], because only the
//! inventory writes stock.
//!
//! Invariants: a row is taken whole or not at all; a row at fault does not keep others from being taken; how much of a
//! file is in memory does not depend on its size.

pub mod api;
pub(in crate::catalog) mod context;
pub mod importer;
pub mod model;
mod ndjson;
pub mod piece;
mod prices;
mod products;
mod rows;
pub mod rules;
pub mod run;
pub(in crate::catalog) mod sheet;
pub mod store;
#[cfg(test)]
pub(crate) mod tests;
