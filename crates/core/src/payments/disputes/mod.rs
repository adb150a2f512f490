//! Disputes: a cardholder asks the bank for the money back, and the bank takes it from the shop until it has decided.
//!
//! What open and lost disputes have taken cannot be refunded any more, and an order that ends is refunded without it.

pub mod rules;

#[cfg(test)]
mod tests;
