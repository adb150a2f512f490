//! `POST /customers`, and the wire types that all handlers of customers share.

use serde::Serialize;

use super::credentials::{PasswordCheck, SentPassword};
use super::model::{Account, Customer, CustomerError, Email, Role};
use super::password;
use super::rules::{self, Registration};
use super::store::CustomerStore;
use crate::aws::Aws;
use crate::aws::settings::SettingError;
use crate::http::body::{Body, Json, locale};
use crate::http::exchange::{Request, Response};
use crate::http::problem::Problem;
use crate::values::clock::Time;
use crate::values::digest::sha256_hex;
use crate::values::group::CustomerGroup;
use crate::values::id::CustomerId;

/// A customer in the API, as the customer and admins see it.
#[derive(Serialize)]
pub(crate) struct CustomerBody {
    id: CustomerId,
    email: String,
    email_confirmed: bool,
    name: String,
    locale: String,
    phone: Option<String>,
    roles: Vec<&'static str>,
    group: Option<CustomerGroup>,
    disabled: bool,
    version: u64,
    created_at: Time,
    updated_at: Time,
}

impl From<Customer> for CustomerBody {
    fn from(customer: Customer) -> Self {
        Self {
            id: customer.id,
            email: customer.email.as_str().to_owned(),
            email_confirmed: customer.email_confirmed_at.is_some(),
            name: customer.name,
            locale: customer.locale.as_str().to_owned(),
            phone: customer.phone,
            roles: customer.roles.into_iter().map(Role::name).collect(),
            group: customer.group,
            disabled: customer.disabled,
            version: customer.version,
            created_at: customer.created_at,
            updated_at: customer.updated_at,
        }
    }
}

/// The resources that opening an account needs.
#[derive(Clone, Debug)]
pub struct Registering {
    customers: CustomerStore,
    check: PasswordCheck,
}

impl Registering {
    /// Opens the resources of the function.
    ///
    /// # Errors
    /// [`SettingError`] if a setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        Ok(Self {
            customers: CustomerStore::new(aws)?,
            check: PasswordCheck::new(aws)?,
        })
    }
}

/// `POST /customers`: opens an account.
///
/// # Errors
/// [`Problem`] if the body or the key is not valid, the email address is taken, or the key was used for another
/// registration; [`Problem::TooManyRequests`] after too many registrations with one key and other passwords.
pub async fn register_customer(
    registering: &Registering,
    request: Request,
) -> Result<Response, Problem> {
    let registration = request.json(registration)?;
    let (customer, replayed) = if let Some(key) = request.idempotency_key()? {
        register_once(registering, &registration, key, &request).await?
    } else {
        let id = CustomerId::fresh(request.now);
        create(registering, &registration, id, None, &request).await?
    };
    let tag = rules::tag(&customer);
    Ok(
        Response::created("/customers/me".to_owned(), &CustomerBody::from(customer))?
            .etag(&tag)
            .replayed(replayed),
    )
}

fn registration(body: &mut Body) -> Option<Registration> {
    let email = body.required("email", email);
    let password = body.required("password", new_password);
    let name = body.required("name", name);
    let locale = body.optional("locale", locale);
    Some(Registration {
        email: email?,
        password: password?,
        name: name?,
        locale: locale?.unwrap_or_default(),
    })
}

pub(super) fn email(json: Json<'_>) -> Option<Email> {
    json.parsed("this must be an email address", str::parse::<Email>)
}

/// Reads a new password. Only its length is checked (NIST SP 800-63B section 3.1.1.2).
pub(super) fn new_password(json: Json<'_>) -> Option<String> {
    json.secret(8..=128)
}

pub(super) fn name(json: Json<'_>) -> Option<String> {
    json.line(1..=100)
}

/// Creates the account under the idempotency key `key`, or returns the one that an earlier request created,
/// and whether it did.
async fn register_once(
    registering: &Registering,
    registration: &Registration,
    key: &str,
    request: &Request,
) -> Result<(Customer, bool), CustomerError> {
    let id = CustomerId::derived(&["POST /customers", &registration.email.lowercase(), key]);
    let hash = hash_without_password(registration);
    match registering.customers.account(id).await? {
        Some(account) => {
            let customer =
                repeated_registration(registering, account, registration, Some(&hash), request)
                    .await?;
            Ok((customer, true))
        }
        None => create(registering, registration, id, Some(hash), request).await,
    }
}

/// Returns the customer of `account` if this very registration created it: its identifier follows from the same key,
/// the rest of the request has the hash `request_hash`, and the password is the same. The password is compared and
/// counted as it is when signing in, because no fast hash of it may be stored, and a registration is not another way
/// to guess it.
async fn repeated_registration(
    registering: &Registering,
    account: Account,
    registration: &Registration,
    request_hash: Option<&str>,
    request: &Request,
) -> Result<Customer, CustomerError> {
    if account.request_hash.as_deref() != request_hash {
        return Err(CustomerError::KeyReused);
    }
    let sent = sent_password(registration.password.clone(), request);
    match registering.check.reauthenticate(&account, &sent).await {
        Ok(()) => Ok(account.customer),
        Err(CustomerError::WrongPassword) => Err(CustomerError::KeyReused),
        Err(error) => Err(error),
    }
}

/// Creates the account `id`, or finds that the same registration has created it in the meantime: a parallel
/// request with the same key, or this very write, whose response was lost.
async fn create(
    registering: &Registering,
    registration: &Registration,
    id: CustomerId,
    request_hash: Option<String>,
    request: &Request,
) -> Result<(Customer, bool), CustomerError> {
    let hash = password::hash(&registration.password)?;
    let now = request.now;
    let (account, mut stamp) = rules::register(registration, id, hash, request_hash.clone(), now);
    stamp.traceparent = request.traceparent();
    let customer = account.customer.clone();
    match registering.customers.create(account, stamp).await {
        Ok(()) => Ok((customer, false)),
        Err(CustomerError::EmailTaken) => {
            let Some(stored) = registering.customers.account(id).await? else {
                return Err(CustomerError::EmailTaken);
            };
            let hash = request_hash.as_deref();
            let customer =
                repeated_registration(registering, stored, registration, hash, request).await?;
            Ok((customer, hash.is_some()))
        }
        Err(error) => Err(error),
    }
}

/// Returns a hash (SHA-256, hexadecimal) of the registration without the password, because no fast hash of a
/// password may be stored.
fn hash_without_password(registration: &Registration) -> String {
    let Registration {
        email,
        password: _,
        name,
        locale,
    } = registration;
    let parts = [email.as_str(), name, locale.as_str()];
    let text: String = parts
        .iter()
        .map(|part| format!("{}:{part}\n", part.len()))
        .collect();
    sha256_hex(text)
}

/// Returns `password` with what the attempt to use it in `request` is counted by.
pub(super) fn sent_password(password: String, request: &Request) -> SentPassword {
    SentPassword {
        password,
        source_ip: request.source_ip.clone(),
        now: request.now,
    }
}
