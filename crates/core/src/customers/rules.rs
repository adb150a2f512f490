//! What is decided about customers, without I/O.

use std::collections::BTreeSet;

use super::model::{Account, Customer, CustomerError, Email, Locale, PasswordHash, Role};
use super::password;
use crate::http::exchange::IfMatch;
use crate::values::clock::Time;
use crate::values::digest::sha256_hex;
use crate::values::event::Stamp;
use crate::values::id::CustomerId;

/// The event of a new customer.
pub const REGISTERED: &str = "CustomerRegistered";
/// The event of a customer whose roles are others now.
pub const ROLES_CHANGED: &str = "CustomerRolesChanged";
/// The event of a customer who is called, written to or phoned otherwise now.
pub const UPDATED: &str = "CustomerUpdated";
/// The event of a customer whose address is confirmed.
pub const EMAIL_CONFIRMED: &str = "EmailConfirmed";
/// The event of a customer with another password.
pub const PASSWORD_CHANGED: &str = "CustomerPasswordChanged";
/// The event of a customer whose account is shut.
pub const DISABLED: &str = "CustomerDisabled";
/// The event of a customer who has gone; nothing personal is stored any more.
pub const DELETED: &str = "CustomerDeleted";
/// The event of a customer whose account is open again.
pub const ENABLED: &str = "CustomerEnabled";

/// What somebody registers with. `Debug` does not show the password.
#[derive(Clone, PartialEq, Eq)]
pub struct Registration {
    /// The address.
    pub email: Email,
    /// The password: 8 to 128 characters.
    pub password: String,
    /// How the customer wants to be called: one line of 1 to 100 characters.
    pub name: String,
    /// The language that the customer is written to in.
    pub locale: Locale,
}

impl std::fmt::Debug for Registration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Registration(..)")
    }
}

/// The account that `registration` makes, with the event of it.
#[must_use]
pub fn register(
    registration: &Registration,
    id: CustomerId,
    password_hash: PasswordHash,
    request_hash: Option<String>,
    now: Time,
) -> (Account, Stamp) {
    let customer = Customer {
        id,
        email: registration.email.clone(),
        name: registration.name.clone(),
        locale: registration.locale.clone(),
        phone: None,
        email_confirmed_at: None,
        disabled: false,
        roles: vec![Role::Customer],
        version: 1,
        created_at: now,
        updated_at: now,
    };
    let account = Account {
        customer,
        password_hash,
        password_version: 0,
        request_hash,
    };
    (account, Stamp::new(id, 1, REGISTERED, now))
}

/// Whether `account` was made by this very registration: the same key gave it its identifier, the
/// rest of the request has the hash `request_hash`, and the password is compared as on signing in,
/// because no quick hash of it may be stored.
///
/// # Errors
/// [`CustomerError::KeyReused`] if it was made by another.
pub fn same_registration(
    account: Account,
    registration: &Registration,
    request_hash: Option<&str>,
) -> Result<Customer, CustomerError> {
    let same = account.request_hash.as_deref() == request_hash
        && password::matches(&registration.password, Some(&account.password_hash))?;
    if same {
        Ok(account.customer)
    } else {
        Err(CustomerError::KeyReused)
    }
}

/// The account with the role admin, and the event of it; `None` if it has the role already.
#[must_use]
pub fn grant_admin(account: Account, now: Time) -> Option<(Account, Stamp)> {
    if account.customer.roles.contains(&Role::Admin) {
        return None;
    }
    let mut account = account;
    account.customer.roles.push(Role::Admin);
    Some(changed(account, ROLES_CHANGED, now))
}

/// What a customer changes of itself; `None` leaves it as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Patch {
    /// How the customer wants to be called: one line of 1 to 100 characters.
    pub name: Option<String>,
    /// The language that the customer is written to in.
    pub locale: Option<Locale>,
    /// Where the customer can be called; the inner `None` removes it.
    pub phone: Option<Option<String>>,
}

/// The entity tag of a customer: its version.
#[must_use]
pub fn tag(customer: &Customer) -> String {
    customer.version.to_string()
}

/// The account with `patch`, and the event of it; `None` if that changes nothing.
///
/// # Errors
/// [`CustomerError::Stale`] if the client expects another customer.
pub fn update(
    account: Account,
    patch: Patch,
    expected: &IfMatch,
    now: Time,
) -> Result<Option<(Account, Stamp)>, CustomerError> {
    if !expected.allows(&tag(&account.customer)) {
        return Err(CustomerError::Stale);
    }
    let mut next = account.clone();
    let Patch {
        name,
        locale,
        phone,
    } = patch;
    next.customer.name = name.unwrap_or(next.customer.name);
    next.customer.locale = locale.unwrap_or(next.customer.locale);
    next.customer.phone = phone.unwrap_or(next.customer.phone);
    Ok((next != account).then(|| changed(next, UPDATED, now)))
}

/// The account with these `roles`, given by the admin `by`, and the event of it; `None` if it has
/// them already.
///
/// # Errors
/// [`CustomerError::Stale`] if the client expects another customer, [`CustomerError::OwnAccount`] if
/// an admin would stop being one by its own hand: so one always remains.
pub fn set_roles(
    account: Account,
    roles: &[Role],
    by: CustomerId,
    expected: &IfMatch,
    now: Time,
) -> Result<Option<(Account, Stamp)>, CustomerError> {
    if !expected.allows(&tag(&account.customer)) {
        return Err(CustomerError::Stale);
    }
    if account.customer.id == by && !roles.contains(&Role::Admin) {
        return Err(CustomerError::OwnAccount(
            "another admin must take this role from you",
        ));
    }
    // Everybody is a customer, and each role is had once.
    let roles: BTreeSet<Role> = roles.iter().copied().chain([Role::Customer]).collect();
    let mut next = account.clone();
    next.customer.roles = roles.into_iter().collect();
    Ok((next != account).then(|| changed(next, ROLES_CHANGED, now)))
}

/// The account, disabled by the admin `by`, and the event of it; `None` if it is already.
///
/// # Errors
/// [`CustomerError::OwnAccount`].
pub fn disable(
    account: Account,
    by: CustomerId,
    now: Time,
) -> Result<Option<(Account, Stamp)>, CustomerError> {
    if account.customer.id == by {
        return Err(CustomerError::OwnAccount(
            "another admin must disable your account",
        ));
    }
    if account.customer.disabled {
        return Ok(None);
    }
    let mut next = account;
    next.customer.disabled = true;
    Ok(Some(changed(next, DISABLED, now)))
}

/// The account, not disabled any more, and the event of it; `None` if it is not disabled.
#[must_use]
pub fn enable(account: Account, now: Time) -> Option<(Account, Stamp)> {
    if !account.customer.disabled {
        return None;
    }
    let mut next = account;
    next.customer.disabled = false;
    Some(changed(next, ENABLED, now))
}

/// The account with another password, and the event of it.
#[must_use]
pub fn change_password(account: Account, hash: PasswordHash, now: Time) -> (Account, Stamp) {
    let mut next = account;
    next.password_hash = hash;
    next.password_version += 1;
    changed(next, PASSWORD_CHANGED, now)
}

/// The account whose address is confirmed, and the event of it; `None` if it is already.
#[must_use]
pub fn confirm_email(account: Account, now: Time) -> Option<(Account, Stamp)> {
    if account.customer.email_confirmed_at.is_some() {
        return None;
    }
    let mut next = account;
    next.customer.email_confirmed_at = Some(now);
    Some(changed(next, EMAIL_CONFIRMED, now))
}

/// The event of the deletion of `account`.
#[must_use]
pub fn delete(account: &Account, now: Time) -> Stamp {
    changed(account.clone(), DELETED, now).1
}

/// What a link that confirms an address is bound to: a hash (SHA-256, hexadecimal) of the address.
#[must_use]
pub fn email_fingerprint(account: &Account) -> String {
    sha256_hex(account.customer.email.lowercase())
}

/// What a link to another password is bound to: which password it replaces. Not the hash of it,
/// which may be made anew without another password.
#[must_use]
pub fn password_fingerprint(account: &Account) -> String {
    account.password_version.to_string()
}

/// `account`, changed at `now`, with its `event`.
fn changed(mut account: Account, event: &str, now: Time) -> (Account, Stamp) {
    let customer = &mut account.customer;
    customer.version += 1;
    customer.updated_at = now.no_earlier_than(customer.updated_at);
    let stamp = Stamp::new(customer.id, customer.version, event, customer.updated_at);
    (account, stamp)
}
