//! The HTTP handlers of customers, and their wire types.

use serde::Serialize;

use super::credentials::Given;
use super::model::{Customer, CustomerError, Email, Locale, Role};
use super::password;
use super::rules::{self, Registration};
use super::store::CustomerStore;
use crate::http::body::{Body, Json};
use crate::http::exchange::{Request, Response};
use crate::http::problem::Problem;
use crate::values::clock::Time;
use crate::values::digest::sha256_hex;
use crate::values::id::CustomerId;

/// A customer as the API shows it, to itself and to admins.
#[derive(Serialize)]
pub(super) struct CustomerBody {
    id: CustomerId,
    email: String,
    email_confirmed: bool,
    name: String,
    locale: String,
    phone: Option<String>,
    roles: Vec<&'static str>,
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
            disabled: customer.disabled,
            version: customer.version,
            created_at: customer.created_at,
            updated_at: customer.updated_at,
        }
    }
}

/// `POST /customers`: opens an account.
///
/// # Errors
/// [`Problem`]: a body or key that is not valid, an address that is taken, a key used otherwise.
pub async fn register_customer(
    customers: &CustomerStore,
    request: Request,
) -> Result<Response, Problem> {
    let registration = request.json(registration)?;
    let (customer, replayed) = if let Some(key) = request.idempotency_key()? {
        register_once(customers, &registration, key, &request).await?
    } else {
        let id = CustomerId::fresh(request.now);
        create(customers, &registration, id, None, &request).await?
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

/// A password that is to be set. Length is all that is asked for (NIST SP 800-63B section 3.1.1.2).
pub(super) fn new_password(json: Json<'_>) -> Option<String> {
    json.secret(8..=128)
}

pub(super) fn name(json: Json<'_>) -> Option<String> {
    json.line(1..=100)
}

pub(super) fn locale(json: Json<'_>) -> Option<Locale> {
    json.parsed(
        "this must be a language tag such as de-AT",
        str::parse::<Locale>,
    )
}

/// The account under the idempotency key `key`: made now, or found as an earlier request made it.
async fn register_once(
    customers: &CustomerStore,
    registration: &Registration,
    key: &str,
    request: &Request,
) -> Result<(Customer, bool), CustomerError> {
    let id = CustomerId::derived(&["POST /customers", &registration.email.lowercase(), key]);
    let hash = hash_without_password(registration);
    match customers.account(id).await? {
        Some(account) => {
            let customer = rules::same_registration(account, registration, Some(&hash))?;
            Ok((customer, true))
        }
        None => create(customers, registration, id, Some(hash), request).await,
    }
}

/// Makes the account `id`, or finds that it was made by the same registration meanwhile: by a
/// parallel request with the same key, or by this very write, whose answer was lost.
async fn create(
    customers: &CustomerStore,
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
    match customers.create(account, stamp).await {
        Ok(()) => Ok((customer, false)),
        Err(CustomerError::EmailTaken) => {
            let Some(stored) = customers.account(id).await? else {
                return Err(CustomerError::EmailTaken);
            };
            let replayed = request_hash.is_some();
            let customer = rules::same_registration(stored, registration, request_hash.as_deref())?;
            Ok((customer, replayed))
        }
        Err(error) => Err(error),
    }
}

/// A hash (SHA-256, hexadecimal) of all that is registered but the password, of which no quick hash
/// may be stored.
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

/// `password`, as it came with `request`.
pub(super) fn given(password: String, request: &Request) -> Given {
    Given {
        password,
        source_ip: request.source_ip.clone(),
        now: request.now,
    }
}
