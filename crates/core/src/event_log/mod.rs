//! The log of all published events, which every service may read.
//!
//! The platform owns it, and only the publisher writes it. Invariant: the log has each event once, keyed by its
//! aggregate and version, and never overwrites one.

pub mod store;
