//! Rules: what a shop decides about orders without a deployment.
//!
//! Owns the table of operators' rules. Invariants: an expression is looked over when it is saved (what
//! it names is there, its types fit, it cannot cost more than [`cel::Expression::MAX_COST`]), so no rule
//! stalls who asks it; an amount is exact; every change counts the table's revision on, by which
//! processes know that what they keep is old; every change has exactly one event, numbered by the
//! rule's version, also beyond a removal; no rule hides another's verdict, and one that breaks is not
//! passed.

pub mod api;
pub mod cel;
pub mod changes;
pub mod engine;
pub mod events;
pub mod model;
pub mod operator;
pub mod store;
mod types;
pub mod view;

#[cfg(test)]
mod tests;
