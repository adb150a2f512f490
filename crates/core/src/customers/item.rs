//! The stored shape of a customer.

use serde::{Deserialize, Serialize};

use super::model::{Account, Customer, Email, EmailChange, PasswordHash, Role};
use crate::aws::dynamo::StoreError;
use crate::values::clock::Time;
use crate::values::event::Stamp;
use crate::values::group::CustomerGroup;
use crate::values::id::CustomerId;

/// The version of the shape of [`CustomerItem`]. All earlier versions can still be read.
pub(super) const SCHEMA: u32 = 1;

/// The number of shards of the index `by-created`. It is not a setting: only registrations write to the
/// index, each of them costs a password hash, and four shards take four thousand of them per second.
pub(super) const LIST_SHARDS: u32 = 4;

pub(super) fn customer_pk(id: CustomerId) -> String {
    format!("customer#{id}")
}

pub(super) fn list_shard(shard: u32) -> String {
    format!("customer#{shard}")
}

/// A customer as it is stored. After the account's deletion it has no personal data, is in no index, and has
/// `deleted_at`.
#[derive(Serialize, Deserialize)]
pub(super) struct CustomerItem {
    pub(super) pk: String,
    pub(super) customer_id: CustomerId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) deleted_at: Option<Time>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    email: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    locale: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    email_confirmed_at: Option<Time>,
    /// The authoriser reads this, too.
    #[serde(default)]
    disabled: bool,
    pub(super) roles: Vec<RoleItem>,
    /// The authoriser reads this, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    group: Option<CustomerGroup>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    password_hash: String,
    #[serde(default)]
    password_version: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    email_change: Option<EmailChangeItem>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    request_hash: Option<String>,
    version: u64,
    schema: u32,
    /// The shard of the index, and the position in it: `<created_at>#<id>`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    list_shard: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    position: String,
    pub(super) event: Stamp,
    created_at: Time,
    updated_at: Time,
}

/// A change of the email address as it is stored.
#[derive(Serialize, Deserialize)]
struct EmailChangeItem {
    email: String,
    requested_at: Time,
    is_approved: bool,
    is_confirmed: bool,
}

impl From<EmailChange> for EmailChangeItem {
    fn from(change: EmailChange) -> Self {
        Self {
            email: change.email.as_str().to_owned(),
            requested_at: change.requested_at,
            is_approved: change.is_approved,
            is_confirmed: change.is_confirmed,
        }
    }
}

impl From<EmailChangeItem> for EmailChange {
    fn from(item: EmailChangeItem) -> Self {
        Self {
            email: Email::stored(item.email),
            requested_at: item.requested_at,
            is_approved: item.is_approved,
            is_confirmed: item.is_confirmed,
        }
    }
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
    pub(super) fn new(account: Account, event: Stamp) -> Self {
        let Account {
            customer,
            password_hash,
            password_version,
            email_change,
            request_hash,
        } = account;
        Self {
            pk: customer_pk(customer.id),
            customer_id: customer.id,
            deleted_at: None,
            email: customer.email.as_str().to_owned(),
            name: customer.name,
            locale: customer.locale.as_str().to_owned(),
            phone: customer.phone,
            email_confirmed_at: customer.email_confirmed_at,
            disabled: customer.disabled,
            roles: customer.roles.into_iter().map(RoleItem::from).collect(),
            group: customer.group,
            password_hash: password_hash.0,
            password_version,
            email_change: email_change.map(EmailChangeItem::from),
            request_hash,
            version: customer.version,
            schema: SCHEMA,
            list_shard: list_shard(customer.id.shard(LIST_SHARDS)),
            position: format!("{}#{}", customer.created_at, customer.id),
            event,
            created_at: customer.created_at,
            updated_at: customer.updated_at,
        }
    }
}

impl CustomerItem {
    /// Returns what stays of `account` after the deletion that `event` reports. It is disabled, so that an
    /// access token that is still valid opens nothing.
    pub(super) fn deleted(account: &Account, event: Stamp) -> Self {
        let customer = &account.customer;
        Self {
            pk: customer_pk(customer.id),
            customer_id: customer.id,
            deleted_at: Some(event.at),
            email: String::new(),
            name: String::new(),
            locale: String::new(),
            phone: None,
            email_confirmed_at: None,
            disabled: true,
            roles: Vec::new(),
            group: None,
            password_hash: String::new(),
            password_version: account.password_version + 1,
            email_change: None,
            request_hash: None,
            version: event.version,
            schema: SCHEMA,
            list_shard: String::new(),
            position: String::new(),
            created_at: customer.created_at,
            updated_at: event.at,
            event,
        }
    }
}

impl TryFrom<CustomerItem> for Account {
    type Error = StoreError;

    fn try_from(item: CustomerItem) -> Result<Self, StoreError> {
        let customer = Customer {
            id: item.customer_id,
            email: Email::stored(item.email),
            name: item.name,
            locale: item.locale.parse().map_err(StoreError::unreadable)?,
            phone: item.phone,
            email_confirmed_at: item.email_confirmed_at,
            disabled: item.disabled,
            roles: item.roles.into_iter().map(Role::from).collect(),
            group: item.group,
            version: item.version,
            created_at: item.created_at,
            updated_at: item.updated_at,
        };
        Ok(Self {
            customer,
            password_hash: PasswordHash(item.password_hash),
            password_version: item.password_version,
            email_change: item.email_change.map(EmailChange::from),
            request_hash: item.request_hash,
        })
    }
}
