//! What is decided about customers, without I/O.

use super::model::{Account, Customer, CustomerError, Email, Locale, PasswordHash, Role};
use super::password;
use crate::clock::Time;
use crate::events::Stamp;
use crate::id::CustomerId;

/// The event of a new customer.
pub const REGISTERED: &str = "CustomerRegistered";
/// The event of a customer whose roles are others now.
pub const ROLES_CHANGED: &str = "CustomerRolesChanged";

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
        roles: vec![Role::Customer],
        version: 1,
        created_at: now,
        updated_at: now,
    };
    let account = Account {
        customer,
        password_hash,
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
    let customer = &mut account.customer;
    customer.roles.push(Role::Admin);
    customer.version += 1;
    customer.updated_at = now.no_earlier_than(customer.updated_at);
    let stamp = Stamp::new(
        customer.id,
        customer.version,
        ROLES_CHANGED,
        customer.updated_at,
    );
    Some((account, stamp))
}
