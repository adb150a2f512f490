//! Customers in DynamoDB.
//!
//! A customer is two items: `customer#<id>` with all data, and `email#<address in lower case>`, which points
//! at it and keeps the address unique. Both are written in one transaction. The index `by-created` has the
//! keys of all customers by the time of their registration, split into shards.

use std::collections::BTreeMap;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::item::{CustomerItem, LIST_SHARDS, SCHEMA, customer_pk, list_shard};
use super::model::{Account, Customer, CustomerError, Email, PasswordHash};
use crate::aws::Aws;
use crate::aws::dynamo::{self, Key, StoreError, Table, Written};
use crate::aws::settings::{Setting, SettingError};
use crate::http::page::{Page, PageRequest};
use crate::values::event::Stamp;
use crate::values::id::CustomerId;

/// The customers that are stored.
#[derive(Clone, Debug)]
pub struct CustomerStore {
    table: Table,
}

impl CustomerStore {
    /// Opens the store in the table that the setting `CUSTOMERS_TABLE` names.
    ///
    /// # Errors
    /// [`SettingError`] if the setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        let table = Table::new(aws, Setting::CustomersTable)?;
        Ok(Self { table })
    }

    /// Returns the customer with `id`, or `None` if there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get(&self, id: CustomerId) -> Result<Option<Customer>, StoreError> {
        Ok(self.account(id).await?.map(|account| account.customer))
    }

    /// Returns the account with `id`, or `None` if there is none or it was deleted.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn account(&self, id: CustomerId) -> Result<Option<Account>, StoreError> {
        let item: Option<CustomerItem> = self.table.get(customer_key(id)).await?;
        let item = item.filter(|item| item.deleted_at.is_none());
        item.map(Account::try_from).transpose()
    }

    /// Returns whether the customer with `id` has deleted the account.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn was_deleted(&self, id: CustomerId) -> Result<bool, StoreError> {
        let item: Option<CustomerItem> = self.table.get(customer_key(id)).await?;
        Ok(item.is_some_and(|item| item.deleted_at.is_some()))
    }

    /// Returns the account with the address `email`, which is compared in lower case, or `None` if there is
    /// none.
    ///
    /// An unknown address costs as many reads as a known one, so that they take the same time.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn account_with_email(&self, email: &Email) -> Result<Option<Account>, StoreError> {
        let owner: Option<EmailItem> = self.table.get(email_key(email)).await?;
        let nobody = CustomerId::derived(&["nobody"]);
        self.account(owner.map_or(nobody, |owner| owner.customer_id))
            .await
    }

    /// Returns a page of all customers, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list(&self, page: &PageRequest) -> Result<Page<Customer>, StoreError> {
        let queries = (0..LIST_SHARDS).map(|shard| {
            let after = page.after.as_deref();
            self.table
                .newest_first("by-created", "list_shard", list_shard(shard), after)
        });
        let most = page.limit + 1;
        let found = dynamo::merged(queries.collect(), most, true, |entry: &ListEntry| {
            entry.position.clone()
        })
        .await?;
        let page = Page::cut(found, page.limit, |entry| entry.position.clone());
        let keys = page.items.iter().map(|entry| Key::new("pk", &entry.pk));
        let items: Vec<CustomerItem> = self.table.get_many(keys.collect(), true).await?;
        let mut customers: BTreeMap<String, CustomerItem> = items
            .into_iter()
            .map(|item| (item.pk.clone(), item))
            .collect();
        let in_order = page
            .items
            .iter()
            .filter_map(|entry| customers.remove(&entry.pk));
        let accounts = in_order.map(Account::try_from);
        Ok(Page {
            items: accounts
                .map(|account| Ok(account?.customer))
                .collect::<Result<_, StoreError>>()?,
            next: page.next,
        })
    }

    /// Stores a new account and reserves its email address.
    ///
    /// # Errors
    /// [`CustomerError::EmailTaken`] if the address or the identifier is in use: nothing is stored. Read the
    /// identifier to see whether it is this very account.
    pub async fn create(&self, account: Account, stamp: Stamp) -> Result<(), CustomerError> {
        let claim = EmailItem {
            pk: email_pk(&account.customer.email),
            customer_id: account.customer.id,
        };
        let item = CustomerItem::new(account, stamp);
        let absent = "attribute_not_exists(pk)";
        let writes = vec![
            self.table.put(&item)?.when(absent),
            self.table.put(&claim)?.when(absent),
        ];
        match self.table.transact(writes).await? {
            Written::Done => Ok(()),
            Written::Refused(_) => Err(CustomerError::EmailTaken),
        }
    }

    /// Replaces the account whose version is one less than that of `account`. Returns `false` if the
    /// stored version differs: another writer was quicker, or this very write was made and its response
    /// lost.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn replace(&self, account: Account, stamp: Stamp) -> Result<bool, StoreError> {
        let before = account.customer.version.saturating_sub(1);
        let item = CustomerItem::new(account, stamp);
        let write = self
            .table
            .put(&item)?
            .when("version = :before")
            .value(":before", &before)?;
        Ok(self.table.write(write).await? == Written::Done)
    }

    /// Replaces the account as [`CustomerStore::replace`] does, which has the address `before`, and moves the
    /// reservation of this address to the new one, in one transaction. Returns `false` if the stored version differs.
    ///
    /// # Errors
    /// [`CustomerError::EmailTaken`] if another customer has the new address.
    pub async fn replace_with_email(
        &self,
        account: Account,
        before: &Email,
        stamp: Stamp,
    ) -> Result<bool, CustomerError> {
        let version = account.customer.version.saturating_sub(1);
        let claim = EmailItem {
            pk: email_pk(&account.customer.email),
            customer_id: account.customer.id,
        };
        let item = self.table.put(&CustomerItem::new(account, stamp))?;
        let writes = vec![
            item.when("version = :before").value(":before", &version)?,
            self.table.put(&claim)?.when("attribute_not_exists(pk)"),
            self.table.delete(email_key(before)),
        ];
        match self.table.transact(writes).await? {
            Written::Done => Ok(true),
            Written::Refused(places) if places.contains(&0) => Ok(false),
            Written::Refused(_) => Err(CustomerError::EmailTaken),
        }
    }

    /// Erases the personal data of `account` in one transaction: name, email address and its reservation,
    /// phone number, password and the address book. The identifier stays, with the event; and a confirmed
    /// address stays for [`ADDRESS_KEPT`], so that the orders that were placed with it as a guest are found
    /// and erased, too. Returns `false` if the stored version differs from that of `account`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn erase(&self, account: &Account, stamp: Stamp) -> Result<bool, StoreError> {
        let Customer {
            id, version, email, ..
        } = &account.customer;
        let deleted_at = stamp.at;
        let before = self
            .table
            .put(&CustomerItem::deleted(account, stamp))?
            .when("version = :before")
            .value(":before", version)?;
        let mut writes = vec![
            before,
            self.table.delete(email_key(email)),
            // Emptied, not deleted, so that a concurrent change of the book finds another revision.
            self.table
                .update(
                    Key::new("pk", addresses_pk(*id)),
                    "SET addresses = :none, #schema = :schema ADD revision :one",
                )
                .name("#schema", "schema")
                .value(":none", &[(); 0])?
                .value(":schema", &SCHEMA)?
                .value(":one", &1)?,
        ];
        if account.customer.email_confirmed_at.is_some() {
            writes.push(self.table.put(&LeftAddressItem {
                pk: left_address_pk(*id),
                email: email.as_str().to_owned(),
                expires_at: deleted_at.plus(ADDRESS_KEPT).as_seconds(),
            })?);
        }
        Ok(self.table.transact(writes).await? == Written::Done)
    }

    /// Returns the confirmed address of the account `id`, if it was deleted less than [`ADDRESS_KEPT`] ago.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn left_address(&self, id: CustomerId) -> Result<Option<Email>, StoreError> {
        let key = Key::new("pk", left_address_pk(id));
        let item: Option<LeftAddressItem> = self.table.get(key).await?;
        Ok(item.map(|item| Email::stored(item.email)))
    }

    /// Replaces the password hash that `account` was read with by `hash`, another hash of the same password.
    /// Nothing is stored if the hash has changed in the meantime, because then there is nothing to renew.
    /// Writes neither an event nor a version: nothing about the customer has changed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn renew_hash(
        &self,
        account: &Account,
        hash: &PasswordHash,
    ) -> Result<(), StoreError> {
        let write = self
            .table
            .update(
                customer_key(account.customer.id),
                "SET password_hash = :new",
            )
            .when("password_hash = :old")
            .value(":new", &hash.0)?
            .value(":old", &account.password_hash.0)?;
        self.table.write(write).await.map(drop)
    }
}

fn customer_key(id: CustomerId) -> Key {
    Key::new("pk", customer_pk(id))
}

/// Returns the key of a customer's address book.
pub(super) fn addresses_pk(id: CustomerId) -> String {
    format!("addresses#{id}")
}

fn email_pk(email: &Email) -> String {
    format!("email#{}", email.lowercase())
}

fn email_key(email: &Email) -> Key {
    Key::new("pk", email_pk(email))
}

/// How long the confirmed address of a deleted account is kept: longer than the event of its deletion can wait in a
/// queue and in that queue's dead letters.
pub const ADDRESS_KEPT: Duration = Duration::from_hours(30 * 24);

fn left_address_pk(id: CustomerId) -> String {
    format!("left-address#{id}")
}

/// The confirmed address of a deleted account. The table's time to live deletes it.
#[derive(Serialize, Deserialize)]
struct LeftAddressItem {
    pk: String,
    email: String,
    /// In seconds since 1970.
    expires_at: i64,
}

/// An entry of the index `by-created`.
#[derive(Deserialize)]
struct ListEntry {
    pk: String,
    position: String,
}

/// The reservation of an email address.
#[derive(Serialize, Deserialize)]
struct EmailItem {
    pk: String,
    customer_id: CustomerId,
}
