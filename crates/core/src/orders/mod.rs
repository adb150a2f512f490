//! Orders: who bought what, and what became of it.
//!
//! The service owns the table of orders. An order is two items, written in one transaction: the *header* (status,
//! totals, the last event; small, so that a change of status costs one write unit at any number of lines) and the
//! *lines* (with the address and, until the payment is settled, the payment token).
//!
//! Invariants:
//! - The status changes only as [`rules::next_status`] says, and only by a write on the condition that the header
//!   is still as it was read ([`store::OrderStore::replace`]).
//! - Lines, prices and total never change once the order is placed, and the total is the sum of its parts.
//! - A use of a limited discount is taken with the order, and given back exactly once: by the write that makes the
//!   order failed or cancelled ([`uses`]).
//! - An order has a `due_at` exactly as long as its status demands something that is not done yet; an order that is
//!   due is run again from the start ([`workflow::run_due_orders`]).
//! - `version` counts the order's events: every write that makes an event adds one, and no other write does.
//! - The payment token is on the lines only, and is removed before `due_at` is.
//! - An order of a deleted customer keeps its address only as long as a parcel may need it: it has an `erase_at`
//!   until the address is erased ([`erasure`]).
//! - No step of the workflow relies on what an earlier step found: each reads, decides and writes.

pub mod api;
pub mod change;
pub mod checkout;
pub mod claims;
pub mod codes;
pub mod corrections;
pub mod credit;
pub mod details;
pub mod erasure;
pub mod events;
pub mod evidence;
pub mod executions;
pub mod fields;
#[cfg(test)]
pub(crate) mod fixtures;
pub mod gift_cards;
pub mod guests;
mod item;
pub mod lines;
pub mod messages;
pub mod minimum;
pub mod model;
pub mod number;
pub mod privacy;
pub mod quotes;
pub mod redemptions;
pub mod refunds;
pub mod remaining;
pub mod review;
pub mod rules;
mod shortage;
pub mod store;
pub mod today;
pub mod totals;
pub mod trial;
pub mod uses;
pub mod validation;
pub mod workflow;
