//! Collections: products that are shown together, chosen by hand or by a rule.
//!
//! All collections are one item of the table of products, as the categories are, but for the products of those by hand,
//! each of which is an item beside it. The products of a collection by rule are entries of a table of their own, sorted as
//! products are listed. Two functions keep them: one follows the stream of the products, so that a product that changes
//! comes into a collection or leaves it, and one, which runs every minute, goes through all products for a rule that is new.
//! It makes a new set of entries then, which is shown once it is complete.
//!
//! Invariants: an entry is written for a product as it is stored at that moment, or as the stream last said that it was; so
//! once the stream is read to its end and no set is being made, a collection has the active products for which its rule
//! holds, and no others.

pub mod api;
pub mod build;
pub mod entries;
pub mod follow;
pub mod model;
pub mod rules;
pub mod store;

#[cfg(test)]
mod tests;
