//! Disputes that the sandbox tells, on an embedded DynamoDB.

use serde_json::{Value, json};

use crate::orders::model::Status;
use crate::payments::captures::tests::capture as capture_of;
use crate::payments::fixtures::{Moment, Shop, eur, key};
use crate::payments::gateway::{Charge, Gateway as _};
use crate::payments::model::Payment;
use crate::payments::model::disputes::DisputeStatus;
use crate::payments::refunds::tests::refund_of;
use crate::payments::webhooks::tests::{event, executions, fail_executions, tell_event};
use crate::testing;

/// Tells the shop `kind` of the dispute `id`.
async fn tell(shop: &Shop, kind: &str, id: &str) -> String {
    let mut told = event(kind);
    told["dispute"] = json!(id);
    tell_event(shop, &told).await
}

fn statuses(payment: &Payment) -> Vec<(&str, DisputeStatus)> {
    let disputes = payment.disputes.iter();
    disputes
        .map(|(id, dispute)| (id.as_str(), dispute.status))
        .collect()
}

/// Returns the last event of the stored payment.
fn last_event(shop: &Shop) -> Value {
    let stored = shop
        .engine
        .items(crate::aws::settings::Setting::PaymentsTable)
        .remove(0);
    let image = serde_dynamo::to_item(stored).unwrap();
    let event = crate::payments::events::published(image).unwrap().unwrap();
    json!({"type": event.event_type, "version": event.version, "data": event.data})
}

#[tokio::test]
async fn a_dispute_is_noted_once_as_the_gateway_has_it_and_makes_an_event() {
    let shop = Shop::with("tok_ok").await;
    executions(&shop);
    shop.process().await;
    for _ in 0..2 {
        assert_eq!(tell(&shop, "dispute.opened", "dp_1").await, "204");
        let payment = shop.payment().await;
        assert_eq!(statuses(&payment), [("dp_1", DisputeStatus::Opened)]);
        assert_eq!((payment.disputed, payment.version), (eur("40.00"), 2));
    }
    let data = json!({
        "order_id": crate::payments::fixtures::order_id(),
        "dispute_id": "dp_1",
        "amount": {"amount": "40.00", "currency": "EUR"},
        "status": "opened",
        "reason": "fraudulent",
    });
    assert_eq!(
        last_event(&shop),
        json!({"type": "PaymentDisputed", "version": 2, "data": data})
    );
    assert_eq!(tell(&shop, "dispute.won", "dp_1").await, "204");
    let payment = shop.payment().await;
    assert_eq!(statuses(&payment), [("dp_1", DisputeStatus::Won)]);
    assert_eq!((payment.disputed, payment.version), (eur("0.00"), 3));
    assert_eq!(last_event(&shop)["data"]["status"], "won");
    // What was never charged is not disputed, and a dispute has a name.
    let declined = Shop::with("tok_declined").await;
    declined.process().await;
    assert_eq!(tell(&declined, "dispute.opened", "dp_1").await, "204");
    assert!(declined.payment().await.disputes.is_empty());
    let nameless = tell_event(&declined, &event("dispute.opened")).await;
    assert!(nameless.starts_with("400 "), "{nameless}");
    let long = tell(&declined, "dispute.opened", &"x".repeat(65)).await;
    assert!(long.starts_with("400 "), "{long}");
}

#[tokio::test]
async fn what_a_bank_has_taken_is_not_refunded_until_it_comes_back() {
    let shop = Shop::with("tok_ok").await;
    executions(&shop);
    shop.process().await;
    shop.order_becomes(Status::Confirmed).await;
    assert_eq!(refund_of(&shop, "a", "10.00").await, 201);
    tell(&shop, "dispute.opened", "dp_1").await;
    assert_eq!(refund_of(&shop, "b", "10.00").await, 409);
    tell(&shop, "dispute.won", "dp_1").await;
    assert_eq!(
        refund_of(&shop, "b", "10.00").await,
        201,
        "once the money is back"
    );
    tell(&shop, "dispute.lost", "dp_1").await;
    assert_eq!(refund_of(&shop, "c", "10.00").await, 409);
    assert_eq!(
        shop.books().await,
        "partially_refunded 40.00 40.00 20.00 v6"
    );
}

#[tokio::test]
async fn a_refund_that_began_before_its_payment_was_disputed_is_refused() {
    let shop = Shop::with("tok_ok").await;
    executions(&shop);
    shop.process().await;
    shop.order_becomes(Status::Confirmed).await;
    let bank = shop.clone();
    shop.engine
        .before_next("TransactWriteItems", async move || {
            assert_eq!(tell(&bank, "dispute.opened", "dp_1").await, "204");
        });
    assert_eq!(refund_of(&shop, "a", "10.00").await, 409);
    assert_eq!(shop.books().await, "completed 40.00 40.00 0.00 v2");
}

#[tokio::test]
async fn an_order_that_ends_is_refunded_without_what_a_bank_has_taken() {
    let shop = Shop::with("tok_ok").await;
    let started = executions(&shop);
    shop.process().await;
    tell(&shop, "dispute.opened", "dp_1").await;
    shop.order_becomes(Status::Cancelled).await;
    assert_eq!(shop.void().await, "completed");
    assert_eq!(shop.books().await, "completed 40.00 40.00 0.00 v2");
    assert!(started.lock().unwrap().is_empty());
    // The bank gives it back, and so does the shop, though the first delivery dies before the workflow is started.
    fail_executions(&shop);
    let died = tell(&shop, "dispute.won", "dp_1").await;
    assert!(died.starts_with("503 "), "{died}");
    let started = executions(&shop);
    assert_eq!(tell(&shop, "dispute.won", "dp_1").await, "204");
    assert_eq!(started.lock().unwrap().len(), 1);
    assert_eq!(shop.void().await, "refunded");
    assert_eq!(shop.books().await, "refunded 40.00 40.00 40.00 v4");
}

/// Captures `amount` of the payment, and releases the rest if it is the `last`.
async fn capture(shop: &Shop, key: &str, amount: &str, last: bool) -> u16 {
    let amount = json!({"amount": amount, "currency": "EUR"});
    capture_of(shop, key, json!({"amount": amount, "last": last}))
        .await
        .0
}

/// A shop whose confirmed order of 40.00 is authorised, captured by 15.00, and disputed.
async fn disputed_in_part() -> Shop {
    let shop = Shop::at_shipment("tok_ok").await;
    executions(&shop);
    assert_eq!(shop.process().await, "authorized");
    shop.order_becomes(Status::Confirmed).await;
    // Nothing is captured that could be disputed.
    assert_eq!(tell(&shop, "dispute.opened", "dp_1").await, "204");
    assert!(shop.payment().await.disputes.is_empty());
    assert_eq!(capture(&shop, "a", "15.00", false).await, 201);
    assert_eq!(tell(&shop, "dispute.opened", "dp_1").await, "204");
    let payment = shop.payment().await;
    assert_eq!(statuses(&payment), [("dp_1", DisputeStatus::Opened)]);
    assert_eq!(payment.disputed, eur("15.00"));
    assert_eq!(shop.books().await, "authorized 40.00 15.00 0.00 v3");
    assert!(payment.due_at.is_some(), "it still waits for captures");
    shop
}

#[tokio::test]
async fn a_disputed_payment_that_waits_for_captures_is_captured_and_refunded_without_it() {
    let shop = disputed_in_part().await;
    assert_eq!(capture(&shop, "b", "10.00", false).await, 201);
    assert_eq!(refund_of(&shop, "a", "1.00").await, 409);
    assert_eq!(capture(&shop, "c", "5.00", true).await, 201);
    assert_eq!(shop.books().await, "completed 40.00 30.00 0.00 v5");
    assert_eq!(refund_of(&shop, "b", "15.01").await, 409);
    assert_eq!(refund_of(&shop, "c", "15.00").await, 201);
    assert_eq!(tell(&shop, "dispute.lost", "dp_1").await, "204");
    let payment = shop.payment().await;
    assert_eq!(statuses(&payment), [("dp_1", DisputeStatus::Lost)]);
    let books = shop.books().await;
    assert_eq!(books, "partially_refunded 40.00 30.00 15.00 v7");
    assert_eq!(payment.lost, eur("15.00"));
}

#[tokio::test]
async fn a_disputed_payment_that_waits_for_captures_is_undone_without_it_until_it_is_won() {
    for captured_again in [false, true] {
        let shop = disputed_in_part().await;
        if captured_again {
            assert_eq!(capture(&shop, "b", "10.00", false).await, 201);
        }
        shop.order_becomes(Status::Cancelled).await;
        let (status, books) = if captured_again {
            (
                "partially_refunded",
                "partially_refunded 40.00 25.00 10.00 v6",
            )
        } else {
            ("completed", "completed 40.00 15.00 0.00 v4")
        };
        for _ in 0..2 {
            assert_eq!(shop.void().await, status);
            assert_eq!(shop.books().await, books);
        }
        let started = executions(&shop);
        assert_eq!(tell(&shop, "dispute.won", "dp_1").await, "204");
        assert_eq!(started.lock().unwrap().len(), 1);
        assert_eq!(shop.void().await, "refunded");
        let payment = shop.payment().await;
        assert_eq!(payment.amounts.refunded(), payment.amounts.captured());
        assert_eq!(payment.due_at, None);
        let charge = shop.gateway.sandbox.retrieve(&key()).await.unwrap();
        let captured = payment.amounts.captured();
        let refunded = captured;
        assert_eq!(charge, Charge::Refunded { captured, refunded });
    }
}

#[tokio::test]
async fn a_dispute_that_comes_before_the_answer_to_its_capture_is_sent_again() {
    let shop = Shop::at_shipment("tok_ok").await;
    executions(&shop);
    shop.process().await;
    shop.order_becomes(Status::Confirmed).await;
    shop.crash_at(Moment::AfterCapture);
    assert_eq!(capture(&shop, "a", "15.00", false).await, 201);
    let early = tell(&shop, "dispute.opened", "dp_1").await;
    assert!(early.starts_with("503 "), "{early}");
    assert_eq!(shop.books().await, "authorized 40.00 0.00 0.00 v1");
    assert_eq!(capture(&shop, "a", "15.00", false).await, 201);
    assert_eq!(tell(&shop, "dispute.opened", "dp_1").await, "204");
    assert_eq!(shop.payment().await.disputed, eur("15.00"));
    assert_eq!(shop.books().await, "authorized 40.00 15.00 0.00 v3");
    // So it is with a payment that is captured at once.
    let shop = Shop::with("tok_unknown").await;
    executions(&shop);
    assert_eq!(shop.process().await, "PaymentUnknown");
    let early = tell(&shop, "dispute.opened", "dp_1").await;
    assert!(early.starts_with("503 "), "{early}");
    assert_eq!(shop.process().await, "completed");
    assert_eq!(tell(&shop, "dispute.opened", "dp_1").await, "204");
    assert_eq!(shop.payment().await.disputed, eur("40.00"));
}

#[tokio::test]
async fn events_of_a_dispute_at_the_same_time_end_with_what_the_gateway_has() {
    for round in 0..10 {
        let shop = Shop::with("tok_ok").await;
        executions(&shop);
        shop.process().await;
        let kinds = ["dispute.opened", "dispute.won", "dispute.lost"];
        testing::at_once((0..6).map(|number| {
            let shop = &shop;
            async move || drop(tell(shop, kinds[(number + round) % 3], "dp_1").await)
        }));
        let last = kinds[round % 3];
        tell(&shop, last, "dp_1").await;
        let payment = shop.payment().await;
        let expected = last.trim_start_matches("dispute.");
        assert_eq!(payment.disputes["dp_1"].status.as_str(), expected);
    }
}
