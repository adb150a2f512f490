//! Everything that makes a price besides the catalogue: price lists, discounts, shipping methods and tax rates, and
//! the one calculation that turns them into an order's totals.
//!
//! Owns the pricing table. Invariants:
//! - [`breakdown::calculate`] is a pure function: the same lines, discounts, method and rates give the
//!   same totals, in any order.
//! - Parts add up to the whole: `total = subtotal - discount + shipping + tax that is not included`,
//!   and every line records which discount took how much off it ([`breakdown::Breakdown::check`]).
//! - No amount is negative, and no discount takes more off a line than the line costs.
//! - No two active discounts have the same code, ignoring case.
//! - Every change of an automatic discount, a tax rate or a shipping method increments the version of
//!   the price book in the same transaction, so a cached book with the current version is current
//!   ([`store::PricingStore::current`]).

pub mod api;
pub mod batch;
pub mod breakdown;
pub mod cart;
pub mod codes;
pub mod collection;
pub mod conditions;
pub mod discounts;
pub mod events;
pub mod lists;
pub mod model;
pub mod postal_codes;
pub mod rules;
pub mod shipping;
pub mod store;
pub mod tax;

#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;
