//! Captures at shipment, on an embedded DynamoDB and the sandbox.

use serde_json::{Value, json};

use super::{api, settle};
use crate::aws::settings::Setting;
use crate::http::exchange::Request;
use crate::orders::model::Status;
use crate::payments::events;
use crate::payments::fixtures::{Moment, Shop, after, identity, key, order_id, short};
use crate::payments::gateway::Gateway as _;
use crate::payments::model::Payment;
use crate::payments::webhooks::tests::{event as webhook, executions, tell_event};
use crate::testing;
use crate::values::id::ProductId;

/// When the authorisation ends, in seconds, and when an admin is told.
const END: i64 = 7 * 86_400;
const TOLD: i64 = 5 * 86_400;

fn request(body: &Value) -> Request {
    let payment = Payment::id_of(order_id()).to_string();
    Request {
        path: format!("/payments/{payment}/captures"),
        path_parameters: [("payment_id".to_owned(), payment)].into(),
        identity: Some(identity("boss", true)),
        ..testing::request(after(10), body)
    }
}

/// Asks for a capture under `key`. Returns the status, and the body or the detail of the problem.
pub(crate) async fn capture(shop: &Shop, key: &str, body: Value) -> (u16, Value) {
    let mut request = request(&body);
    let headers = &mut request.headers;
    headers.insert("idempotency-key", key.parse().unwrap());
    match api::create_capture(&shop.payments, &shop.orders, &shop.gateway, request).await {
        Ok(response) => (
            response.status.as_u16(),
            serde_json::from_slice(&response.body).unwrap(),
        ),
        Err(problem) => (problem.status().as_u16(), json!(problem.to_string())),
    }
}

fn euros(amount: &str) -> Value {
    json!({"amount": {"amount": amount, "currency": "EUR"}})
}

fn last(amount: &str) -> Value {
    json!({"amount": {"amount": amount, "currency": "EUR"}, "last": true})
}

/// A shop whose confirmed order of 40.00 is authorised.
async fn authorized(token: &str) -> Shop {
    let shop = Shop::at_shipment(token).await;
    assert_eq!(shop.process().await, "authorized");
    shop.order_becomes(Status::Confirmed).await;
    shop
}

async fn reconcile(shop: &Shop, seconds: i64) {
    let failed = settle::settle_due(&shop.payments, &shop.gateway, after(seconds)).await;
    assert_eq!(failed.unwrap(), 0);
}

async fn at_gateway(shop: &Shop) -> String {
    short(shop.gateway.sandbox.retrieve(&key()).await)
}

#[tokio::test]
async fn the_workflow_authorises_and_captures_nothing() {
    let shop = Shop::at_shipment("tok_ok").await;
    assert_eq!(shop.process().await, "authorized");
    assert_eq!(shop.books().await, "authorized 40.00 0.00 0.00 v1");
    assert_eq!(at_gateway(&shop).await, "authorized 40.00 EUR");
    // A run after the deadline finds it paid, too, and asks nobody.
    assert_eq!(shop.process_at(1000).await, "authorized");
    assert_eq!(shop.calls(), "authorize");
    let lost = Shop::at_shipment("tok_unknown").await;
    assert_eq!(lost.process().await, "PaymentUnknown");
    assert_eq!(lost.process_at(1000).await, "authorized");
    assert_eq!(lost.calls(), "authorize retrieve");
    let declined = Shop::at_shipment("tok_declined").await;
    assert_eq!(declined.process().await, "PaymentDeclined");
}

#[tokio::test]
async fn parcels_are_captured_until_nothing_is_left() {
    let shop = authorized("tok_ok").await;
    for (key, body, status, books) in [
        ("a", euros("15.00"), 201, "authorized 40.00 15.00 0.00 v2"),
        ("a", euros("15.00"), 201, "authorized 40.00 15.00 0.00 v2"),
        ("a", euros("16.00"), 422, "authorized 40.00 15.00 0.00 v2"),
        ("b", euros("25.01"), 409, "authorized 40.00 15.00 0.00 v2"),
        ("b", euros("0.00"), 409, "authorized 40.00 15.00 0.00 v2"),
        ("c", json!({}), 201, "completed 40.00 40.00 0.00 v3"),
        ("d", euros("0.01"), 409, "completed 40.00 40.00 0.00 v3"),
        ("a", euros("15.00"), 201, "completed 40.00 40.00 0.00 v3"),
    ] {
        let (got, answer) = capture(&shop, key, body.clone()).await;
        assert_eq!((got, key), (status, key), "{body} {answer}");
        assert_eq!(shop.books().await, books, "{key} {body}");
    }
    assert_eq!(at_gateway(&shop).await, "captured 40.00 EUR");
}

#[tokio::test]
async fn pieces_are_captured_with_their_share_and_the_last_capture_releases_the_rest() {
    let shop = authorized("tok_ok").await;
    let product = ProductId::derived(&["product"]);
    let pieces = |quantity: u32, last: bool| json!({"lines": [{"product_id": product, "quantity": quantity}], "last": last});
    let (status, detail) = capture(&shop, "a", pieces(3, false)).await;
    assert_eq!(
        (status, detail),
        (409, json!("at most 2 of Kettle can still be captured"))
    );
    let (status, body) = capture(&shop, "a", pieces(1, true)).await;
    assert_eq!(status, 201, "{body}");
    assert_eq!(body["amount"]["amount"], "20.00");
    assert_eq!(
        body["lines"],
        json!([{"variant_id": product, "quantity": 1}])
    );
    assert_eq!(
        (&body["last"], &body["status"]),
        (&json!(true), &json!("succeeded"))
    );
    assert_eq!(shop.books().await, "completed 40.00 20.00 0.00 v2");
    assert_eq!(at_gateway(&shop).await, "captured 20.00 EUR");
    let (status, detail) = capture(&shop, "b", pieces(1, false)).await;
    let over = "the payment is completed, so there is nothing to capture";
    assert_eq!((status, detail), (409, json!(over)));
}

#[tokio::test]
async fn what_cannot_be_captured_changes_nothing() {
    let shop = Shop::at_shipment("tok_ok").await;
    let (status, _) = capture(&shop, "a", json!({})).await;
    assert_eq!(status, 404, "there is no payment yet");
    shop.process().await;
    let (status, detail) = capture(&shop, "a", json!({})).await;
    assert_eq!(status, 409, "{detail}");
    shop.order_becomes(Status::Confirmed).await;
    let dollars = json!({"amount": {"amount": "1.00", "currency": "USD"}});
    for (body, wanted) in [
        (dollars, 422),
        (
            json!({"amount": {"amount": "-1.00", "currency": "EUR"}}),
            422,
        ),
        (json!({"lines": []}), 422),
        (json!({"last": "yes"}), 422),
        (json!({"parcel": 1}), 422),
        (euros("0.00"), 409),
        (last("0.00"), 409),
    ] {
        let (status, detail) = capture(&shop, "b", body.clone()).await;
        assert_eq!(status, wanted, "{body} {detail}");
    }
    assert_eq!(shop.books().await, "authorized 40.00 0.00 0.00 v1");
    let at_once = Shop::with("tok_ok").await;
    at_once.process().await;
    at_once.order_becomes(Status::Confirmed).await;
    let (status, detail) = capture(&at_once, "a", json!({})).await;
    let over = "the payment is completed, so there is nothing to capture";
    assert_eq!((status, detail), (409, json!(over)));
}

#[tokio::test]
async fn a_capture_whose_answer_is_lost_is_repeated_and_captures_once() {
    let shop = authorized("tok_capture_unknown").await;
    let (status, body) = capture(&shop, "a", euros("15.00")).await;
    assert_eq!((status, &body["status"]), (201, &json!("pending")));
    let (status, detail) = capture(&shop, "b", euros("1.00")).await;
    let undecided = "another capture of this payment is not decided yet";
    assert_eq!((status, detail), (409, json!(undecided)));
    reconcile(&shop, 69).await;
    assert_eq!(shop.calls(), "authorize capture", "it is not due yet");
    reconcile(&shop, 71).await;
    assert_eq!(shop.calls(), "authorize capture capture");
    assert_eq!(at_gateway(&shop).await, "captured 15.00 EUR of 40.00 EUR");
    assert_eq!(shop.books().await, "authorized 40.00 0.00 0.00 v1");
    // The gateway loses each of its answers to captures, but says in the end what it has.
    shop.order_becomes(Status::Cancelled).await;
    assert_eq!(shop.void().await, "refunded");
    assert_eq!(shop.books().await, "refunded 40.00 15.00 15.00 v3");
}

#[tokio::test]
async fn a_function_that_dies_at_any_moment_of_a_capture_captures_once() {
    for moment in [Moment::BeforeCapture, Moment::AfterCapture] {
        let shop = authorized("tok_ok").await;
        shop.crash_at(moment);
        let (status, body) = capture(&shop, "a", euros("15.00")).await;
        assert_eq!((status, &body["status"]), (201, &json!("pending")));
        let (status, body) = capture(&shop, "a", euros("15.00")).await;
        assert_eq!((status, &body["status"]), (201, &json!("succeeded")));
        assert_eq!(shop.books().await, "authorized 40.00 15.00 0.00 v2");
        assert_eq!(at_gateway(&shop).await, "captured 15.00 EUR of 40.00 EUR");
    }
}

#[tokio::test]
async fn an_order_that_is_cancelled_gets_back_what_was_captured_and_releases_the_rest() {
    let shop = authorized("tok_ok").await;
    capture(&shop, "a", euros("15.00")).await;
    shop.order_becomes(Status::Cancelled).await;
    let (status, _) = capture(&shop, "b", euros("1.00")).await;
    assert_eq!(status, 409);
    assert_eq!(shop.void().await, "refunded");
    assert_eq!(shop.books().await, "refunded 40.00 15.00 15.00 v4");
    assert_eq!(at_gateway(&shop).await, "refunded 15.00 EUR of 15.00 EUR");
    assert_eq!(shop.payment().await.due_at, None);
    let nothing = authorized("tok_ok").await;
    nothing.order_becomes(Status::Cancelled).await;
    assert_eq!(nothing.void().await, "voided");
    assert_eq!(at_gateway(&nothing).await, "voided");
}

#[tokio::test]
async fn an_authorisation_that_expires_keeps_what_was_captured_and_releases_the_rest() {
    let shop = authorized("tok_ok").await;
    capture(&shop, "a", euros("15.00")).await;
    for _ in 0..2 {
        assert_eq!(tell_event(&shop, &webhook("charge.expired")).await, "204");
        assert_eq!(shop.books().await, "completed 40.00 15.00 0.00 v3");
        assert_eq!(at_gateway(&shop).await, "captured 15.00 EUR");
    }
    // A capture that is quicker than the end keeps its money.
    let shop = authorized("tok_ok").await;
    let quicker = shop.clone();
    shop.engine.before_next("UpdateItem", async move || {
        let (status, _) = capture(&quicker, "a", euros("15.00")).await;
        assert_eq!(status, 201);
    });
    assert_eq!(tell_event(&shop, &webhook("charge.expired")).await, "204");
    assert_eq!(at_gateway(&shop).await, "captured 15.00 EUR");
    assert_eq!(shop.books().await, "completed 40.00 15.00 0.00 v3");
}

#[tokio::test]
async fn a_capture_and_a_cancellation_at_the_same_time_keep_no_money() {
    let voided = (409, "voided 40.00 0.00 0.00 v2", "voided");
    let refunded = (
        201,
        "refunded 40.00 15.00 15.00 v3",
        "refunded 15.00 EUR of 15.00 EUR",
    );
    for (moment, expected) in [
        (Moment::BeforeCapture, voided),
        (Moment::AfterCapture, refunded),
    ] {
        let shop = authorized("tok_ok").await;
        let racing = shop.clone();
        shop.at(moment, async move {
            racing.order_becomes(Status::Cancelled).await;
            racing.void().await;
        });
        let (status, _) = capture(&shop, "a", euros("15.00")).await;
        let (books, charge) = (shop.books().await, at_gateway(&shop).await);
        assert_eq!((status, &*books, &*charge), expected);
    }
}

#[tokio::test]
async fn captures_at_the_same_time_never_exceed_what_is_authorised() {
    let shop = authorized("tok_ok").await;
    let keys: Vec<String> = (0..40).map(|number| format!("parcel-{number}")).collect();
    let mut succeeded = 0;
    for round in keys.chunks(8) {
        let calls = round.iter().map(|key| capture(&shop, key, euros("3.00")));
        let answers = futures::future::join_all(calls).await;
        succeeded += answers.iter().filter(|(status, _)| *status == 201).count();
    }
    let payment = shop.payment().await;
    let captured = payment.amounts.captured().minor_units().unwrap();
    assert_eq!(captured, 300 * u64::try_from(succeeded).unwrap());
    assert!((5..=13).contains(&succeeded), "{succeeded}");
    assert_eq!(payment.captures.len(), succeeded);
    let expected = format!("captured {} of 40.00 EUR", payment.amounts.captured());
    assert_eq!(at_gateway(&shop).await, expected);
}

#[tokio::test]
async fn a_payment_has_a_bounded_number_of_captures() {
    let shop = authorized("tok_ok").await;
    for number in 0..19 {
        let (status, body) = capture(&shop, &number.to_string(), euros("1.00")).await;
        assert_eq!(status, 201, "{number} {body}");
    }
    let (status, _) = capture(&shop, "more", euros("1.00")).await;
    assert_eq!(status, 409);
    let (status, _) = capture(&shop, "rest", last("1.00")).await;
    assert_eq!(status, 201);
    assert_eq!(shop.books().await, "completed 40.00 20.00 0.00 v21");
}

#[tokio::test]
async fn an_authorisation_that_is_about_to_expire_is_asked_about() {
    let shop = authorized("tok_ok").await;
    reconcile(&shop, TOLD).await;
    assert_eq!(
        shop.calls(),
        "authorize",
        "{:?}",
        shop.payment().await.due_at
    );
    reconcile(&shop, TOLD + 1).await;
    assert_eq!(shop.calls(), "authorize retrieve");
    reconcile(&shop, TOLD + 43_200).await;
    assert_eq!(
        shop.calls(),
        "authorize retrieve",
        "half a day has not passed"
    );
    shop.gateway.sandbox.void(&key()).await.unwrap();
    reconcile(&shop, END).await;
    assert_eq!(shop.books().await, "voided 40.00 0.00 0.00 v2");
    reconcile(&shop, 2 * END).await;
    assert_eq!(shop.calls(), "authorize retrieve retrieve");
    let expires = authorized("tok_authorization_expires").await;
    let (status, detail) = capture(&expires, "a", euros("15.00")).await;
    let ended =
        "the authorisation has ended at the gateway, so the payment cannot be captured any more";
    assert_eq!((status, detail), (409, json!(ended)));
    assert_eq!(expires.books().await, "voided 40.00 0.00 0.00 v2");
}

#[tokio::test]
async fn a_capture_is_part_of_one_small_item() {
    let shop = authorized("tok_ok").await;
    let waiting = shop.engine.items(Setting::PaymentsTable).remove(0);
    assert_eq!(waiting["at_shipment"], true);
    assert!(waiting.to_string().len() < 1024, "{waiting}");
    capture(&shop, "a", json!({})).await;
    let paid = shop.engine.items(Setting::PaymentsTable).remove(0);
    assert_eq!(
        (&paid["due"], &paid["due_at"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(paid["captures"].as_array().unwrap().len(), 1);
}

/// Returns the data of the payment's last event.
fn event(shop: &Shop) -> Value {
    let stored = shop.engine.items(Setting::PaymentsTable).remove(0);
    let event = events::published(serde_dynamo::to_item(stored).unwrap());
    event.unwrap().unwrap().data
}

#[tokio::test]
async fn each_capture_is_an_event_that_says_how_much_is_captured() {
    let shop = authorized("tok_ok").await;
    for (body, status, captured) in [
        (euros("15.00"), "authorized", "15.00"),
        (json!({}), "completed", "40.00"),
    ] {
        capture(&shop, captured, body).await;
        let data = event(&shop);
        assert_eq!(data["status"], status);
        assert_eq!(data["capture"], "at_shipment");
        assert_eq!(data["captured"]["amount"], captured);
    }
    let at_once = Shop::with("tok_ok").await;
    at_once.process().await;
    assert_eq!(event(&at_once)["capture"], Value::Null);
}

#[tokio::test]
async fn an_event_about_a_payment_that_waits_for_captures_makes_the_shop_ask() {
    let shop = authorized("tok_ok").await;
    let started = executions(&shop);
    // Somebody captures it at the gateway, without the shop.
    let all = crate::payments::fixtures::eur("40.00");
    shop.gateway
        .sandbox
        .capture(&key(), all, true)
        .await
        .unwrap();
    assert_eq!(tell_event(&shop, &webhook("charge.captured")).await, "204");
    assert_eq!(
        shop.books().await,
        "authorized 40.00 0.00 0.00 v1",
        "it is about nothing"
    );
    assert_eq!(tell_event(&shop, &webhook("charge.expired")).await, "204");
    assert_eq!(shop.books().await, "completed 40.00 40.00 0.00 v2");
    assert!(shop.payment().await.captures.is_empty());
    assert_eq!(started.lock().unwrap().len(), 0, "no run of the workflow");
}

#[tokio::test]
async fn a_capture_that_begins_while_the_gateway_is_asked_is_not_left_undecided() {
    let shop = authorized("tok_ok").await;
    shop.gateway.sandbox.void(&key()).await.unwrap();
    let other = shop.clone();
    shop.at(Moment::AfterRetrieve, async move {
        other.crash_at(Moment::BeforeCapture);
        let (status, body) = capture(&other, "a", euros("15.00")).await;
        assert_eq!((status, &body["status"]), (201, &json!("pending")));
    });
    reconcile(&shop, END).await;
    let payment = shop.payment().await;
    assert_eq!(payment.status.as_str(), "voided");
    assert_eq!((payment.capturing, payment.due_at), (None, None));
}
