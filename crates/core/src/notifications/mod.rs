//! Notifications: messages to customers.
//!
//! Owns the messages table. Reads orders and customers, and writes neither.
//!
//! A message is identified by what it tells and about which order, so it is one however often it is
//! asked for. Its item is stored as `sending` before SES is called, and as `sent` or `failed` after
//! it. SES knows no idempotency key, so what is found as `sending` may be sent or not, and something
//! has to give. **We would rather send twice than not at all**: a confirmation that never comes makes
//! a customer order again or call; one that comes twice does not. So:
//! - `sent`: nothing more is done, whoever asks;
//! - `failed`, SES refused it for certain: the next delivery sends it;
//! - `sending`, found by a delivery that the queue has only just made: another one is at it. It is
//!   waited for, and then this one comes again;
//! - `sending`, found by a delivery that came again after the queue's visibility timeout, which is
//!   longer than a function runs: whoever was sending is gone, and the message is sent again. This is
//!   the one way to two messages, and it takes a crash, or a lost answer, between SES and our write.
//!
//! Invariants:
//! - events that come twice, at once or days apart, send one message;
//! - a refusal by SES never loses a message: its delivery comes again, and at last is kept among the
//!   dead letters;
//! - nothing is told that is no longer so;
//! - what is remembered of a message holds neither its text nor its address.

pub mod mail;
pub mod model;
pub mod rules;
pub mod send;
pub mod store;
pub mod templates;
#[cfg(test)]
mod tests;
