//! Registering, signing in and being recognised, on the embedded DynamoDB.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};

use super::api::{TokenIssuer, login, register_customer};
use super::authorizer::{AuthorizationRequest, TokenVerifier, authorize_request};
use super::{Customer, CustomerError, CustomerStore, Role, events, grant_admin};
use crate::clock::Time;
use crate::http::{Request, Response};
use crate::lambda::Aws;
use crate::problem::Problem;
use crate::settings::Setting;
use crate::testing::{self, Engine, Fault};

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

async fn register(customers: &CustomerStore, body: &Value, key: Option<&str>) -> Response {
    register_customer(customers, request(body, key))
        .await
        .unwrap()
}

/// Serves the secret `{"kid": kid, "key": key}`, and counts how often it is read.
fn secret(engine: &Engine, kid: &str, key: &str) -> Arc<Mutex<u32>> {
    let reads = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&reads);
    let text = json!({"kid": kid, "key": key}).to_string();
    engine.answer_others("GetSecretValue", move |_| {
        *counted.lock().unwrap() += 1;
        (200, json!({"SecretString": text}))
    });
    reads
}

async fn token(aws: &Aws, customers: &CustomerStore) -> String {
    let issuer = TokenIssuer::new(aws).unwrap();
    let credentials = json!({"email": "ana@example.com", "password": PASSWORD});
    let answer = login(customers, &issuer, request(&credentials, None))
        .await
        .unwrap();
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

#[tokio::test]
async fn an_account_is_stored_as_it_is_answered() {
    let (_, engine, customers) = shop();
    let answer = register(&customers, &ana(), None).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    let shown = body(&answer);
    let id = shown["id"].as_str().unwrap();
    let expected = json!({
        "id": id,
        "email": "Ana@Example.com",
        "name": "Ana",
        "locale": "de-AT",
        "created_at": "2026-03-01T09:30:00.000Z",
    });
    assert_eq!(shown, expected);
    let stored: Customer = customers.get(id.parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(stored.email.as_str(), "Ana@Example.com");
    assert_eq!(stored.roles, [Role::Customer]);
    assert_eq!(engine.items(Setting::CustomersTable).len(), 2);
}

#[tokio::test]
async fn a_password_is_stored_as_argon2id_and_nowhere_else() {
    let (_, engine, customers) = shop();
    register(&customers, &ana(), Some("k")).await;
    let stored = Value::from(engine.items(Setting::CustomersTable)).to_string();
    assert!(stored.contains("$argon2id$v=19$m=19456,t=2,p=1$"));
    assert!(!stored.contains(PASSWORD));
    // Nor is it in the hash of the request: with another password that hash is the same.
    let hash = |engine: &Engine| {
        let items = engine.items(Setting::CustomersTable);
        items
            .iter()
            .find_map(|item| item.get("request_hash").cloned())
    };
    let (_, other_engine, others) = shop();
    let mut other = ana();
    other["password"] = json!("another password");
    register(&others, &other, Some("k")).await;
    assert!(hash(&engine).is_some());
    assert_eq!(hash(&engine), hash(&other_engine));
}

#[test]
fn of_twenty_registrations_at_once_of_one_address_one_is_made() {
    let (_, engine, customers) = shop();
    let jobs = (0..20).map(|n| {
        let customers = customers.clone();
        async move || {
            let address = if n % 2 == 0 {
                "ana@example.com"
            } else {
                "ANA@example.COM"
            };
            let body = json!({"email": address, "password": PASSWORD, "name": "Ana"});
            register_customer(&customers, request(&body, None)).await
        }
    });
    let answers = testing::at_once(jobs);
    let made = answers.iter().filter(|answer| answer.is_ok()).count();
    let taken = answers
        .iter()
        .filter(|answer| matches!(answer, Err(Problem::Conflict(_))))
        .count();
    assert_eq!((made, taken), (1, 19));
    assert_eq!(engine.items(Setting::CustomersTable).len(), 2);
}

#[test]
fn the_same_key_twenty_times_at_once_makes_one_account_and_answers_it_to_all() {
    let (_, engine, customers) = shop();
    let jobs = (0..20).map(|_| {
        let customers = customers.clone();
        async move || register(&customers, &ana(), Some("once")).await
    });
    let answers = testing::at_once(jobs);
    let first = body(&answers[0]);
    assert!(answers.iter().all(|answer| body(answer) == first));
    let replayed = answers
        .iter()
        .filter(|answer| header(answer, "Idempotent-Replayed") == Some("true"))
        .count();
    assert_eq!(replayed, 19);
    assert_eq!(engine.items(Setting::CustomersTable).len(), 2);
}

#[tokio::test]
async fn the_same_key_with_another_request_is_refused() {
    let (_, _, customers) = shop();
    register(&customers, &ana(), Some("once")).await;
    for (field, value) in [
        ("name", "Anna"),
        ("locale", "en"),
        ("password", "wrong horse"),
        ("email", "ana@example.com"),
    ] {
        let mut other = ana();
        other[field] = json!(value);
        let answer = register_customer(&customers, request(&other, Some("once"))).await;
        assert!(
            matches!(answer, Err(Problem::IdempotencyKeyReused)),
            "{field}: {answer:?}"
        );
    }
}

#[tokio::test]
async fn an_address_stays_taken_under_another_key() {
    let (_, _, customers) = shop();
    register(&customers, &ana(), Some("one")).await;
    for key in [None, Some("two")] {
        let answer = register_customer(&customers, request(&ana(), key)).await;
        assert!(matches!(answer, Err(Problem::Conflict(_))), "{answer:?}");
    }
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_answered_as_made() {
    for key in [None, Some("once")] {
        let (_, engine, customers) = shop();
        engine.fail_next("TransactWriteItems", Fault::LostAnswer);
        let answer = register(&customers, &ana(), key).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{key:?}");
        assert_eq!(engine.items(Setting::CustomersTable).len(), 2);
    }
}

#[tokio::test]
async fn every_fault_of_a_registration_is_told_and_nothing_is_stored() {
    let (_, engine, customers) = shop();
    let long = "x".repeat(129);
    for (wrong, faults) in [
        (json!({}), vec!["/email", "/password", "/name"]),
        (
            json!({"email": "ana", "password": "short", "name": "", "locale": "_"}),
            vec!["/email", "/password", "/name", "/locale"],
        ),
        (
            json!({"email": 1, "password": 2, "name": 3}),
            vec!["/email", "/password", "/name"],
        ),
        (
            json!({"email": "a@b.de", "password": long, "name": "Ana\nBcc: eve"}),
            vec!["/password", "/name"],
        ),
        (
            json!({"email": "a@b.de", "password": PASSWORD, "name": "Ana", "roles": ["admin"]}),
            vec!["/roles"],
        ),
    ] {
        let answer = register_customer(&customers, request(&wrong, None)).await;
        let Err(Problem::InvalidBody(found)) = answer else {
            panic!("{wrong}: {answer:?}");
        };
        let found: Vec<&str> = found.iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(found, faults, "{wrong}");
    }
    assert!(engine.items(Setting::CustomersTable).is_empty());
}

#[tokio::test]
async fn signing_in_answers_a_token_in_the_shape_of_the_contract() {
    let (aws, engine, customers) = shop();
    secret(&engine, "1", "a secret");
    register(&customers, &ana(), None).await;
    let issuer = TokenIssuer::new(&aws).unwrap();
    let credentials = json!({"email": "ANA@example.com", "password": PASSWORD});
    let answer = login(&customers, &issuer, request(&credentials, None))
        .await
        .unwrap();
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(header(&answer, "Cache-Control"), Some("no-store"));
    let answer = body(&answer);
    assert_eq!(answer["token_type"], "Bearer");
    assert_eq!(answer["expires_in"], 900);
    assert!(answer["access_token"].as_str().unwrap().split('.').count() == 3);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_are_answered_alike() {
    let (aws, engine, customers) = shop();
    let reads = secret(&engine, "1", "a secret");
    register(&customers, &ana(), None).await;
    let issuer = TokenIssuer::new(&aws).unwrap();
    let mut answers = Vec::new();
    for (email, password) in [
        ("ana@example.com", "wrong horse"),
        ("bob@example.com", PASSWORD),
        ("bob@example.com", "wrong horse"),
    ] {
        let credentials = json!({"email": email, "password": password});
        let answer = login(&customers, &issuer, request(&credentials, None)).await;
        answers.push(Response::problem(&answer.unwrap_err(), "/auth/login"));
    }
    assert_eq!(answers[0].status, StatusCode::UNAUTHORIZED);
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert_eq!(
        *reads.lock().unwrap(),
        0,
        "the key is of no use to strangers"
    );
}

#[tokio::test]
async fn whoever_signed_in_is_recognised_with_roles_and_expiry() {
    let (aws, engine, customers) = shop();
    secret(&engine, "1", "a secret");
    let answer = register(&customers, &ana(), None).await;
    let token = token(&aws, &customers).await;
    let verifier = TokenVerifier::new(&aws).unwrap();
    let expected = json!({
        "isAuthorized": true,
        "context": {
            "sub": body(&answer)["id"],
            "roles": "customer",
            "exp": (now().as_seconds() + 900).to_string(),
        },
    });
    assert_eq!(authorize(&verifier, &token, now()).await, expected);
    // Also when it has expired: the handler compares.
    let later = now().plus(Duration::from_secs(5_000));
    assert_eq!(authorize(&verifier, &token, later).await, expected);
}

#[tokio::test]
async fn what_is_forged_is_refused() {
    let (aws, engine, customers) = shop();
    secret(&engine, "1", "a secret");
    register(&customers, &ana(), None).await;
    let token = token(&aws, &customers).await;
    let refused = json!({"isAuthorized": false});
    let verifier = TokenVerifier::new(&aws).unwrap();
    for forged in [
        "",
        "x",
        "a.b.c",
        &token[..token.len() - 2],
        &token.replace('.', ""),
        &format!("{token} {token}"),
    ] {
        assert_eq!(
            authorize(&verifier, forged, now()).await,
            refused,
            "{forged}"
        );
    }
    for header in [
        json!(["Basic YTpi"]),
        json!([]),
        json!(null),
        json!([token]),
    ] {
        let event = json!({"identitySource": header, "requestContext": {"timeEpoch": 0}});
        let event = serde_json::from_value(event).unwrap();
        let answer = authorize_request(&verifier, event).await.unwrap();
        assert_eq!(serde_json::to_value(answer).unwrap(), refused, "{header}");
    }
    // Signed with another secret under the same name.
    let (other_aws, other_engine, others) = shop();
    secret(&other_engine, "1", "another secret");
    register(&others, &ana(), None).await;
    let other = self::token(&other_aws, &others).await;
    assert_eq!(authorize(&verifier, &other, now()).await, refused);
}

#[tokio::test]
async fn the_secret_is_read_again_for_an_unknown_key_at_most_once_a_minute() {
    let (aws, engine, customers) = shop();
    let reads = secret(&engine, "1", "a secret");
    register(&customers, &ana(), None).await;
    let old = token(&aws, &customers).await;
    let verifier = TokenVerifier::new(&aws).unwrap();
    let authorized = async |token: &str, seconds: u64| {
        let answer = authorize(&verifier, token, now().plus(Duration::from_secs(seconds))).await;
        answer["isAuthorized"] == json!(true)
    };
    *reads.lock().unwrap() = 0;
    assert!(authorized(&old, 0).await);
    assert!(authorized(&old, 200).await);
    assert_eq!(*reads.lock().unwrap(), 1, "a known key is kept");

    let reads = secret(&engine, "2", "the next secret");
    let new = token(&aws, &customers).await;
    *reads.lock().unwrap() = 0;
    assert!(!authorized(&new, 30).await, "read less than a minute ago");
    assert_eq!(*reads.lock().unwrap(), 0);
    assert!(authorized(&new, 60).await);
    assert_eq!(*reads.lock().unwrap(), 1);
    assert!(!authorized(&old, 61).await, "the secret has it no longer");
    assert_eq!(*reads.lock().unwrap(), 1);
}

#[tokio::test]
async fn a_secret_that_cannot_be_read_is_an_error_and_asked_for_once_a_minute_too() {
    let (aws, engine, customers) = shop();
    secret(&engine, "1", "a secret");
    register(&customers, &ana(), None).await;
    let old = token(&aws, &customers).await;
    secret(&engine, "2", "the next secret");
    let new = token(&aws, &customers).await;
    secret(&engine, "1", "a secret");
    let verifier = TokenVerifier::new(&aws).unwrap();
    authorize(&verifier, &old, now()).await;
    let calls = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&calls);
    engine.answer_others("GetSecretValue", move |_| {
        *counted.lock().unwrap() += 1;
        (
            400,
            json!({"__type": "AccessDeniedException", "message": "no"}),
        )
    });
    let ask = async |seconds: u64| {
        let event = json!({
            "identitySource": [format!("Bearer {new}")],
            "requestContext": {"timeEpoch": now().as_millis() + i64::try_from(seconds).unwrap() * 1000},
        });
        authorize_request(&verifier, serde_json::from_value(event).unwrap()).await
    };
    assert!(ask(60).await.is_err());
    assert!(ask(61).await.is_ok(), "not asked again");
    assert_eq!(*calls.lock().unwrap(), 1);
}

#[tokio::test]
async fn signing_in_follows_a_changed_secret_within_five_minutes() {
    let (aws, engine, customers) = shop();
    secret(&engine, "1", "a secret");
    register(&customers, &ana(), None).await;
    let issuer = TokenIssuer::new(&aws).unwrap();
    let kid = async |seconds: u64| {
        let credentials = json!({"email": "ana@example.com", "password": PASSWORD});
        let mut request = request(&credentials, None);
        request.now = now().plus(Duration::from_secs(seconds));
        let answer = login(&customers, &issuer, request).await.unwrap();
        super::token::key_id(body(&answer)["access_token"].as_str().unwrap())
    };
    assert_eq!(kid(0).await.as_deref(), Some("1"));
    secret(&engine, "2", "the next secret");
    assert_eq!(kid(299).await.as_deref(), Some("1"));
    assert_eq!(kid(300).await.as_deref(), Some("2"));
}

#[tokio::test]
async fn an_admin_is_made_once_and_recognised_from_the_next_sign_in_on() {
    let (aws, engine, customers) = shop();
    secret(&engine, "1", "a secret");
    let email = "ANA@example.com".parse().unwrap();
    let nobody = grant_admin(&customers, &email, now()).await;
    assert!(matches!(nobody, Err(CustomerError::NoSuchCustomer)));
    register(&customers, &ana(), None).await;
    assert!(grant_admin(&customers, &email, now()).await.unwrap());
    assert!(!grant_admin(&customers, &email, now()).await.unwrap());
    let stored = customers
        .account_of(&email)
        .await
        .unwrap()
        .unwrap()
        .customer;
    assert_eq!(
        (stored.version, stored.roles),
        (2, vec![Role::Customer, Role::Admin])
    );
    let verifier = TokenVerifier::new(&aws).unwrap();
    let answer = authorize(&verifier, &token(&aws, &customers).await, now()).await;
    assert_eq!(answer["context"]["roles"], "customer admin");
}

#[test]
fn an_admin_made_five_times_at_once_is_made_once() {
    let (_, engine, customers) = shop();
    testing::at_once([async || register(&customers, &ana(), None).await]);
    let jobs = (0..5).map(|_| {
        let customers = customers.clone();
        async move || {
            let email = "ana@example.com".parse().unwrap();
            grant_admin(&customers, &email, now()).await.unwrap()
        }
    });
    let granted = testing::at_once(jobs);
    assert_eq!(granted.iter().filter(|changed| **changed).count(), 1);
    let items = engine.items(Setting::CustomersTable);
    let stored = items
        .iter()
        .find(|item| item.get("roles").is_some())
        .unwrap();
    assert_eq!(stored["version"], 2);
    assert_eq!(stored["roles"], json!(["customer", "admin"]));
}

#[tokio::test]
async fn events_of_customers_hold_no_personal_data() {
    let (_, engine, customers) = shop();
    register(&customers, &ana(), None).await;
    let published = |engine: &Engine| -> Vec<Value> {
        let items = engine.items(Setting::CustomersTable);
        items
            .iter()
            .filter_map(|item| events::published(serde_dynamo::to_item(item).unwrap()).unwrap())
            .map(|event| serde_json::to_value(event).unwrap())
            .collect()
    };
    let made = published(&engine);
    assert_eq!(made.len(), 1, "the item of the address carries none");
    assert_eq!(made[0]["event_type"], "CustomerRegistered");
    assert_eq!(made[0]["data"], json!({}));
    grant_admin(&customers, &"ana@example.com".parse().unwrap(), now())
        .await
        .unwrap();
    let granted = published(&engine);
    assert_eq!(granted[0]["event_type"], "CustomerRolesChanged");
    assert_eq!(granted[0]["version"], 2);
    assert_eq!(granted[0]["data"], json!({"roles": ["customer", "admin"]}));
    let both = Value::from([made, granted].concat())
        .to_string()
        .to_lowercase();
    assert!(!both.contains("ana") && !both.contains("argon2"), "{both}");
}

#[tokio::test]
async fn a_registration_s_trace_context_travels_on_its_event() {
    let (_, engine, customers) = shop();
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let traced = request(&ana(), None).with("traceparent", trace);
    register_customer(&customers, traced).await.unwrap();
    let items = engine.items(Setting::CustomersTable);
    let stored = items.iter().find_map(|item| item.get("event")).unwrap();
    assert_eq!(stored["traceparent"], trace);
}
