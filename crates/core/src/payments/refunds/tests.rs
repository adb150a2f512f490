//! Refunds on an embedded DynamoDB, and what lines are worth.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::model::{Refund, RefundStatus};
use super::{api, settle};
use crate::aws::settings::Setting;
use crate::http::exchange::Request;
use crate::orders::model::Status;
use crate::payments::fixtures::{Moment, Shop, after, eur, identity, order_id};
use crate::payments::model::Payment;
use crate::runtime::Scheduled;
use crate::testing::{self, Fault};
use crate::values::id::CustomerId;

mod gift_cards;

fn request(customer: &str, admin: bool, body: &Value) -> Request {
    let payment = Payment::id_of(order_id()).to_string();
    Request {
        path: format!("/payments/{payment}/refunds"),
        path_parameters: [("payment_id".to_owned(), payment)].into(),
        identity: Some(identity(customer, admin)),
        ..testing::request(after(10), body)
    }
}

/// Asks for a refund under `key`. Returns the status and the body or the detail of the problem.
pub(super) async fn refund(shop: &Shop, key: &str, body: Value) -> (u16, Value) {
    let mut request = request("boss", true, &body);
    let headers = &mut request.headers;
    headers.insert("idempotency-key", key.parse().unwrap());
    match api::create_refund(&shop.refunds, &shop.orders, &shop.gateway, request).await {
        Ok(response) => (
            response.status.as_u16(),
            serde_json::from_slice(&response.body).unwrap(),
        ),
        Err(problem) => (problem.status().as_u16(), json!(problem.to_string())),
    }
}

/// Asks for a refund of `amount` under `key`. Returns the status.
pub(crate) async fn refund_of(shop: &Shop, key: &str, amount: &str) -> u16 {
    refund(shop, key, euros(amount)).await.0
}

fn euros(amount: &str) -> Value {
    json!({"amount": {"amount": amount, "currency": "EUR"}})
}

pub(super) async fn paid(token: &str) -> Shop {
    let shop = Shop::with(token).await;
    shop.process().await;
    assert_eq!(shop.process().await, "completed");
    shop.order_becomes(Status::Confirmed).await;
    shop
}

/// Returns the amount and status of each refund, newest first.
pub(super) async fn stored(shop: &Shop) -> Vec<Refund> {
    let payment = Payment::id_of(order_id());
    shop.refunds
        .of_payment(payment, 100, None)
        .await
        .unwrap()
        .items
}

async fn reconcile(shop: &Shop, seconds: i64) {
    let scheduled = Scheduled {
        time: after(seconds),
    };
    settle::reconcile_refunds(&shop.refunds, &shop.gateway, scheduled)
        .await
        .unwrap();
}

#[tokio::test]
async fn amounts_are_refunded_until_nothing_is_left() {
    let shop = paid("tok_ok").await;
    for (key, amount, status, books) in [
        ("a", "10.00", 201, "partially_refunded 40.00 40.00 10.00 v2"),
        ("a", "10.00", 201, "partially_refunded 40.00 40.00 10.00 v2"),
        ("a", "11.00", 422, "partially_refunded 40.00 40.00 10.00 v2"),
        ("b", "30.01", 409, "partially_refunded 40.00 40.00 10.00 v2"),
        ("b", "30.00", 201, "refunded 40.00 40.00 40.00 v3"),
        ("c", "0.01", 409, "refunded 40.00 40.00 40.00 v3"),
        ("c", "0.00", 422, "refunded 40.00 40.00 40.00 v3"),
    ] {
        let (got, body) = refund(&shop, key, euros(amount)).await;
        assert_eq!(got, status, "{key} {amount} {body}");
        assert_eq!(shop.books().await, books, "{key} {amount}");
    }
    assert_eq!(shop.calls(), "charge refund refund");
    let (_, detail) = refund(&shop, "d", euros("0.01")).await;
    assert_eq!(detail, "only 0.00 EUR of the payment is left to refund");
}

#[tokio::test]
async fn lines_are_refunded_with_their_share_and_never_more_pieces_than_were_ordered() {
    let shop = paid("tok_ok").await;
    let product = crate::values::id::ProductId::derived(&["product"]);
    let lines = |quantity: u32| json!({"lines": [{"product_id": product, "quantity": quantity}], "restock": true});
    let (status, body) = refund(&shop, "a", lines(1)).await;
    assert_eq!((status, &body["amount"]["amount"]), (201, &json!("20.00")));
    assert_eq!(
        body["lines"],
        json!([{"variant_id": product, "quantity": 1}])
    );
    let (status, detail) = refund(&shop, "b", lines(2)).await;
    assert_eq!(
        (status, detail),
        (409, json!("at most 1 of Kettle can still be refunded"))
    );
    let other = json!({"lines": [{"variant_id": CustomerId::derived(&["x"]), "quantity": 1}]});
    let (status, detail) = refund(&shop, "c", other).await;
    assert_eq!(
        (status, detail),
        (422, json!("the request body is not valid"))
    );
    assert_eq!(refund(&shop, "d", lines(1)).await.0, 201);
    assert_eq!(shop.books().await, "refunded 40.00 40.00 40.00 v3");
    assert_eq!(shop.payment().await.restocked, [(product.into(), 2)].into());
}

#[tokio::test]
async fn bad_requests_change_nothing() {
    let shop = paid("tok_ok").await;
    for body in [
        json!({}),
        json!({"amount": {"amount": "1.00", "currency": "USD"}}),
        json!({"amount": {"amount": "-1.00", "currency": "EUR"}}),
        json!({"amount": {"amount": "1.001", "currency": "EUR"}}),
        json!({"amount": {"amount": "1.00", "currency": "EUR"}, "lines": []}),
        json!({"amount": {"amount": "1.00", "currency": "EUR"}, "restock": true}),
        json!({"amount": {"amount": "1.00", "currency": "EUR"}, "reason": ""}),
        json!({"amount": {"amount": "1.00", "currency": "EUR"}, "note": "x"}),
        json!({"lines": []}),
    ] {
        let (status, answer) = refund(&shop, "a", body.clone()).await;
        assert_eq!(status, 422, "{body} {answer}");
    }
    let customer = request("customer", false, &euros("1.00"));
    let refused = api::create_refund(&shop.refunds, &shop.orders, &shop.gateway, customer).await;
    assert_eq!(refused.unwrap_err().status(), 403);
    let keyless = request("boss", true, &euros("1.00"));
    let refused = api::create_refund(&shop.refunds, &shop.orders, &shop.gateway, keyless).await;
    assert_eq!(refused.unwrap_err().status(), 400);
    assert_eq!(shop.books().await, "completed 40.00 40.00 0.00 v1");
    assert!(stored(&shop).await.is_empty());
    let unpaid = Shop::with("tok_unknown").await;
    unpaid.process().await;
    let (status, detail) = refund(&unpaid, "a", euros("1.00")).await;
    let expected = "the payment is processing, so there is nothing to refund";
    assert_eq!((status, detail), (409, json!(expected)));
}

#[tokio::test]
async fn a_refund_whose_outcome_is_unknown_is_asked_for_and_not_made_again() {
    for token in ["tok_refund_unknown", "tok_refund_pending"] {
        let shop = paid(token).await;
        let (status, body) = refund(&shop, "a", euros("10.00")).await;
        assert_eq!(
            (status, &body["status"]),
            (201, &json!("pending")),
            "{token}"
        );
        assert_eq!(shop.books().await, "completed 40.00 40.00 0.00 v1");
        let (status, _) = refund(&shop, "b", euros("30.01")).await;
        assert_eq!(status, 409, "what is pending is taken");
        reconcile(&shop, 60).await;
        assert_eq!(
            stored(&shop).await[0].status,
            RefundStatus::Pending,
            "not due yet"
        );
        reconcile(&shop, 71).await;
        assert_eq!(
            stored(&shop).await[0].status,
            RefundStatus::Succeeded,
            "{token}"
        );
        assert_eq!(
            shop.books().await,
            "partially_refunded 40.00 40.00 10.00 v2"
        );
        let calls = shop.calls();
        assert_eq!(calls.matches(" refund").count(), 1, "{calls}");
    }
}

#[tokio::test]
async fn a_crash_at_any_moment_refunds_once() {
    for moment in [Moment::BeforeRefund, Moment::AfterRefund] {
        let shop = paid("tok_ok").await;
        shop.crash_at(moment);
        let (_, body) = refund(&shop, "a", euros("10.00")).await;
        assert_eq!(body["status"], "pending", "{moment:?}");
        let (status, body) = refund(&shop, "a", euros("10.00")).await;
        assert_eq!((status, &body["status"]), (201, &json!("succeeded")));
        assert_eq!(
            shop.books().await,
            "partially_refunded 40.00 40.00 10.00 v2"
        );
    }
    // The outcome cannot be stored: the refund is due.
    let shop = paid("tok_ok").await;
    let engine = shop.engine.clone();
    shop.at(Moment::AfterRefund, async move {
        for _ in 0..4 {
            engine.fail_next("TransactWriteItems", Fault::Failed);
        }
    });
    assert_eq!(refund(&shop, "a", euros("10.00")).await.0, 500);
    assert_eq!(shop.books().await, "completed 40.00 40.00 0.00 v1");
    reconcile(&shop, 71).await;
    assert_eq!(
        shop.books().await,
        "partially_refunded 40.00 40.00 10.00 v2"
    );
}

#[tokio::test]
async fn a_refund_that_fails_gives_back_what_it_took() {
    let shop = paid("tok_refund_fails").await;
    let product = crate::values::id::ProductId::derived(&["product"]);
    let lines = json!({"lines": [{"product_id": product, "quantity": 2}]});
    for key in ["a", "b"] {
        let (status, body) = refund(&shop, key, lines.clone()).await;
        assert_eq!((status, &body["status"]), (201, &json!("failed")), "{body}");
        assert_eq!(body["failure"], "expired_or_canceled_card");
    }
    assert_eq!(shop.books().await, "completed 40.00 40.00 0.00 v1");
    let payment = shop.payment().await;
    assert_eq!(
        (payment.refunding, payment.refunded_units),
        (eur("0.00"), BTreeMap::new())
    );
}

#[test]
fn two_hundred_refunds_at_once_do_not_exceed_what_was_captured() {
    let shop = testing::at_once([async || paid("tok_ok").await]).remove(0);
    let shop = &shop;
    let answers = testing::at_once((0..200).map(|number| {
        async move || {
            let key = format!("key-{number}");
            // 133 of them fit.
            refund(shop, &key, euros("0.30")).await
        }
    }));
    testing::at_once([async || {
        for minutes in 2..10 {
            reconcile(shop, minutes * 3600).await;
        }
    }]);
    let accepted = answers.iter().filter(|(status, _)| *status == 201).count();
    let refused = answers
        .iter()
        .filter(|(status, _)| [409, 503].contains(status))
        .count();
    assert_eq!(
        (accepted + refused, accepted <= 133),
        (200, true),
        "{accepted} {refused}"
    );
    let payment = testing::at_once([async || shop.payment().await]).remove(0);
    let refunded = payment.amounts.refunded();
    assert_eq!(
        refunded,
        eur("0.30").times(u32::try_from(accepted).unwrap()).unwrap()
    );
    assert_eq!(payment.refunding, refunded);
    let at_gateway = shop.engine.items(Setting::SandboxTable);
    let charge = at_gateway
        .iter()
        .find(|item| item.get("state").is_some())
        .unwrap();
    assert_eq!(charge["refunded"].as_u64(), refunded.minor_units());
}

#[tokio::test]
async fn cancelling_settles_each_of_several_pending_refunds_before_it_refunds_the_rest() {
    let shop = paid("tok_refund_pending").await;
    for (key, amount) in [("a", "10.00"), ("b", "5.00"), ("c", "3.00")] {
        let (_, body) = refund(&shop, key, euros(amount)).await;
        assert_eq!(body["status"], "pending");
    }
    shop.order_becomes(Status::Cancelled).await;
    for _ in 0..3 {
        shop.void().await;
    }
    assert_eq!(shop.books().await, "refunded 40.00 40.00 40.00 v5");
    let refunds = stored(&shop).await;
    assert!(
        refunds
            .iter()
            .all(|refund| refund.status == RefundStatus::Succeeded),
        "{refunds:?}"
    );
    let sum: u64 = refunds
        .iter()
        .map(|refund| refund.amount.minor_units().unwrap())
        .sum();
    assert_eq!(sum, 4000, "{refunds:?}");
    let charge = shop.charge().await;
    assert_eq!(charge, crate::payments::fixtures::all_refunded());
}

#[tokio::test]
async fn cancelling_refunds_what_is_left_once_pending_refunds_are_settled() {
    for token in ["tok_ok", "tok_refund_unknown"] {
        let shop = paid(token).await;
        refund(&shop, "a", euros("10.00")).await;
        shop.order_becomes(Status::Cancelled).await;
        let mut end = shop.void().await;
        while end == "PaymentUnknown" {
            end = shop.void().await;
        }
        assert_eq!(end, "refunded", "{token}");
        let payment = shop.payment().await;
        assert_eq!(payment.amounts.refunded(), eur("40.00"));
        let mut amounts: Vec<_> = stored(&shop)
            .await
            .iter()
            .map(|refund| refund.amount)
            .collect();
        amounts.sort_by_key(|amount| amount.minor_units());
        assert_eq!(amounts, [eur("10.00"), eur("30.00")], "{token}");
        let (status, _) = refund(&shop, "b", euros("1.00")).await;
        assert_eq!(status, 409);
    }
}

#[tokio::test]
async fn the_owner_and_admins_list_the_refunds() {
    let shop = paid("tok_ok").await;
    refund(&shop, "a", euros("10.00")).await;
    for (customer, admin, status) in [
        ("customer", false, 200),
        ("boss", true, 200),
        ("stranger", false, 404),
    ] {
        let mut request = request(customer, admin, &json!({}));
        request.query = Vec::new();
        let listed = api::list_refunds(&shop.refunds, &shop.orders, request).await;
        let got = match &listed {
            Ok(response) => response.status.as_u16(),
            Err(problem) => problem.status().as_u16(),
        };
        assert_eq!(got, status, "{customer}");
        if let Ok(response) = listed {
            let body: Value = serde_json::from_slice(&response.body).unwrap();
            assert_eq!(body["items"][0]["amount"]["amount"], "10.00");
        }
    }
}

proptest! {
    /// Whatever is charged for a line, and in whatever parts its pieces are refunded, all of them are worth the charge.
    #[test]
    fn the_pieces_of_a_line_are_worth_what_was_charged(
        units in 0_u64..10_000_000, parts in prop::collection::vec(1_u32..50, 1..20),
    ) {
        let charge = crate::values::money::Money::from_minor_units(units, "KWD".parse().unwrap()).unwrap();
        let all: u32 = parts.iter().sum();
        let mut before = 0;
        let mut sum = 0;
        for part in parts {
            sum += crate::payments::pieces::worth(charge, all, before, part).unwrap().minor_units().unwrap();
            before += part;
        }
        prop_assert_eq!(sum, units);
    }
}
