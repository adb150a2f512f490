//! Customers: who they are, how they sign in, and what a token says about them.
//!
//! Owns the customers table and the sessions table. Invariants:
//! - an email address, in lower case, belongs to one customer: an item of its own, written in the same
//!   transaction, keeps it unique;
//! - a password is stored only as an Argon2id hash (or, after an import, as a bcrypt hash until the first
//!   sign-in), and appears in no log, event or other hash;
//! - signing in returns the same response after the same work, whether the address or the password is wrong,
//!   and has to wait the longer the more passwords are guessed ([`attempts`]);
//! - a link that resets the password works once, and each change of the password ends all sessions
//!   ([`passwords`]);
//! - a deleted account leaves its identifier and no personal data ([`deletion`]);
//! - a refresh token works once, and using it again ends its session ([`sessions`]);
//! - the first admin is made by an operator with AWS credentials (`operator::grant_admin`), every other one by
//!   an admin; admins cannot take the role from themselves, so there is always one;
//! - the authoriser only authenticates; handlers decide about roles and expiry.

pub mod addresses;
pub mod admin;
pub mod api;
pub mod attempts;
pub mod authorizer;
pub mod credentials;
pub mod deletion;
pub mod email_change;
pub mod events;
pub mod issuer;
mod item;
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
