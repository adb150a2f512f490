//! Integrity: whether what the other services have stored still fits together.
//!
//! The service owns the table of audits and of what they found; it reads the tables of orders, stock
//! and payments and the event log through their own stores, and changes none of them. `audit-integrity`
//! looks, every hour and whenever it is invoked, at everything that had an event since it looked last.
//! It is a service of its own because orders read the event log: an audit within `platform` would make
//! the two depend on each other.
//!
//! Invariants:
//! - What is still being worked on is no violation: an order with something due, or a change of the last
//!   minute, is looked at again by the next audit.
//! - A violation that an audit finds again stays one finding; one that it does not find again is
//!   resolved, and stays on record.

pub mod api;
pub mod audit;
pub mod events;
pub mod evidence;
pub mod model;
pub mod rules;
pub mod store;

#[cfg(test)]
mod tests;
