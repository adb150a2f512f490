//! Notifications: messages to customers.
//!
//! Owns the messages table. Reads orders and customers, and writes neither.
//!
//! A message is identified by its template and what it is about, so it is one message however often it is
//! requested. Its item is stored as `sending` before SES is called, and as `sent` or `failed` afterwards. SES has
//! no idempotency key, so a message in `sending` may have been sent or not. **We would rather send a message twice
//! than not at all**: a customer whose confirmation never arrives orders again or calls; one who gets it twice does
//! not. A delivery of the queue that finds the message as
//! - `sent`, does nothing;
//! - `failed`, which means that SES certainly refused it, sends it;
//! - `sending`, and is the first of its delivery, assumes that another delivery is sending it. It waits for a
//!   while, and then fails so that the queue delivers it again;
//! - `sending`, and has come again after the queue's visibility timeout, which is longer than a function runs,
//!   knows that the earlier attempt is over, and sends the message again. This is the only way to two messages, and
//!   it takes a crash or a lost response between SES and our write.
//!
//! Invariants:
//! - an event that is delivered twice, at once or days apart, sends one message;
//! - a refusal by SES never loses a message: the queue delivers it again, and finally moves it to the dead-letter
//!   queue;
//! - nobody is told what is no longer true;
//! - what strangers can cause is bounded for each mailbox and day, and does not repeat their words ([`strangers`]);
//! - the item of a message contains neither its text nor its address.

pub mod mail;
pub mod model;
pub mod rules;
pub mod send;
pub mod store;
pub mod strangers;
pub mod templates;
#[cfg(test)]
mod tests;
