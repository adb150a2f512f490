//! Customers in DynamoDB.
//!
//! A customer is two items: `customer#<id>` with all that is known, and `email#<address in lower
//! case>`, which points at it and keeps the address unique. Both are written in one transaction.

use serde::{Deserialize, Serialize};

use super::model::{Account, Customer, CustomerError, Email, PasswordHash, Role};
use crate::clock::Time;
use crate::dynamo::{Key, StoreError, Table, Written};
use crate::events::Stamp;
use crate::id::CustomerId;
use crate::lambda::Aws;
use crate::settings::{Setting, SettingError};

/// The shape of [`CustomerItem`]; readers know all earlier ones.
const SCHEMA: u32 = 1;

/// The customers that are stored.
#[derive(Clone, Debug)]
pub struct CustomerStore {
    table: Table,
}

impl CustomerStore {
    /// The store in the table that the setting `CUSTOMERS_TABLE` names.
    ///
    /// # Errors
    /// [`SettingError`] if the setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        let table = Table::new(aws, Setting::CustomersTable)?;
        Ok(Self { table })
    }

    /// The customer with `id`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get(&self, id: CustomerId) -> Result<Option<Customer>, StoreError> {
        Ok(self.account(id).await?.map(|account| account.customer))
    }

    /// The customer with `id`, with what proves who it is.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn account(&self, id: CustomerId) -> Result<Option<Account>, StoreError> {
        let item: Option<CustomerItem> = self.table.get(customer_key(id)).await?;
        item.map(Account::try_from).transpose()
    }

    /// The customer with the address `email`, in any case.
    ///
    /// An unknown address costs as many reads as a known one, so that time does not tell them apart.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn account_of(&self, email: &Email) -> Result<Option<Account>, StoreError> {
        let owner: Option<EmailItem> = self.table.get(email_key(email)).await?;
        let nobody = CustomerId::derived(&["nobody"]);
        self.account(owner.map_or(nobody, |owner| owner.customer_id))
            .await
    }

    /// Stores a new customer together with its claim on the address.
    ///
    /// # Errors
    /// [`CustomerError::EmailTaken`] if the address or the identifier is another's already: nothing
    /// is stored; read the identifier again to see whether it is this very account.
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

    /// Replaces the account whose version is one less than that of `account`.
    ///
    /// # Errors
    /// [`CustomerError::Changed`] if the stored version is another: read again and decide again.
    pub async fn replace(&self, account: Account, stamp: Stamp) -> Result<(), CustomerError> {
        let before = account.customer.version.saturating_sub(1);
        let item = CustomerItem::new(account, stamp);
        let write = self
            .table
            .put(&item)?
            .when("version = :before")
            .value(":before", &before)?;
        match self.table.write(write).await? {
            Written::Done => Ok(()),
            Written::Refused(_) => Err(CustomerError::Changed),
        }
    }
}

fn customer_pk(id: CustomerId) -> String {
    format!("customer#{id}")
}

fn customer_key(id: CustomerId) -> Key {
    Key::new("pk", customer_pk(id))
}

fn email_pk(email: &Email) -> String {
    format!("email#{}", email.lowercase())
}

fn email_key(email: &Email) -> Key {
    Key::new("pk", email_pk(email))
}

/// Whose an address is.
#[derive(Serialize, Deserialize)]
struct EmailItem {
    pk: String,
    customer_id: CustomerId,
}

/// A customer as it is stored.
#[derive(Serialize, Deserialize)]
pub(super) struct CustomerItem {
    pk: String,
    pub(super) customer_id: CustomerId,
    email: String,
    name: String,
    locale: String,
    pub(super) roles: Vec<RoleItem>,
    password_hash: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    request_hash: Option<String>,
    version: u64,
    schema: u32,
    pub(super) event: Stamp,
    created_at: Time,
    updated_at: Time,
}

/// A role as it is stored.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RoleItem {
    Customer,
    Admin,
}

impl From<Role> for RoleItem {
    fn from(role: Role) -> Self {
        match role {
            Role::Customer => Self::Customer,
            Role::Admin => Self::Admin,
        }
    }
}

impl From<RoleItem> for Role {
    fn from(role: RoleItem) -> Self {
        match role {
            RoleItem::Customer => Self::Customer,
            RoleItem::Admin => Self::Admin,
        }
    }
}

impl CustomerItem {
    fn new(account: Account, event: Stamp) -> Self {
        let Account {
            customer,
            password_hash,
            request_hash,
        } = account;
        Self {
            pk: customer_pk(customer.id),
            customer_id: customer.id,
            email: customer.email.as_str().to_owned(),
            name: customer.name,
            locale: customer.locale.as_str().to_owned(),
            roles: customer.roles.into_iter().map(RoleItem::from).collect(),
            password_hash: password_hash.0,
            request_hash,
            version: customer.version,
            schema: SCHEMA,
            event,
            created_at: customer.created_at,
            updated_at: customer.updated_at,
        }
    }
}

impl TryFrom<CustomerItem> for Account {
    type Error = StoreError;

    fn try_from(item: CustomerItem) -> Result<Self, StoreError> {
        let customer = Customer {
            id: item.customer_id,
            email: item.email.parse().map_err(not_stored)?,
            name: item.name,
            locale: item.locale.parse().map_err(not_stored)?,
            roles: item.roles.into_iter().map(Role::from).collect(),
            version: item.version,
            created_at: item.created_at,
            updated_at: item.updated_at,
        };
        Ok(Self {
            customer,
            password_hash: PasswordHash(item.password_hash),
            request_hash: item.request_hash,
        })
    }
}

fn not_stored(error: impl std::fmt::Display) -> StoreError {
    StoreError::Shape(serde::de::Error::custom(error))
}
