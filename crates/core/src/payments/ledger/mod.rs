//! The ledger: double entry for every movement of money.
//!
//! An entry says that one amount went from one account to another. It has both sides in one item, so what is written is
//! always balanced. Entries follow from the changes of payments and of gift cards, which the streams of their tables deliver
//! (`record-ledger`), and those of fees from the gateways' statements (`reconcile-ledger`); nothing else writes them, and they
//! are never changed nor deleted.
//!
//! | account | is | what it has on its debit side |
//! |---|---|---|
//! | `authorizations:<gateway>` | a memorandum account, off the balance sheet | what the gateway has authorised and not released, whether it is captured or not |
//! | `authorized_orders` | its counterpart | nothing: a credit of the same amounts |
//! | `gateway:<gateway>` | an asset | what the gateway owes the shop, before it pays out |
//! | `sales` | revenue | nothing: a credit of what was captured |
//! | `refunds` | a deduction from revenue | what was refunded |
//! | `fees` | an expense | what gateways keep for their work |
//! | `disputes` | an asset | what a gateway holds back until a dispute is decided |
//! | `dispute_losses` | an expense | what is written off: disputes that were lost |
//! | `gift_cards` | a liability | nothing: a credit of what gift cards are still worth |
//! | `gift_cards_issued` | a clearing account | what gift cards were issued for: money that came another way, or a gift |
//!
//! Which accounts a movement is between is in [`model::Movement::accounts`].
//!
//! Invariants:
//! - debits equal credits, for each order and in total, because each entry is both;
//! - the entries of a payment add up to its amounts ([`rules::Sums`]), whatever was delivered twice; the audit checks it;
//! - the account `gift_cards` has what the balances of all gift cards add up to, a moment later;
//! - an entry has one key, which follows from the payment or the gift card, its version and the movement, or of a fee from the
//!   gateway's movement, and is written if absent.

pub mod api;
pub mod fees;
pub mod gift_cards;
pub mod model;
pub mod record;
pub mod rules;
pub mod store;

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;
