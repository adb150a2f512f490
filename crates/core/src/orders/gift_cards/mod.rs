//! Gift cards, and store credit, which is a gift card that only one customer can redeem.
//!
//! A card has a code, of which only a hash is stored, and a balance. Orders are paid from it in the transaction that
//! stores them, so an order and what it takes are there together or not at all.
//!
//! Invariants:
//! - the balance is what the card was issued with, less what orders took, plus what came back: each of these writes
//!   changes the balance and the record of the order together;
//! - the balance is never less than zero, by the condition of the write;
//! - an order takes from a card once, and never gets more back than it took: its record says how much has come back,
//!   and that only ever grows, to what the order or its refunds say.

pub mod api;
pub mod code;
pub mod image;
mod item;
pub mod model;
pub mod payment;
pub mod preview;
pub mod returns;
pub mod rules;
pub mod store;

#[cfg(test)]
mod tests;
