//! Payments: one per order, and the gateways that move the money.
//!
//! Owns the tables of payments, of their refunds and of the ledger. The sandbox gateway keeps its books in a table of its
//! own, which stands for another company's system and which no other code reads. Invariants:
//!
//! - what refunds have taken never exceeds what was captured, as a condition of the write that stores a refund;
//! - every movement of money is in the [`ledger`], as the difference that a write of a payment made;
//! - refunded <= captured <= authorized, by [`model::Amounts`] and again as conditions of each write;
//! - the payment is stored before the gateway is called, and is never deleted;
//! - each attempt has one idempotency key at the gateway, so that a repeated call charges once;
//! - a payment is charged at one gateway: it moves to another one only once its attempt is voided ([`fallback`]);
//! - a run that finds an outcome unknown asks the gateway before it does anything else;
//! - once `void_requested` is stored, only voiding stores the gateway's responses, and it does not end before the
//!   gateway can take no more money for the order and has refunded what it took.

pub mod api;
pub mod captures;
pub mod days;
pub mod disputes;
pub mod events;
pub mod fallback;
#[cfg(test)]
pub(crate) mod fixtures;
pub mod gateway;
mod item;
pub mod ledger;
pub mod model;
pub mod pieces;
pub mod providers;
pub mod reconcile;
pub mod reconciliation;
pub mod refunds;
pub mod retries;
pub mod rules;
pub mod steps;
pub mod store;
pub mod webhooks;
