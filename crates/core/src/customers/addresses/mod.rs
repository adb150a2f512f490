//! A customer's address book.
//!
//! One item of the customers table, `addresses#<customer_id>`, holds all addresses: a shopper looks at all of them
//! at once, fifty are far below the size limit of an item, and deleting the account empties the book in one write.
//! Each change is written on the condition that the book has not changed since it was read.

pub mod api;
pub mod store;

use crate::values::address::Address;
use crate::values::clock::Time;
use crate::values::id::AddressId;

/// The most addresses in one book.
pub const MAX_ADDRESSES: usize = 50;

/// An entry of an address book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The identifier.
    pub id: AddressId,
    /// The address.
    pub address: Address,
    /// Counts the changes, from 1. It is the entity tag.
    pub version: u64,
    /// A hash of the request that added it, if that had an idempotency key.
    pub request_hash: Option<String>,
    /// When it was added.
    pub created_at: Time,
    /// When it last changed.
    pub updated_at: Time,
}

/// An address book.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Book {
    /// The addresses, in the order in which they were added.
    pub entries: Vec<Entry>,
    /// Counts the writes; 0 if the book is not stored.
    pub revision: u64,
}

impl Book {
    /// Returns the entry `id`, or `None` if there is none.
    #[must_use]
    pub fn entry(&self, id: AddressId) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.id == id)
    }
}
