//! Customers: who they are, how they sign in, and what a token says of them.
//!
//! Owns the customers table and the sessions table. Invariants:
//! - an address, in lower case, is one customer's: its own item, written in the same transaction;
//! - a password is stored as an Argon2id hash only (of an import, as a bcrypt hash until the first
//!   sign-in), and is in no log, event or other hash;
//! - signing in answers alike, after like work, whether address or password is wrong, and slower the
//!   more is guessed ([`attempts`]);
//! - a link to another password is good for one, and each change of it ends all sessions
//!   ([`passwords`]);
//! - a deleted account leaves its identifier and nothing that is personal ([`deletion`]);
//! - a refresh token is good once, and its second use ends its session ([`sessions`]);
//! - the first admin is made by an operator with AWS credentials ([`grant_admin`]), every other by
//!   an admin; no admin stops being one by its own hand, so one always remains;
//! - the authoriser authenticates and no more; handlers decide about roles and expiry.

pub mod addresses;
pub mod admin;
pub mod api;
pub mod attempts;
pub mod authorizer;
pub mod credentials;
pub mod deletion;
pub mod events;
pub mod issuer;
pub mod jwks;
pub mod key;
pub mod keys;
pub mod link;
pub mod messages;
pub mod model;
pub mod operator;
pub mod password;
pub mod passwords;
pub mod profile;
pub mod rotation;
pub mod rules;
pub mod sessions;
pub mod store;
#[cfg(test)]
mod tests;
pub mod token;
