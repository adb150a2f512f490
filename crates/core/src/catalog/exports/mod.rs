//! Exports: files with all products or prices of the shop, which an import takes as they are.
//!
//! An export is an item in the table of file jobs, as an import is ([`super::imports`]). [`run`] goes through the table of
//! products and uploads the file in parts. After each part it notes how far it has come, so it goes on there after
//! anything.
//!
//! Invariants: every product that was there all the time and is not discontinued is in the file once, as it was at some
//! time of the export; how much is in memory does not depend on the size of the shop.

pub mod api;
pub mod lines;
pub mod model;
pub mod rules;
pub mod run;
pub mod store;
#[cfg(test)]
mod tests;
