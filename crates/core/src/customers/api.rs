//! The HTTP handlers of customers, and their wire types.

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::keys::TokenKeys;
use super::model::{Customer, CustomerError, Email, Locale};
use super::password;
use super::rules::{self, Registration};
use super::store::CustomerStore;
use super::token::{self, Realm};
use crate::body::Body;
use crate::clock::Time;
use crate::http::{Request, Response};
use crate::id::CustomerId;
use crate::lambda::Aws;
use crate::problem::Problem;
use crate::settings::{Setting, SettingError};

/// A customer as the API shows it.
#[derive(Serialize)]
struct CustomerBody {
    id: CustomerId,
    email: String,
    name: String,
    locale: String,
    created_at: Time,
}

impl From<Customer> for CustomerBody {
    fn from(customer: Customer) -> Self {
        Self {
            id: customer.id,
            email: customer.email.as_str().to_owned(),
            name: customer.name,
            locale: customer.locale.as_str().to_owned(),
            created_at: customer.created_at,
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
    let tag = customer.version.to_string();
    Ok(
        Response::created("/customers/me".to_owned(), &CustomerBody::from(customer))?
            .etag(&tag)
            .replayed(replayed),
    )
}

fn registration(body: &mut Body) -> Option<Registration> {
    let email = body.required("email", |json| {
        json.parsed("this must be an email address", str::parse::<Email>)
    });
    let password = body.required("password", |json| json.text(8..=128));
    let name = body.required("name", |json| json.line(1..=100));
    let locale = body.optional("locale", |json| {
        json.parsed(
            "this must be a language tag such as de-AT",
            str::parse::<Locale>,
        )
    });
    Some(Registration {
        email: email?,
        password: password?,
        name: name?,
        locale: locale?.unwrap_or_default(),
    })
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
    Sha256::digest(text)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// What issues access tokens.
#[derive(Clone, Debug)]
pub struct TokenIssuer {
    keys: TokenKeys,
    realm: Realm,
    lifetime_seconds: u32,
}

impl TokenIssuer {
    /// The issuer that the settings `TOKEN_*` describe.
    ///
    /// # Errors
    /// [`SettingError`] if one is missing or not valid.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        Ok(Self {
            keys: TokenKeys::new(aws)?,
            realm: Realm::new(aws)?,
            lifetime_seconds: aws.settings().read(Setting::TokenLifetimeSeconds)?,
        })
    }
}

/// What signing in answers (RFC 6749 section 5.1).
#[derive(Serialize)]
struct TokenBody {
    access_token: String,
    token_type: &'static str,
    expires_in: u32,
}

/// `POST /auth/login`: signs a customer in.
///
/// # Errors
/// [`Problem`]: a body that is not valid, or [`Problem::Unauthenticated`] whichever of address and
/// password is wrong.
pub async fn login(
    customers: &CustomerStore,
    tokens: &TokenIssuer,
    request: Request,
) -> Result<Response, Problem> {
    let (email, given) = request.json(credentials)?;
    let account = customers.account_of(&email).await?;
    let hash = account.as_ref().map(|account| &account.password_hash);
    let right = password::matches(&given, hash)?;
    let customer = account
        .filter(|_| right)
        .ok_or(CustomerError::WrongCredentials)?
        .customer;
    let key = tokens.keys.signing(request.now).await?;
    let lifetime = tokens.lifetime_seconds;
    let access_token = token::issue(&customer, &tokens.realm, &key, lifetime, request.now)?;
    let body = TokenBody {
        access_token,
        token_type: "Bearer",
        expires_in: lifetime,
    };
    Ok(Response::ok(&body)?.header("Cache-Control", "no-store"))
}

fn credentials(body: &mut Body) -> Option<(Email, String)> {
    let email = body.required("email", |json| {
        json.parsed("this must be an email address", str::parse::<Email>)
    });
    let password = body.required("password", |json| json.text(1..=128));
    Some((email?, password?))
}
