//! Prices beyond the catalogue's: discounts, shipping methods and tax rates, and the one calculation
//! that makes an order's totals of them.
//!
//! Owns the table of pricing. Invariants:
//! - [`breakdown::calculate`] is a pure function: the same lines, discounts, method and rates give the
//!   same totals, in whatever order they are given.
//! - Parts add up to the whole: `total = subtotal - discount + shipping + tax that is not included`,
//!   and every line says which discount took how much of it ([`breakdown::Breakdown::check`]).
//! - Nothing goes below zero, and no discount takes more than what a line costs.
//! - Of two discounts that are not ended, no two have the same code in whatever case.
//! - Every change counts the book's version up, in the same transaction; so whoever has the version has
//!   what is current ([`store::PricingStore::current`]).

pub mod api;
pub mod breakdown;
pub mod cart;
pub mod conditions;
pub mod discounts;
pub mod events;
pub mod model;
pub mod rules;
pub mod sheet;
pub mod shipping;
pub mod store;
pub mod tax;

#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;
