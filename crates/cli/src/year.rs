//! A shop's year on a clock of its own.

mod ledger;
mod plan;
