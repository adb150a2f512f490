//! The catalogue: the products of the shop and their prices.
//!
//! Owns the table of products. Invariants: a price is more than zero and in the shop's currency;
//! two variants never have the same SKU;
//! a discontinued product never changes again; every change has exactly one
//! event, numbered by the product's version. What is shown of a product's stock follows the inventory, and does not change
//! the product. Products are never deleted: orders refer to them.

pub mod api;
pub mod availability;
pub mod cache;
pub mod categories;
pub mod chosen;
pub mod collections;
pub mod content;
pub mod events;
pub mod exports;
mod fields;
pub mod file_jobs;
pub mod filter;
pub mod follow;
pub mod images;
pub mod imports;
mod item;
mod job_table;
pub mod lookup;
pub mod model;
pub mod names;
pub mod prices;
pub mod rules;
pub mod sales;
pub mod search;
pub mod sku;
pub mod sort;
pub mod store;
pub mod variants;

#[cfg(test)]
mod tests;
