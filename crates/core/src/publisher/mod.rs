//! The publisher: brings what changed from the tables' streams into the event log and on the bus. It knows
//! the events of every service, so it stands above all of them.
//!
//! Invariants:
//! - an event is published after, and only after, the change that carries it is stored;
//! - no change is passed over: one that cannot be published is given up by Lambda, into a bucket;
//! - within a shard of a stream, nothing is published before what was changed earlier.

pub mod bus;
pub mod publish;
pub mod rules;
pub mod stream;
pub mod tables;

#[cfg(test)]
mod tests;
