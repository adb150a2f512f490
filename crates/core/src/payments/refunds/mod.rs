//! Refunds: money that goes back to the customer while the order stands, in full or in part.
//!
//! A refund takes its amount from what is left of the payment in the transaction that stores it, before the gateway is
//! called, so that refunds which begin at the same time never exceed what was captured. It has one idempotency key at the
//! gateway. One whose outcome is unknown stays pending and is asked for ([`settle`]); it is never made again under
//! another key. One that fails gives back what it took.

pub mod api;
pub mod model;
pub mod returns;
pub mod rules;
pub mod settle;
pub mod split;
pub mod store;

#[cfg(test)]
pub(super) mod tests;
