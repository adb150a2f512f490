//! Screening: conditions on orders that operators change without a deployment.
//!
//! Owns the table of operators' rules. Invariants: an expression is checked when it is saved (its
//! names exist, its types fit, it costs at most [`cel::Expression::MAX_COST`]), so no rule stalls its
//! caller; amounts are exact; every change increments the table's revision, by which processes know
//! that their cache is outdated; every change has exactly one event, numbered by the rule's version,
//! which goes on after a removal; every verdict is reported, and a rule that cannot be evaluated is not
//! passed.

pub mod api;
pub mod cel;
pub mod changes;
pub mod engine;
pub mod events;
pub mod model;
pub mod operator;
pub mod product;
pub mod store;
mod types;
pub mod view;

#[cfg(test)]
mod tests;
