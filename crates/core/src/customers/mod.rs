//! Customers: who they are, how they sign in, and what a token says of them.
//!
//! Owns the customers table. Invariants:
//! - an address, in lower case, is one customer's: its own item, written in the same transaction;
//! - a password is stored as an Argon2id hash only, and is in no log, event, or other hash;
//! - signing in answers alike, after like work, whether address or password is wrong;
//! - no HTTP path makes an admin.

pub mod model;
pub mod store;

pub use model::{Account, Customer, CustomerError, Email, Locale, Role};
pub use store::CustomerStore;
