//! The log of all events that were published, which every service may read.
//!
//! Owned by the platform; only the publisher writes it. Invariant: the log has each event once, under its
//! aggregate and version.

pub mod store;
