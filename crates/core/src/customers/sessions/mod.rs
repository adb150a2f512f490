//! Sessions: what lasts from a sign-in on, and the refresh tokens that keep it up.
//!
//! Lives in the sessions table. Invariants:
//! - a refresh token is good once: what replaces it is written on the condition that it is the
//!   session's latest, and whoever comes with an earlier one ends the whole session, because two
//!   hold it and one of them is not its owner;
//! - only a hash of the token is stored, so the table signs nobody in;
//! - a session ends thirty days after its last use, half a year after its beginning, and with each
//!   change of the password, also if it was being begun meanwhile;
//! - roles and the account's being disabled are read again at each renewal;
//! - what has ended is told by `expires_at` and not by an item's absence: DynamoDB deletes late.

pub mod api;
pub mod model;
pub mod store;
