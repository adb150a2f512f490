//! Events of the sandbox, on an embedded DynamoDB.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::*;
use crate::orders::model::Status;
use crate::payments::fixtures::{Shop, after, key, order_id};
use crate::payments::gateway::Charge;
use crate::payments::gateway::sandbox::events::SECRET;
use crate::payments::gateway::signature;
use crate::testing;

/// Returns the request with which the sandbox sends `event`, 10 seconds after the order was placed.
fn request(event: &Value, secret: &str, signed_at_seconds: i64) -> Request {
    let mut request = Request {
        path: "/webhooks/payments/sandbox".to_owned(),
        path_parameters: [("provider".to_owned(), "sandbox".to_owned())].into(),
        ..testing::request(after(10), event)
    };
    let header = signature::header(secret, &request.body, after(signed_at_seconds));
    request.headers.insert(HEADER, header.parse().unwrap());
    request
}

pub(crate) fn event(kind: &str) -> Value {
    json!({"type": kind, "charge": key().to_string()})
}

async fn send(shop: &Shop, request: Request) -> String {
    let taken = receive_payment_event(&shop.refunds, &shop.gateway, &shop.workflow, request);
    match taken.await {
        Ok(response) => response.status.as_u16().to_string(),
        Err(problem) => format!("{} {problem}", problem.status().as_u16()),
    }
}

/// Sends an event that is signed as it should be.
pub(crate) async fn tell_event(shop: &Shop, event: &Value) -> String {
    send(shop, request(event, SECRET, 10)).await
}

async fn tell(shop: &Shop, kind: &str) -> String {
    tell_event(shop, &event(kind)).await
}

/// Notes the names of the executions that are started.
pub(crate) fn executions(shop: &Shop) -> Arc<Mutex<Vec<String>>> {
    let started: Arc<Mutex<Vec<String>>> = Arc::default();
    let names = started.clone();
    shop.engine.answer_others("StartExecution", move |request| {
        let mut names = names.lock().unwrap();
        names.push(request["name"].as_str().unwrap().to_owned());
        (200, json!({"executionArn": "arn:test", "startDate": 0}))
    });
    started
}

/// Makes every start of an execution fail.
pub(crate) fn fail_executions(shop: &Shop) {
    let failure = json!({"__type": "InternalServerError"});
    let answer = move |_| (500, failure.clone());
    shop.engine.answer_others("StartExecution", answer);
}

#[tokio::test]
async fn a_confirmed_payment_is_captured_by_the_run_that_its_event_starts() {
    let shop = Shop::with("tok_requires_action").await;
    let started = executions(&shop);
    assert_eq!(shop.process().await, "ActionRequired");
    assert_eq!(tell(&shop, "charge.confirmed").await, "204");
    let first = started.lock().unwrap().clone();
    assert_eq!(first.len(), 1);
    assert!(first[0].starts_with(&order_id().to_string()) && first[0].len() <= 80);
    // It comes again: the name is the same, so a STANDARD state machine starts nothing.
    assert_eq!(tell(&shop, "charge.confirmed").await, "204");
    assert_eq!(
        *started.lock().unwrap(),
        [first[0].clone(), first[0].clone()]
    );
    assert_eq!(shop.process().await, "completed");
    assert_eq!(shop.books().await, "completed 40.00 40.00 0.00 v2");
    // Once there is an outcome, an event starts nothing.
    assert_eq!(tell(&shop, "charge.confirmed").await, "204");
    assert_eq!(tell(&shop, "charge.refused").await, "204");
    assert_eq!(started.lock().unwrap().len(), 2);
    assert_eq!(shop.process().await, "completed");
}

#[tokio::test]
async fn a_refused_payment_is_declined_by_the_run_that_its_event_starts() {
    let shop = Shop::with("tok_requires_action").await;
    executions(&shop);
    shop.process().await;
    assert_eq!(tell(&shop, "charge.refused").await, "204");
    assert_eq!(shop.process().await, "PaymentDeclined");
    let decline = shop.payment().await.decline;
    assert_eq!(decline.as_deref(), Some("authentication_failed"));
}

#[tokio::test]
async fn what_the_provider_did_not_sign_now_is_refused_and_changes_nothing() {
    let shop = Shop::with("tok_requires_action").await;
    let started = executions(&shop);
    shop.process().await;
    let confirmed = event("charge.confirmed");
    let mut unsigned = request(&confirmed, SECRET, 10);
    unsigned.headers.remove(HEADER);
    let mut changed = request(&confirmed, SECRET, 10);
    changed.body = event("charge.refused").to_string().into_bytes();
    let mut elsewhere = request(&confirmed, SECRET, 10);
    elsewhere.path_parameters = [("provider".to_owned(), "stripe".to_owned())].into();
    let other =
        json!({"type": "charge.confirmed", "charge": format!("{}:1", AttemptId::derived(&["x"]))});
    for (what, request, status) in [
        ("unsigned", unsigned, "400"),
        ("changed", changed, "400"),
        (
            "by another secret",
            request(&confirmed, "whsec_x", 10),
            "400",
        ),
        ("old", request(&confirmed, SECRET, 10 - 301), "400"),
        (
            "from the future",
            request(&confirmed, SECRET, 10 + 301),
            "400",
        ),
        ("of another provider", elsewhere, "404"),
        (
            "of an order that is not known",
            request(&other, SECRET, 10),
            "404",
        ),
        ("no event", request(&json!([1]), SECRET, 10), "400"),
        (
            "no charge",
            request(&json!({"type": "x", "charge": "1"}), SECRET, 10),
            "400",
        ),
    ] {
        let answer = send(&shop, request).await;
        assert!(answer.starts_with(status), "{what}: {answer}");
    }
    assert!(started.lock().unwrap().is_empty());
    assert!(matches!(shop.charge().await, Charge::ActionRequired(_)));
    // An event of another kind is taken, and is about nothing.
    assert_eq!(tell(&shop, "charge.looked_at").await, "204");
    assert!(matches!(shop.charge().await, Charge::ActionRequired(_)));
}

#[tokio::test]
async fn an_event_whose_run_cannot_be_started_is_sent_again() {
    let shop = Shop::with("tok_requires_action").await;
    shop.process().await;
    fail_executions(&shop);
    let answer = tell(&shop, "charge.confirmed").await;
    assert!(answer.starts_with("503 "), "{answer}");
}

/// What can happen to an order and its payment, in any order and more than once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Happening {
    /// The shopper confirms the payment: the event comes.
    Confirmed,
    /// A run of `PaymentProcessing`, which captures what is authorised.
    Run,
    /// The bank refuses the payment: the event comes.
    Refused,
    /// A run after the deadline, after which the order fails if the run says so.
    Expired,
    /// The order is cancelled.
    Cancelled,
    /// A run of `VoidPayment`.
    Undone,
}

async fn happens(shop: &Shop, happening: Happening) {
    match happening {
        Happening::Confirmed => drop(tell(shop, "charge.confirmed").await),
        Happening::Refused => drop(tell(shop, "charge.refused").await),
        Happening::Run => confirm_or_fail(shop, shop.process().await).await,
        Happening::Expired => confirm_or_fail(shop, shop.process_at(901).await).await,
        Happening::Cancelled => {
            if shop.order_status().await.can_cancel() {
                shop.order_becomes(Status::Cancelled).await;
            }
        }
        Happening::Undone => drop(shop.void().await),
    }
}

/// Does what the workflow does after `PaymentProcessing`.
async fn confirm_or_fail(shop: &Shop, outcome: String) {
    if shop.order_status().await != Status::Pending {
        return;
    }
    match outcome.as_str() {
        "completed" => shop.order_becomes(Status::Confirmed).await,
        "PaymentDeclined" | "Expired" => shop.order_becomes(Status::Failed).await,
        _ => {}
    }
}

/// Checks that the order and its payment have come to one legal end, with one charge at most.
async fn check_end(shop: &Shop, sequence: &[Happening]) {
    // The workflow runs until nothing is left to do.
    for seconds in [1, 901] {
        confirm_or_fail(shop, shop.process_at(seconds).await).await;
    }
    shop.void().await;
    let (order, charge) = (shop.order_status().await, shop.charge().await);
    let payment = shop.payment().await;
    let legal = match order {
        Status::Confirmed => {
            payment.status.as_str() == "completed" && matches!(charge, Charge::Captured { .. })
        }
        Status::Cancelled | Status::Failed => match charge {
            Charge::Refunded { captured, refunded } => captured == refunded,
            Charge::Declined { .. } | Charge::Voided => payment.amounts.captured().is_zero(),
            // No payment was begun, so the gateway has never been called.
            Charge::NotFound => payment.attempt == 0,
            Charge::ActionRequired(_)
            | Charge::Authorized { .. }
            | Charge::PartlyCaptured { .. }
            | Charge::Captured { .. } => false,
        },
        Status::Pending
        | Status::Processing
        | Status::Shipped
        | Status::Delivered
        | Status::Completed
        | Status::Returned => false,
    };
    assert!(
        legal,
        "{sequence:?}: {order}, {}, {charge:?}",
        payment.status
    );
    let charges = shop
        .engine
        .items(crate::aws::settings::Setting::SandboxTable);
    assert!(charges.len() <= 2, "one charge and one refund: {charges:?}");
}

/// Returns all orders of `left`.
fn permutations(left: &[Happening]) -> Vec<Vec<Happening>> {
    if left.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for at in 0..left.len() {
        let mut rest = left.to_vec();
        let first = rest.remove(at);
        for mut tail in permutations(&rest) {
            tail.insert(0, first);
            all.push(tail);
        }
    }
    all
}

const ALL: [Happening; 6] = [
    Happening::Confirmed,
    Happening::Run,
    Happening::Refused,
    Happening::Expired,
    Happening::Cancelled,
    Happening::Undone,
];

#[tokio::test]
async fn what_happens_in_any_order_and_up_to_three_times_has_one_legal_end() {
    for (index, sequence) in permutations(&ALL).into_iter().enumerate() {
        // The sandbox's tokens in turn, so that each is met in every place.
        let token = ["tok_requires_action", "tok_unknown", "tok_capture_later"][index % 3];
        let shop = Shop::with(token).await;
        executions(&shop);
        for _ in 0..=index / 3 % 3 {
            for happening in &sequence {
                happens(&shop, *happening).await;
            }
        }
        check_end(&shop, &sequence).await;
    }
}

#[tokio::test]
async fn what_happens_at_the_same_time_has_one_legal_end() {
    for round in 0..40 {
        let shop = Shop::with("tok_requires_action").await;
        executions(&shop);
        shop.process().await;
        testing::at_once((0..6).map(|number| {
            let shop = &shop;
            async move || match ALL[(number * 5 + round) % 6] {
                // The order's own service decides about it alone.
                Happening::Expired | Happening::Run => drop(shop.process().await),
                other @ (Happening::Confirmed
                | Happening::Refused
                | Happening::Cancelled
                | Happening::Undone) => happens(shop, other).await,
            }
        }));
        check_end(&shop, &[]).await;
    }
}
