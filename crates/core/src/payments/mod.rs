//! Payments: one per order, and the gateways that move the money.
//!
//! Owns the payments table; the sandbox gateway keeps its books in a table of its own, which stands
//! for another company's system and which nothing else reads. Invariants:
//!
//! - refunded <= captured <= authorized, by [`model::Amounts`] and again as conditions of each write;
//! - the payment item is stored before the gateway hears of it, and is never deleted;
//! - one attempt is one idempotency key at the gateway, so that calling again charges once;
//! - whoever is unsure asks the gateway before it does anything: `processing` is never an answer;
//! - once `void_requested` is stored, only voiding writes the gateway's answers, and it does not end
//!   before the gateway can take no money for the order and has given back what it took.

pub mod api;
pub mod events;
#[cfg(test)]
mod fixtures;
pub mod gateway;
pub mod model;
pub mod rules;
pub mod steps;
pub mod store;
