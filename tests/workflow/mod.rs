//! What becomes of orders, from the outside.

mod bill;
mod idempotency;
mod logs;
mod messages;
mod outcomes;
mod overselling;
