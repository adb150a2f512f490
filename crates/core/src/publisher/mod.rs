//! The publisher puts the events of changed items, which it reads from the tables' streams, into the event log
//! and on the bus. It knows the events of every service, so it stands above all of them.
//!
//! Invariants:
//! - an event is published after, and only after, the change that carries it is stored;
//! - no change is skipped: Lambda stores one that cannot be published in a bucket;
//! - within a shard of a stream, no event is put on the bus before that of an earlier change.

pub mod bus;
pub mod publish;
pub mod rules;
pub mod stream;
pub mod tables;

#[cfg(test)]
mod tests;
