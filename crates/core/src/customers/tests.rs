//! Accounts, sessions and tokens, on the embedded DynamoDB.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};

use super::api::{Registering, register_customer};
use super::authorizer::{AuthorizationRequest, TokenVerifier, authorize_request};
use super::model::{Account, Customer, CustomerError, PasswordHash, Role};
use super::operator::grant_admin;
use super::sessions::api::{SignIn, login};
use super::store::CustomerStore;
use super::{events, rules};
use crate::aws::Aws;
use crate::aws::settings::Setting;
use crate::http::exchange::{Request, Response};
use crate::http::problem::Problem;
use crate::testing::{self, Engine, Fault};
use crate::values::clock::Time;
use crate::values::event::Stamp;
use crate::values::id::CustomerId;

mod accounts;
mod addresses;
mod admins;
mod deletion;
mod email_change;
mod guessing;
mod keys;
mod passwords;
mod registering;
mod sessions;
mod signing_in;

const PASSWORD: &str = "correct horse";

fn now() -> Time {
    "2026-03-01T09:30:00Z".parse().unwrap()
}

fn request(body: &Value, key: Option<&str>) -> Request {
    let mut request = testing::request(now(), body);
    request.identity = None;
    match key {
        Some(key) => request.with("idempotency-key", key),
        None => request,
    }
}

fn ana() -> Value {
    json!({"email": "Ana@Example.com", "password": PASSWORD, "name": "Ana", "locale": "de-AT"})
}

fn shop() -> (Aws, Engine, CustomerStore) {
    let (aws, engine) = testing::aws();
    let customers = CustomerStore::new(&aws).unwrap();
    (aws, engine, customers)
}

fn body(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap()
}

fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    let found = response.headers.iter().find(|(given, _)| *given == name);
    found.map(|(_, value)| value.as_str())
}

async fn register(aws: &Aws, body: &Value, key: Option<&str>) -> Response {
    let registering = Registering::new(aws).unwrap();
    Box::pin(register_customer(&registering, request(body, key)))
        .await
        .unwrap()
}

/// Serves the secret `{"kid": kid, "key": key}`, with `key` made long enough, and counts how often it is read.
fn secret(engine: &Engine, kid: &str, key: &str) -> Arc<Mutex<u32>> {
    serve_secret(engine, json!({"kid": kid, "key": long(key)}))
}

fn long(key: &str) -> String {
    format!("{key:_<32}")
}

/// Serves this secret, and counts how often it is read.
fn serve_secret(engine: &Engine, secret: Value) -> Arc<Mutex<u32>> {
    let reads = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&reads);
    let text = secret.to_string();
    engine.answer_others("GetSecretValue", move |_| {
        *counted.lock().unwrap() += 1;
        (200, json!({"SecretString": text}))
    });
    reads
}

async fn token(aws: &Aws) -> String {
    let sign_in = SignIn::new(aws).unwrap();
    let credentials = json!({"email": "ana@example.com", "password": PASSWORD});
    let answer = login(&sign_in, request(&credentials, None)).await.unwrap();
    body(&answer)["access_token"].as_str().unwrap().to_owned()
}

async fn authorize(verifier: &TokenVerifier, token: &str, now: Time) -> Value {
    let event = json!({
        "version": "2.0",
        "type": "REQUEST",
        "identitySource": [format!("Bearer {token}")],
        "headers": {"authorization": format!("Bearer {token}")},
        "requestContext": {"http": {"method": "GET"}, "timeEpoch": now.as_millis()},
    });
    let event: AuthorizationRequest = serde_json::from_value(event).unwrap();
    serde_json::to_value(authorize_request(verifier, event).await.unwrap()).unwrap()
}

/// Stores the admin whom [`testing::request`] is of, and returns the account.
async fn with_admin(customers: &CustomerStore) -> Account {
    let id = CustomerId::derived(&["admin"]);
    let account = Account {
        customer: Customer {
            id,
            email: "admin@example.com".parse().unwrap(),
            name: "Ada".to_owned(),
            locale: "en".parse().unwrap(),
            phone: None,
            email_confirmed_at: None,
            disabled: false,
            roles: vec![Role::Customer, Role::Admin],
            group: None,
            version: 1,
            created_at: now(),
            updated_at: now(),
        },
        password_hash: PasswordHash(String::new()),
        password_version: 0,
        email_change: None,
        request_hash: None,
    };
    let stamp = Stamp::new(id, 1, "CustomerRegistered", now());
    customers.create(account.clone(), stamp).await.unwrap();
    account
}

/// Returns the number of stored sessions.
fn stored_sessions(engine: &Engine) -> usize {
    let items = engine.items(Setting::SessionsTable).into_iter();
    items
        .filter(|item| item.get("session_id").is_some())
        .count()
}

/// Returns the stored item of the customer `id`.
fn item_of(engine: &Engine, id: CustomerId) -> Value {
    let items = engine.items(Setting::CustomersTable);
    let pk = format!("customer#{id}");
    items.into_iter().find(|item| item["pk"] == pk).unwrap()
}

/// Registers Ana and returns her identifier.
async fn registered(aws: &Aws) -> CustomerId {
    let made = body(&register(aws, &ana(), None).await);
    made["id"].as_str().unwrap().parse().unwrap()
}

/// Returns a request of the customer `id`, who is signed in, `seconds` later.
fn request_of(id: CustomerId, seconds: u64, body: &Value) -> Request {
    let now = now().plus(Duration::from_secs(seconds));
    let mut request = testing::request(now, body).of_customer();
    if let Some(identity) = &mut request.identity {
        identity.caller.customer_id = id;
    }
    request
}

/// Signs Ana in with `password`, `seconds` later.
async fn sign_in(aws: &Aws, password: &str, seconds: u64) -> Result<Response, Problem> {
    let credentials = json!({"email": "ana@example.com", "password": password});
    let mut request = request(&credentials, None);
    request.now = now().plus(Duration::from_secs(seconds));
    Box::pin(login(&SignIn::new(aws).unwrap(), request)).await
}
