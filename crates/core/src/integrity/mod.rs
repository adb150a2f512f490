//! Integrity: audits whether the data of the other services is consistent.
//!
//! The service owns the table of audits and their findings. It reads the tables of orders, stock and payments and the
//! event log through their own stores, and changes none of them. `audit-integrity` checks, every hour and whenever it
//! is invoked, everything that had an event since the last audit. It is a service of its own because orders read the
//! event log: an audit within `platform` would make the two depend on each other.
//!
//! Invariants:
//! - Unfinished work is not a violation: an order with something due, or a change of the last minute, is checked
//!   again by the next audit.
//! - A violation that is found again stays one finding. One that is not found again is resolved, and stays on record.

pub mod api;
pub mod audit;
pub mod events;
pub mod evidence;
pub mod model;
pub mod rules;
pub mod store;

#[cfg(test)]
mod tests;
