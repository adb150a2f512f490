//! A shop's year on a clock of its own.

mod ledger;
mod plan;
mod progress;
mod request;
mod seed;
mod shop;
