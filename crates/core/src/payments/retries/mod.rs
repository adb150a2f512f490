//! Retries: another attempt to pay a pending order, with another token.
//!
//! An order that was placed as retryable waits for one when its payment is declined, until its deadline. Each attempt has
//! its own idempotency key at the gateway, and the next begins only when the one before can capture nothing any more: it
//! was declined, or was voided because the shopper does not confirm it at the bank.

pub mod api;
pub mod rules;

#[cfg(test)]
mod tests;
