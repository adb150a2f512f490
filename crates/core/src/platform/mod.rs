//! The platform: the event log, publishing what changed to the bus, and health.
//!
//! Owns the event log. Invariants:
//! - an event is published after, and only after, the change that carries it is stored;
//! - the log has each event once, under its aggregate and version.

pub mod api;
pub mod store;

pub use store::EventLog;
