//! Retries, on an embedded DynamoDB with the sandbox.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::api::{self, Retries};
use super::rules::MOST_TOKENS;
use crate::aws::settings::Setting;
use crate::http::exchange::{Identity, Request};
use crate::orders::model::Status;
use crate::payments::fixtures::{Interrupted, Moment, Shop, after, eur, identity, order_id};
use crate::payments::gateway::{Charge, Gateway as _};
use crate::payments::model::ChargeKey;
use crate::testing;

/// Returns a request to retry with `body` under `key`.
fn request(key: &str, body: &Value) -> Request {
    let mut request = Request {
        request_id: key.to_owned(),
        path: format!("/orders/{}/payments", order_id()),
        path_parameters: [("order_id".to_owned(), order_id().to_string())].into(),
        identity: Some(identity("customer", false)),
        ..testing::request(after(10), body)
    };
    let headers = &mut request.headers;
    headers.insert("idempotency-key", key.parse().unwrap());
    request
}

fn paying_with(token: &str) -> Value {
    json!({"payment": {"token": token}})
}

fn retries(shop: &Shop) -> Retries<Interrupted> {
    Retries {
        orders: shop.orders.clone(),
        payments: shop.payments.clone(),
        gateway: shop.gateway.clone(),
        workflow: shop.workflow.clone(),
    }
}

/// Returns the status and the payment's status, or the problem's detail.
async fn retry(shop: &Shop, request: Request) -> String {
    match api::retry_payment(&retries(shop), request).await {
        Ok(response) => {
            let body: Value = serde_json::from_slice(&response.body).unwrap();
            format!(
                "{} {} {}",
                response.status.as_u16(),
                body["status"].as_str().unwrap(),
                body["attempts"]
            )
        }
        Err(problem) => format!("{} {problem}", problem.status().as_u16()),
    }
}

/// Counts the executions that are started.
fn count_executions(shop: &Shop) -> Arc<Mutex<Vec<String>>> {
    let started: Arc<Mutex<Vec<String>>> = Arc::default();
    let names = started.clone();
    shop.engine.answer_others("StartExecution", move |request| {
        let name = request["name"].as_str().unwrap().to_owned();
        assert!(name.len() <= 80, "{name}");
        let mut names = names.lock().unwrap();
        let exists = names.contains(&name);
        if exists {
            return (400, json!({"__type": "ExecutionAlreadyExists"}));
        }
        names.push(name);
        (200, json!({"executionArn": "arn:test", "startDate": 0}))
    });
    started
}

#[tokio::test]
async fn a_declined_order_is_paid_with_another_token_under_another_key() {
    let shop = Shop::retryable("tok_insufficient_funds").await;
    let started = count_executions(&shop);
    assert_eq!(shop.process().await, "PaymentRetryable");
    assert_eq!(shop.process().await, "PaymentRetryable");
    assert_eq!(shop.books().await, "failed 0.00 0.00 0.00 v1");
    for _ in 0..2 {
        assert_eq!(
            retry(&shop, request("a", &paying_with("tok_ok"))).await,
            "202 pending 2"
        );
    }
    assert_eq!(
        started.lock().unwrap().len(),
        1,
        "one execution for each attempt"
    );
    let other = retry(&shop, request("a", &paying_with("tok_unknown"))).await;
    assert!(other.starts_with("422 "), "{other}");
    let other = retry(&shop, request("b", &paying_with("tok_ok"))).await;
    assert_eq!(
        other,
        "409 the payment is pending: it can be retried once it has failed"
    );
    assert_eq!(shop.payment().await.decline, None);
    assert_eq!(shop.process().await, "completed");
    assert_eq!(shop.books().await, "completed 40.00 40.00 0.00 v3");
    let [first, second] = [1, 2].map(|attempt| ChargeKey::new(order_id(), attempt));
    let sandbox = &shop.gateway.sandbox;
    assert!(matches!(
        sandbox.retrieve(&first).await.unwrap(),
        Charge::Declined { .. }
    ));
    let amount = eur("40.00");
    assert_eq!(
        sandbox.retrieve(&second).await.unwrap(),
        Charge::Captured { amount }
    );
    let stored = shop.engine.items(Setting::PaymentsTable).remove(0);
    assert!(!stored.to_string().contains("tok_"), "{stored}");
    assert_eq!(
        retry(&shop, request("a", &paying_with("tok_ok"))).await,
        "202 completed 2"
    );
    assert_eq!(started.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn an_order_is_retried_a_few_times_only_and_fails_at_its_deadline() {
    let shop = Shop::retryable("tok_declined").await;
    count_executions(&shop);
    for attempt in 2..=MOST_TOKENS {
        assert_eq!(shop.process().await, "PaymentRetryable");
        let retried = retry(
            &shop,
            request(&attempt.to_string(), &paying_with("tok_declined")),
        );
        assert_eq!(retried.await, format!("202 pending {attempt}"));
    }
    assert_eq!(shop.process().await, "PaymentDeclined", "the last one");
    assert_eq!(
        retry(&shop, request("6", &paying_with("tok_ok"))).await,
        "409 the payment was tried with 5 tokens, and is not retried any more"
    );
    let shop = Shop::retryable("tok_declined").await;
    assert_eq!(shop.process_at(900).await, "PaymentRetryable");
    assert_eq!(shop.process_at(901).await, "PaymentDeclined");
    let mut late = request("a", &paying_with("tok_ok"));
    late.now = after(901);
    late.identity = Some(Identity {
        expires_at_seconds: i64::MAX,
        ..identity("customer", false)
    });
    assert_eq!(
        retry(&shop, late).await,
        "409 the order's deadline has passed, so it is not paid any more"
    );
}

#[tokio::test]
async fn what_cannot_be_retried_is_refused_and_changes_nothing() {
    let begun = Shop::retryable("tok_ok").await;
    let refused = retry(&begun, request("a", &paying_with("tok_ok"))).await;
    assert_eq!(
        refused,
        "409 the payment is pending: it can be retried once it has failed"
    );
    let cancelled = Shop::retryable("tok_declined").await;
    cancelled.process().await;
    cancelled.order_becomes(Status::Cancelled).await;
    let refused = retry(&cancelled, request("a", &paying_with("tok_ok"))).await;
    assert_eq!(
        refused,
        "409 the order is cancelled, so it is not paid any more"
    );
    let plain = Shop::with("tok_declined").await;
    assert_eq!(plain.process().await, "PaymentDeclined");
    let refused = retry(&plain, request("a", &paying_with("tok_ok"))).await;
    assert_eq!(
        refused,
        "409 the order was placed without payment.retryable, so its payment is not retried"
    );
    let mut stranger = request("a", &paying_with("tok_ok"));
    stranger.identity = Some(identity("stranger", false));
    assert_eq!(retry(&plain, stranger).await, "404 there is no such order");
    let mut keyless = request("a", &paying_with("tok_ok"));
    keyless.headers.remove("idempotency-key");
    assert!(retry(&plain, keyless).await.starts_with("400 "));
    for body in [
        json!({"payment": {}}),
        json!({"payment": null}),
        json!({"token": "tok_ok"}),
    ] {
        let refused = retry(&plain, request("a", &body)).await;
        assert!(refused.starts_with("422 "), "{body}: {refused}");
    }
    assert_eq!(plain.books().await, "failed 0.00 0.00 0.00 v1");
}

#[tokio::test]
async fn a_payment_that_its_shopper_does_not_confirm_is_voided_before_the_next_token_is_charged() {
    let shop = Shop::retryable("tok_requires_action").await;
    count_executions(&shop);
    assert_eq!(shop.process().await, "ActionRequired");
    shop.crash_at(Moment::AfterVoid);
    let crashed = retry(&shop, request("a", &paying_with("tok_ok"))).await;
    assert!(crashed.starts_with("503 "), "{crashed}");
    assert_eq!(shop.charge().await, Charge::Voided);
    assert_eq!(
        retry(&shop, request("a", &paying_with("tok_ok"))).await,
        "202 pending 2"
    );
    assert_eq!(shop.process().await, "completed");
    shop.late_charge().await;
    assert_eq!(shop.charge().await, Charge::Voided);
}

#[tokio::test]
async fn a_shopper_who_has_confirmed_the_payment_lets_the_order_go_on() {
    let shop = Shop::with("tok_requires_action").await;
    let started = count_executions(&shop);
    let early = retry(&shop, request("a", &json!({}))).await;
    assert!(early.starts_with("409 "), "{early}");
    shop.process().await;
    for _ in 0..2 {
        assert_eq!(
            retry(&shop, request("a", &json!({}))).await,
            "202 requires_action 1"
        );
    }
    assert_eq!(started.lock().unwrap().len(), 1);
    let paid = Shop::with("tok_ok").await;
    let started = count_executions(&paid);
    paid.process().await;
    assert_eq!(
        retry(&paid, request("a", &json!({}))).await,
        "202 completed 1"
    );
    assert!(started.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_retry_that_read_its_order_before_it_ended_does_not_begin() {
    let shop = Shop::retryable("tok_declined").await;
    let started = count_executions(&shop);
    assert_eq!(shop.process().await, "PaymentRetryable");
    let other = shop.clone();
    shop.engine.before_next("UpdateItem", async move || {
        other.order_becomes(Status::Cancelled).await;
        assert_eq!(other.void().await, "failed");
    });
    let refused = retry(&shop, request("a", &paying_with("tok_ok"))).await;
    assert_eq!(
        refused,
        "409 the order is cancelled, so it is not paid any more"
    );
    assert!(started.lock().unwrap().is_empty());
    assert_eq!(shop.payment().await.attempt, 1);
}

#[tokio::test]
async fn a_retry_at_the_same_time_as_the_end_of_its_order_keeps_no_money() {
    for token in ["tok_declined", "tok_requires_action"] {
        for round in 0..8 {
            let shop = Shop::retryable(token).await;
            count_executions(&shop);
            shop.process().await;
            testing::at_once((0..8).map(|number| {
                let shop = &shop;
                async move || match (number + round) % 4 {
                    0 => drop(retry(shop, request("a", &paying_with("tok_ok"))).await),
                    1 => drop(shop.process().await),
                    2 if number < 4 => shop.order_becomes(Status::Cancelled).await,
                    _ => drop(shop.void().await),
                }
            }));
            let end = shop.void().await;
            assert!(
                ["voided", "refunded", "failed"].contains(&end.as_str()),
                "{end}"
            );
            // Whatever is still under way of a retry comes now.
            let late = retry(&shop, request("a", &paying_with("tok_ok"))).await;
            assert_eq!(shop.process().await, "AlreadyClosed", "{late}");
            shop.void().await;
            for attempt in 1..=2 {
                let key = ChargeKey::new(order_id(), attempt);
                match shop.gateway.sandbox.retrieve(&key).await.unwrap() {
                    Charge::NotFound | Charge::Voided | Charge::Declined { .. } => {}
                    Charge::Refunded { captured, refunded } => assert_eq!(captured, refunded),
                    open @ (Charge::ActionRequired(_)
                    | Charge::Authorized { .. }
                    | Charge::PartlyCaptured { .. }
                    | Charge::Captured { .. }) => panic!("{token}: {open:?} after {end}"),
                }
            }
        }
    }
}
