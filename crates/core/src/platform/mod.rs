//! The platform: the event log, publishing what changed to the bus, and health.
//!
//! Owns the event log. Invariants:
//! - an event is published after, and only after, the change that carries it is stored;
//! - the log has each event once, under its aggregate and version;
//! - no change is passed over: one that cannot be published is given up by Lambda, into a bucket;
//! - within a shard of a stream, nothing is published before what was changed earlier.

pub mod api;
pub mod bus;
pub mod publish;
pub mod rules;
pub mod store;
pub mod stream;

#[cfg(test)]
mod tests;

pub use store::EventLog;
