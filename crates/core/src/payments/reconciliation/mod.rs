//! The daily reconciliation: what the ledger says against what the gateways say.
//!
//! A day is compared an hour after a margin has passed that follows it, in two passes: each movement in the gateway's statement
//! has to have its entry in the ledger, and then each entry its movement. Both are looked up by their payment, not by their
//! time, so it does not matter on which side of midnight one of them is. Each pass goes on where the last run stopped.
//! Invariants:
//!
//! - a run reads and writes pages of bounded length, and at most so many of them;
//! - what is done twice makes the same: movements and differences are stored under keys that follow from what they are.

pub mod api;
pub mod model;
pub mod rules;
pub mod run;
pub mod store;

#[cfg(test)]
mod tests;
