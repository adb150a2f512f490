//! A customer's book of addresses.
//!
//! One item of the customers table, `addresses#<customer_id>`, holds them all: a shopper looks at all
//! of them at once, fifty are far below what an item may have, and the account's deletion empties it
//! in one write. Each change is a write on the condition that the book is as it was read.

pub mod api;
pub mod store;

use crate::values::address::Address;
use crate::values::clock::Time;
use crate::values::id::AddressId;

/// The most addresses of one customer.
pub const MOST: usize = 50;

/// An address in a book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its identifier.
    pub id: AddressId,
    /// The address.
    pub address: Address,
    /// Counts its changes, from 1; the entity tag.
    pub version: u64,
    /// A hash of the request that added it under an idempotency key.
    pub request_hash: Option<String>,
    /// When it was added.
    pub created_at: Time,
    /// When it last changed.
    pub updated_at: Time,
}

/// All addresses of a customer, in the order in which they were added.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Book {
    /// The addresses.
    pub entries: Vec<Entry>,
    /// Counts its writes; 0 if it is not stored.
    pub revision: u64,
}

impl Book {
    /// The entry `id`.
    #[must_use]
    pub fn entry(&self, id: AddressId) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.id == id)
    }
}
