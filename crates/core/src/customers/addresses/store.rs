//! Address books in the customers table.

use serde::{Deserialize, Serialize};

use super::{Book, Entry};
use crate::aws::Aws;
use crate::aws::dynamo::{Attempt, Key, StoreError, Table, Written};
use crate::aws::settings::{Setting, SettingError};
use crate::customers::store::addresses_pk;
use crate::values::address::AddressItem;
use crate::values::clock::Time;
use crate::values::id::{AddressId, CustomerId};

/// The version of the shape of [`BookItem`]. All earlier versions can still be read.
const SCHEMA: u32 = 1;

/// The address books that are stored.
#[derive(Clone, Debug)]
pub struct AddressStore {
    table: Table,
}

impl AddressStore {
    /// Opens the store in the table that the setting `CUSTOMERS_TABLE` names.
    ///
    /// # Errors
    /// [`SettingError`] if the setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        let table = Table::new(aws, Setting::CustomersTable)?;
        Ok(Self { table })
    }

    /// Returns the customer's book, which is empty if none is stored.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get(&self, customer: CustomerId) -> Result<Book, StoreError> {
        let key = Key::new("pk", addresses_pk(customer));
        let item: Option<BookItem> = self.table.get(key).await?;
        Ok(item.map(Book::from).unwrap_or_default())
    }

    /// Stores `book` as the next revision of the customer's book, if the stored one still has the revision
    /// that `book` was read with. If it does not, this very write may have been made and its response lost.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn replace(
        &self,
        customer: CustomerId,
        mut book: Book,
    ) -> Result<Attempt<Book>, StoreError> {
        let before = book.revision;
        book.revision += 1;
        let write = self.table.put(&BookItem::new(customer, book.clone()))?;
        let write = if before == 0 {
            write.when("attribute_not_exists(pk)")
        } else {
            write.when("revision = :before").value(":before", &before)?
        };
        Ok(match self.table.write(write).await? {
            Written::Done => Attempt::Done(book),
            Written::Refused(_) => Attempt::Overtaken,
        })
    }
}

/// A book as it is stored.
#[derive(Serialize, Deserialize)]
struct BookItem {
    pk: String,
    addresses: Vec<EntryItem>,
    revision: u64,
    schema: u32,
}

/// An entry of a book as it is stored.
#[derive(Serialize, Deserialize)]
struct EntryItem {
    address_id: AddressId,
    address: AddressItem,
    version: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    request_hash: Option<String>,
    created_at: Time,
    updated_at: Time,
}

impl BookItem {
    fn new(customer: CustomerId, book: Book) -> Self {
        let entries = book.entries.into_iter().map(|entry| EntryItem {
            address_id: entry.id,
            address: entry.address.into(),
            version: entry.version,
            request_hash: entry.request_hash,
            created_at: entry.created_at,
            updated_at: entry.updated_at,
        });
        Self {
            pk: addresses_pk(customer),
            addresses: entries.collect(),
            revision: book.revision,
            schema: SCHEMA,
        }
    }
}

impl From<BookItem> for Book {
    fn from(item: BookItem) -> Self {
        let entries = item.addresses.into_iter().map(|entry| Entry {
            id: entry.address_id,
            address: entry.address.into(),
            version: entry.version,
            request_hash: entry.request_hash,
            created_at: entry.created_at,
            updated_at: entry.updated_at,
        });
        Self {
            entries: entries.collect(),
            revision: item.revision,
        }
    }
}
