//! The outcomes of the two steps, on an embedded DynamoDB. `books` returns the status, the amounts authorised,
//! captured and refunded, and the version.

use crate::aws::settings::Setting;
use crate::orders::model::Status as OrderStatus;
use crate::payments::fixtures::{
    Moment, Shop, after, all_refunded, captured, eur, fail_puts, key, order_id,
};
use crate::payments::gateway::{Charge, Gateway as _};
use crate::payments::model::{Action, Payment, Provider};
use crate::values::id::RefundId;

#[tokio::test]
async fn a_good_token_is_charged_once_however_often_the_step_runs() {
    let shop = Shop::with("tok_ok").await;
    for _ in 0..3 {
        assert_eq!(shop.process().await, "completed");
        assert_eq!(shop.books().await, "completed 40.00 40.00 0.00 v1");
    }
    assert_eq!(shop.calls(), "charge");
    assert_eq!(shop.charge().await, captured());
}

#[tokio::test]
async fn an_order_that_costs_nothing_is_paid_and_voided_without_the_gateway() {
    let shop = Shop::giving_away().await;
    let begun = Payment::begin(order_id(), eur("0.00"), Provider::Sandbox, after(1));
    for died_after_begin in [false, true] {
        let shop = Shop::giving_away().await;
        if died_after_begin {
            shop.payments.create(&begun).await.unwrap();
        }
        for _ in 0..2 {
            assert_eq!(shop.process().await, "completed");
            assert_eq!(shop.books().await, "completed 0.00 0.00 0.00 v1");
        }
        assert_eq!(shop.payment().await.attempt, 0);
        shop.order_becomes(OrderStatus::Cancelled).await;
        for _ in 0..2 {
            assert_eq!(shop.void().await, "voided");
            assert_eq!(shop.books().await, "voided 0.00 0.00 0.00 v2");
        }
        assert_eq!(shop.calls(), "");
    }
    // The order ends before it is paid.
    shop.payments.create(&begun).await.unwrap();
    shop.order_becomes(OrderStatus::Failed).await;
    assert_eq!(shop.void().await, "voided");
    assert_eq!(shop.process().await, "AlreadyClosed");
    assert_eq!(shop.books().await, "voided 0.00 0.00 0.00 v1");
    assert_eq!(shop.calls(), "");
}

#[tokio::test]
async fn no_payment_is_begun_for_an_order_that_waits_for_review() {
    let shop = Shop::with("tok_ok").await;
    shop.hold_for_review().await;
    assert_eq!(shop.process().await, "ReviewPending");
    assert_eq!(shop.calls(), "");
    assert!(shop.engine.items(Setting::PaymentsTable).is_empty());
    assert_eq!(shop.process_at(3601).await, "Expired");
}

#[tokio::test]
async fn a_declined_token_stays_declined() {
    for (token, code) in [
        ("tok_declined", "declined"),
        ("tok_insufficient_funds", "insufficient_funds"),
        ("tok_of_no_kind", "invalid_token"),
    ] {
        let shop = Shop::with(token).await;
        for _ in 0..2 {
            assert_eq!(shop.process().await, "PaymentDeclined", "{token}");
            assert_eq!(shop.books().await, "failed 0.00 0.00 0.00 v1", "{token}");
        }
        assert_eq!(shop.payment().await.decline.as_deref(), Some(code));
        shop.order_becomes(OrderStatus::Failed).await;
        assert_eq!(shop.void().await, "failed", "{token}");
        assert_eq!(shop.books().await, "failed 0.00 0.00 0.00 v1", "{token}");
    }
}

#[tokio::test]
async fn a_lost_response_is_retrieved_and_never_charged_again() {
    let shop = Shop::with("tok_unknown").await;
    assert_eq!(shop.process().await, "PaymentUnknown");
    assert_eq!(shop.books().await, "processing 0.00 0.00 0.00 v1");
    assert_eq!(
        shop.process_at(901).await,
        "completed",
        "also past the deadline"
    );
    assert_eq!(shop.books().await, "completed 40.00 40.00 0.00 v2");
    assert_eq!(shop.calls(), "charge retrieve");
}

#[tokio::test]
async fn an_outcome_that_stays_unknown_makes_one_event() {
    let shop = Shop::with("tok_ok").await;
    for _ in 0..3 {
        shop.at(Moment::BeforeCharge, fail_puts(&shop));
        assert_eq!(shop.process().await, "PaymentUnknown");
        assert_eq!(shop.books().await, "processing 0.00 0.00 0.00 v1");
    }
}

#[tokio::test]
async fn a_payment_that_requires_an_action_waits_for_the_shopper_until_the_deadline() {
    let shop = Shop::with("tok_requires_action").await;
    for seconds in [1, 2, 900] {
        assert_eq!(shop.process_at(seconds).await, "ActionRequired");
        assert_eq!(shop.books().await, "requires_action 0.00 0.00 0.00 v1");
    }
    let url = format!("https://bank.example/confirm?charge={}", key());
    assert_eq!(shop.payment().await.action, Some(Action::Redirect { url }));
    assert_eq!(shop.process_at(901).await, "Expired");
    shop.order_becomes(OrderStatus::Failed).await;
    assert_eq!(shop.void().await, "voided");
    assert_eq!(shop.books().await, "voided 0.00 0.00 0.00 v2");
    assert_eq!(shop.payment().await.action, None);
    assert_eq!(shop.charge().await, Charge::Voided);
}

#[tokio::test]
async fn an_authorised_charge_is_captured_by_the_next_run() {
    let shop = Shop::with("tok_capture_later").await;
    assert_eq!(shop.process().await, "PaymentUnknown");
    assert_eq!(shop.books().await, "authorized 40.00 0.00 0.00 v1");
    assert_eq!(shop.process().await, "completed");
    assert_eq!(shop.books().await, "completed 40.00 40.00 0.00 v2");
}

// The deadline, and the token.

#[tokio::test]
async fn no_payment_is_begun_after_the_deadline() {
    let shop = Shop::with("tok_ok").await;
    assert_eq!(shop.process_at(901).await, "Expired");
    assert!(shop.engine.items(Setting::PaymentsTable).is_empty());
    assert_eq!(shop.process_at(900).await, "completed", "not yet over");
}

#[tokio::test]
async fn a_payment_that_was_stored_in_time_is_not_charged_late() {
    let shop = Shop::with("tok_ok").await;
    shop.crash_at(Moment::BeforeCharge);
    assert_eq!(shop.process().await, "Busy");
    assert_eq!(shop.process_at(901).await, "Expired");
    assert_eq!(shop.charge().await, Charge::NotFound);
    let shop = Shop::with("tok_capture_later").await;
    assert_eq!(shop.process().await, "PaymentUnknown");
    assert_eq!(shop.process_at(901).await, "Expired");
    shop.order_becomes(OrderStatus::Failed).await;
    assert_eq!(shop.void().await, "voided");
    assert_eq!(shop.charge().await, Charge::Voided);
}

#[tokio::test]
async fn a_payment_that_was_captured_in_time_counts_after_the_deadline() {
    let shop = Shop::with("tok_ok").await;
    shop.crash_at(Moment::AfterCharge);
    assert_eq!(shop.process().await, "Busy");
    assert_eq!(shop.process_at(901).await, "completed");
}

#[tokio::test]
async fn a_payment_without_its_token_is_not_charged() {
    let shop = Shop::with("tok_ok").await;
    shop.orders.forget_token(order_id()).await.unwrap();
    assert_eq!(shop.process().await, "Failed");
    assert_eq!(shop.charge().await, Charge::NotFound);
    shop.order_becomes(OrderStatus::Cancelled).await;
    assert_eq!(shop.process().await, "AlreadyClosed");
    assert_eq!(shop.void().await, "voided");
}

#[tokio::test]
async fn a_charge_of_another_amount_does_not_pay() {
    let shop = Shop::with("tok_ok").await;
    shop.crash_at(Moment::BeforeCharge);
    shop.process().await;
    let sandbox = &shop.gateway.sandbox;
    sandbox
        .charge(&key(), eur("39.99"), "tok_ok")
        .await
        .unwrap();
    assert_eq!(shop.process().await, "Failed");
    assert_eq!(shop.books().await, "pending 0.00 0.00 0.00 v0");
    shop.order_becomes(OrderStatus::Failed).await;
    assert_eq!(shop.void().await, "refunded");
    assert_eq!(shop.books().await, "refunded 39.99 39.99 39.99 v2");
}

#[tokio::test]
async fn a_charge_that_the_gateway_refunded_itself_does_not_pay() {
    let shop = Shop::with("tok_unknown").await;
    assert_eq!(shop.process().await, "PaymentUnknown");
    let sandbox = &shop.gateway.sandbox;
    let key = shop
        .payment()
        .await
        .refund_key(RefundId::derived(&["by the gateway"]));
    sandbox.refund(&key, eur("40.00")).await.unwrap();
    assert_eq!(shop.process().await, "PaymentDeclined");
    shop.order_becomes(OrderStatus::Failed).await;
    assert_eq!(shop.void().await, "refunded");
    assert_eq!(shop.books().await, "refunded 40.00 40.00 40.00 v3");
}

#[tokio::test]
async fn there_is_no_payment_without_an_order() {
    let shop = Shop::with("tok_ok").await;
    let step = serde_json::json!({
        "order_id": crate::values::id::OrderId::derived(&["other"]), "now": after(0),
    });
    let step: crate::runtime::Step = serde_json::from_value(step).unwrap();
    let (orders, payments, gateway) = (&shop.orders, &shop.payments, &shop.gateway);
    for error in [
        super::process_payment(orders, payments, gateway, step.clone()).await,
        super::void_payment(orders, &shop.refunds, gateway, step).await,
    ] {
        assert_eq!(error.unwrap_err().name, "OrderNotFound");
    }
}

#[tokio::test]
async fn a_payment_is_refunded_once_its_refund_has_succeeded() {
    // Pending for the first run, and lost for the second; the next one asks the gateway.
    for token in ["tok_refund_pending", "tok_refund_unknown"] {
        let shop = Shop::with(token).await;
        shop.process().await;
        shop.order_becomes(OrderStatus::Cancelled).await;
        assert_eq!(shop.void().await, "PaymentUnknown", "{token}");
        assert_eq!(shop.books().await, "completed 40.00 40.00 0.00 v1");
        assert_eq!(shop.void().await, "refunded", "{token}");
        assert_eq!(shop.books().await, "refunded 40.00 40.00 40.00 v2");
        assert_eq!(shop.charge().await, all_refunded());
        assert_eq!(
            shop.calls(),
            "charge retrieve refund retrieve retrieve_refund"
        );
    }
}

#[tokio::test]
async fn a_refund_that_fails_keeps_the_order_to_be_looked_at() {
    let shop = Shop::with("tok_refund_fails").await;
    shop.process().await;
    shop.order_becomes(OrderStatus::Cancelled).await;
    for _ in 0..2 {
        assert_eq!(shop.void().await, "Failed");
        assert_eq!(shop.books().await, "completed 40.00 40.00 0.00 v1");
    }
}
