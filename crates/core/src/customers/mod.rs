//! Customers: who they are, how they sign in, and what a token says of them.
//!
//! Owns the customers table. Invariants:
//! - an address, in lower case, is one customer's: its own item, written in the same transaction;
//! - a password is stored as an Argon2id hash only, and is in no log, event or other hash;
//! - signing in answers alike, after like work, whether address or password is wrong;
//! - no HTTP path makes an admin: only an operator with AWS credentials does ([`grant_admin`]);
//! - the authoriser authenticates and no more; handlers decide about roles and expiry.

pub mod api;
pub mod authorizer;
pub mod events;
pub mod jwks;
pub mod key;
pub mod keys;
pub mod link;
pub mod model;
pub mod operator;
pub mod password;
pub mod rotation;
pub mod rules;
pub mod store;
#[cfg(test)]
mod tests;
pub mod token;

pub use model::{Account, Customer, CustomerError, Email, Locale, Role};
pub use operator::grant_admin;
pub use store::CustomerStore;
