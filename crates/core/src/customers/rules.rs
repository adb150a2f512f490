//! The decisions about customers, without I/O.

use std::collections::BTreeSet;
use std::time::Duration;

use super::model::{Account, Customer, CustomerError, Email, EmailChange, PasswordHash, Role};
use crate::http::exchange::IfMatch;
use crate::values::clock::Time;
use crate::values::digest::sha256_hex;
use crate::values::event::Stamp;
use crate::values::group::CustomerGroup;
use crate::values::id::CustomerId;
use crate::values::locale::Locale;

/// A customer has registered.
pub const REGISTERED: &str = "CustomerRegistered";
/// A customer's roles have changed.
pub const ROLES_CHANGED: &str = "CustomerRolesChanged";
/// A customer has come into another group, or out of one.
pub const GROUP_CHANGED: &str = "CustomerGroupChanged";
/// A customer's name, locale or phone number has changed.
pub const UPDATED: &str = "CustomerUpdated";
/// A customer has confirmed the email address.
pub const EMAIL_CONFIRMED: &str = "EmailConfirmed";
/// A customer has requested another email address.
pub const EMAIL_CHANGE_REQUESTED: &str = "CustomerEmailChangeRequested";
/// A change of the email address is confirmed at one of its ends.
pub const EMAIL_CHANGE_CONFIRMED: &str = "CustomerEmailChangeConfirmed";
/// A customer's password has changed.
pub const PASSWORD_CHANGED: &str = "CustomerPasswordChanged";
/// An admin has disabled a customer's account.
pub const DISABLED: &str = "CustomerDisabled";
/// A customer has deleted the account; no personal data is stored any more.
pub const DELETED: &str = "CustomerDeleted";
/// An admin has enabled a customer's account again.
pub const ENABLED: &str = "CustomerEnabled";

/// How long the links that confirm a change of the email address are valid: three days.
pub const EMAIL_CHANGE_LIFETIME: Duration = Duration::from_hours(72);

/// The data of a registration. `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Registration {
    /// The email address.
    pub email: Email,
    /// The password: 8 to 128 characters.
    pub password: String,
    /// The name: one line of 1 to 100 characters.
    pub name: String,
    /// The language of messages to the customer.
    pub locale: Locale,
}

impl std::fmt::Debug for Registration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Registration(..)")
    }
}

/// Returns the account that `registration` opens, and its event.
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
        group: None,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    let account = Account {
        customer,
        password_hash,
        password_version: 0,
        email_change: None,
        request_hash,
    };
    (account, Stamp::new(id, 1, REGISTERED, now))
}

/// Gives the account the role admin. Returns the account and the event, or `None` if it already has the role.
#[must_use]
pub fn grant_admin(account: Account, now: Time) -> Option<(Account, Stamp)> {
    if account.customer.roles.contains(&Role::Admin) {
        return None;
    }
    let mut account = account;
    account.customer.roles.push(Role::Admin);
    Some(changed(account, ROLES_CHANGED, now))
}

/// A change of a customer's own data; fields that are `None` stay as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Patch {
    /// The name: one line of 1 to 100 characters.
    pub name: Option<String>,
    /// The language of messages to the customer.
    pub locale: Option<Locale>,
    /// The phone number; the inner `None` removes it.
    pub phone: Option<Option<String>>,
}

/// Returns the entity tag of a customer: its version.
#[must_use]
pub fn tag(customer: &Customer) -> String {
    customer.version.to_string()
}

/// Applies `patch` to the account. Returns the account and the event, or `None` if that changes nothing.
///
/// # Errors
/// [`CustomerError::Stale`] if the client expects another version.
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

/// Lets the admin `by` give the account these `roles`. Returns the account and the event, or `None` if it
/// already has them.
///
/// # Errors
/// [`CustomerError::Stale`] if the client expects another version; [`CustomerError::OwnAccount`] if the admin
/// would lose the role, so that there is always one.
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
            "You cannot take the role admin from yourself. Ask another admin to do it.",
        ));
    }
    // Everybody is a customer, and has each role once.
    let roles: BTreeSet<Role> = roles.iter().copied().chain([Role::Customer]).collect();
    let mut next = account.clone();
    next.customer.roles = roles.into_iter().collect();
    Ok((next != account).then(|| changed(next, ROLES_CHANGED, now)))
}

/// Puts the account into `group`, or into none. Returns the account and the event, or `None` if it is there already.
///
/// # Errors
/// [`CustomerError::Stale`] if the client expects another version.
pub fn set_group(
    account: Account,
    group: Option<CustomerGroup>,
    expected: &IfMatch,
    now: Time,
) -> Result<Option<(Account, Stamp)>, CustomerError> {
    if !expected.allows(&tag(&account.customer)) {
        return Err(CustomerError::Stale);
    }
    if account.customer.group == group {
        return Ok(None);
    }
    let mut next = account;
    next.customer.group = group;
    Ok(Some(changed(next, GROUP_CHANGED, now)))
}

/// Lets the admin `by` disable the account. Returns the account and the event, or `None` if it is already
/// disabled.
///
/// # Errors
/// [`CustomerError::OwnAccount`] if it is the admin's own account.
pub fn disable(
    account: Account,
    by: CustomerId,
    now: Time,
) -> Result<Option<(Account, Stamp)>, CustomerError> {
    if account.customer.id == by {
        return Err(CustomerError::OwnAccount(
            "You cannot disable your own account. Ask another admin to do it.",
        ));
    }
    if account.customer.disabled {
        return Ok(None);
    }
    let mut next = account;
    next.customer.disabled = true;
    Ok(Some(changed(next, DISABLED, now)))
}

/// Enables the account. Returns the account and the event, or `None` if it is not disabled.
#[must_use]
pub fn enable(account: Account, now: Time) -> Option<(Account, Stamp)> {
    if !account.customer.disabled {
        return None;
    }
    let mut next = account;
    next.customer.disabled = false;
    Some(changed(next, ENABLED, now))
}

/// Gives the account the password with this `hash`. Returns the account and the event.
#[must_use]
pub fn change_password(account: Account, hash: PasswordHash, now: Time) -> (Account, Stamp) {
    let mut next = account;
    next.password_hash = hash;
    next.password_version += 1;
    changed(next, PASSWORD_CHANGED, now)
}

/// Confirms the email address. Returns the account and the event, or `None` if it is already confirmed.
#[must_use]
pub fn confirm_email(account: Account, now: Time) -> Option<(Account, Stamp)> {
    if account.customer.email_confirmed_at.is_some() {
        return None;
    }
    let mut next = account;
    next.customer.email_confirmed_at = Some(now);
    Some(changed(next, EMAIL_CONFIRMED, now))
}

/// Requests that the account gets the address `email`. Returns the account and the event, or `None` if that is requested
/// already and the links for it are still valid.
#[must_use]
pub fn request_email_change(account: Account, email: Email, now: Time) -> Option<(Account, Stamp)> {
    let requested = account.email_change.as_ref();
    let is_same = |change: &EmailChange| {
        change.email == email && now < change.requested_at.plus(EMAIL_CHANGE_LIFETIME)
    };
    if requested.is_some_and(is_same) {
        return None;
    }
    let mut next = account;
    next.email_change = Some(EmailChange {
        email,
        requested_at: now,
        // Nobody has shown that the present address is theirs, so nobody is asked there.
        is_approved: next.customer.email_confirmed_at.is_none(),
        is_confirmed: false,
    });
    Some(changed(next, EMAIL_CHANGE_REQUESTED, now))
}

/// An end of a change of the email address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The present address.
    Present,
    /// The new address.
    New,
}

/// Confirms the change of the email address at the `end`. When both are confirmed, the account gets the new address, which
/// is a confirmed one. Returns the account and the event, or `None` if that end is confirmed already, or there is no
/// change.
#[must_use]
pub fn confirm_email_change(account: Account, end: End, now: Time) -> Option<(Account, Stamp)> {
    let mut next = account;
    let mut change = next.email_change.take()?;
    let done = match end {
        End::Present => &mut change.is_approved,
        End::New => &mut change.is_confirmed,
    };
    if std::mem::replace(done, true) {
        return None;
    }
    if !(change.is_approved && change.is_confirmed) {
        next.email_change = Some(change);
        return Some(changed(next, EMAIL_CHANGE_CONFIRMED, now));
    }
    next.customer.email = change.email;
    next.customer.email_confirmed_at = Some(now);
    Some(changed(next, EMAIL_CONFIRMED, now))
}

/// Returns what a link that confirms a change of the email address is bound to: a hash (SHA-256, hexadecimal) of the new
/// address and the time of the request; or `None` if there is no change.
#[must_use]
pub fn email_change_fingerprint(account: &Account) -> Option<String> {
    let change = account.email_change.as_ref()?;
    let text = format!("{} {}", change.requested_at, change.email.lowercase());
    Some(sha256_hex(text))
}

/// Returns the event of the deletion of `account`.
#[must_use]
pub fn delete(account: &Account, now: Time) -> Stamp {
    changed(account.clone(), DELETED, now).1
}

/// Returns what a link that confirms an email address is bound to: a hash (SHA-256, hexadecimal) of the
/// address.
#[must_use]
pub fn email_fingerprint(account: &Account) -> String {
    sha256_hex(account.customer.email.lowercase())
}

/// Returns what a link that resets the password is bound to: the number of the password that it replaces. It
/// is not the hash of the password, which may be renewed without a change of the password.
#[must_use]
pub fn password_fingerprint(account: &Account) -> String {
    account.password_version.to_string()
}

/// Returns `account` with the next version, at `now`, and the stamp of `event`.
fn changed(mut account: Account, event: &str, now: Time) -> (Account, Stamp) {
    let customer = &mut account.customer;
    customer.version += 1;
    customer.updated_at = now.no_earlier_than(customer.updated_at);
    let stamp = Stamp::new(customer.id, customer.version, event, customer.updated_at);
    (account, stamp)
}
