//! The publisher puts the events of changed items, which it reads from the tables' streams, into the event log
//! and on the bus. It knows the events of every service, so it stands above all of them.
//!
//! Invariants:
//! - an event is published after, and only after, the change that carries it is stored;
//! - no change is skipped: one that can never be published is set aside, alone and without what the item contains,
//!   and published by `oxcart redrive` once it can be;
//! - an event that the bus refuses for what it contains can never be published as it is. Every other refusal means
//!   "not yet";
//! - one that cannot be published at the moment is retried for as long as the stream keeps it;
//! - within a shard of a stream, no event is put on the bus before that of an earlier change.

pub mod bus;
pub mod publish;
pub mod redrive;
pub mod rules;
pub mod set_aside;
pub mod tables;

#[cfg(test)]
mod tests;
