//! What becomes of orders, from the outside.

mod actions;
mod bill;
mod currencies;
mod days;
mod discounts;
mod idempotency;
mod integrity;
mod logs;
mod messages;
mod outcomes;
mod overselling;
mod reviews;
mod routing;
mod stripe;
mod stripe_accounts;
mod stripe_disputes;
mod stripe_lost_answers;
mod stripe_statement;
mod year;
