//! Refunds that the sandbox sends back, on an embedded DynamoDB.

use serde_json::{Value, json};

use super::super::model::{Refund, RefundStatus};
use super::super::tests::{paid, refund, stored};
use crate::aws::settings::Setting;
use crate::orders::model::Status;
use crate::payments::fixtures::{Moment, Shop, eur, key};
use crate::payments::gateway::{Charge, Gateway as _};
use crate::payments::refunds::tests::refund_of;
use crate::payments::webhooks::tests::{event, executions, tell_event};
use crate::testing;
use crate::values::id::{ProductId, RefundId};

/// Tells the shop that the bank has sent `refund` back.
async fn send_back(shop: &Shop, refund: RefundId) -> String {
    let mut told = event("refund.failed");
    told["refund"] = json!(refund);
    tell_event(shop, &told).await
}

/// Returns the refund of `amount`.
async fn of(shop: &Shop, amount: &str) -> Refund {
    let refunds = stored(shop).await;
    let found = refunds
        .into_iter()
        .find(|refund| refund.amount == eur(amount));
    found.unwrap()
}

fn last_event(shop: &Shop) -> Value {
    let stored = shop.engine.items(Setting::PaymentsTable).remove(0);
    let image = serde_dynamo::to_item(stored).unwrap();
    let event = crate::payments::events::published(image).unwrap().unwrap();
    json!({"type": event.event_type, "version": event.version, "data": event.data})
}

#[tokio::test]
async fn a_refund_that_comes_back_gives_back_what_it_took_once() {
    let shop = paid("tok_ok").await;
    let product = ProductId::derived(&["product"]);
    let piece = json!({"lines": [{"product_id": product, "quantity": 1}], "restock": true});
    assert_eq!(refund(&shop, "a", piece.clone()).await.0, 201);
    assert_eq!(refund_of(&shop, "b", "5.00").await, 201);
    assert_eq!(
        shop.books().await,
        "partially_refunded 40.00 40.00 25.00 v3"
    );
    let first = of(&shop, "20.00").await;
    for _ in 0..2 {
        assert_eq!(send_back(&shop, first.id).await, "204");
        assert_eq!(shop.books().await, "partially_refunded 40.00 40.00 5.00 v4");
    }
    let failed = of(&shop, "20.00").await;
    assert_eq!(failed.status, RefundStatus::Failed);
    assert_eq!(failed.failure.as_deref(), Some("lost_or_stolen_card"));
    let payment = shop.payment().await;
    assert_eq!(payment.refunding, eur("5.00"));
    assert!(payment.refunded_units.is_empty() && payment.restocked.is_empty());
    let data = json!({
        "order_id": payment.order_id,
        "amount": {"amount": "5.00", "currency": "EUR"},
        "refund_id": first.id,
        "refund_amount": {"amount": "20.00", "currency": "EUR"},
        "restocked": [],
    });
    assert_eq!(
        last_event(&shop),
        json!({"type": "PaymentRefundReturned", "version": 4, "data": data})
    );
    assert_eq!(send_back(&shop, of(&shop, "5.00").await.id).await, "204");
    assert_eq!(shop.books().await, "completed 40.00 40.00 0.00 v5");
    // All of it can be refunded again, and so can the piece, which is in stock once.
    assert_eq!(refund(&shop, "c", piece).await.0, 201);
    assert_eq!(refund_of(&shop, "d", "20.00").await, 201);
    assert_eq!(shop.books().await, "refunded 40.00 40.00 40.00 v7");
    let payment = shop.payment().await;
    assert_eq!(payment.restocked, [(product.into(), 1)].into());
    let charge = shop.gateway.retrieve(&key()).await.unwrap();
    let refunded = eur("40.00");
    let captured = refunded;
    assert_eq!(charge, Charge::Refunded { captured, refunded });
}

#[tokio::test]
async fn what_did_not_come_back_stays_refunded() {
    let shop = paid("tok_ok").await;
    refund_of(&shop, "a", "10.00").await;
    let made = of(&shop, "10.00").await;
    let books = shop.books().await;
    // What an event says is not believed, but asked: at another account, nothing came back.
    let mut told = event("refund.failed");
    told["refund"] = json!(made.id);
    told["account"] = json!("elsewhere");
    assert_eq!(tell_event(&shop, &told).await, "204");
    assert_eq!(
        send_back(&shop, RefundId::derived(&["unknown"])).await,
        "204"
    );
    assert_eq!(shop.books().await, books);
    let nameless = tell_event(&shop, &event("refund.failed")).await;
    assert!(nameless.starts_with("400 "), "{nameless}");
}

#[tokio::test]
async fn an_event_settles_a_refund_whose_outcome_is_unknown() {
    let shop = paid("tok_refund_unknown").await;
    let (_, body) = refund(
        &shop,
        "a",
        json!({"amount": {"amount": "10.00", "currency": "EUR"}}),
    )
    .await;
    assert_eq!(body["status"], "pending");
    // It has succeeded, and comes back before the shop has asked.
    assert_eq!(send_back(&shop, of(&shop, "10.00").await.id).await, "204");
    assert_eq!(of(&shop, "10.00").await.status, RefundStatus::Failed);
    assert_eq!(shop.books().await, "completed 40.00 40.00 0.00 v1");
    assert_eq!(shop.payment().await.refunding, eur("0.00"));
}

#[tokio::test]
async fn what_comes_back_after_an_order_has_ended_is_for_a_person_to_refund() {
    let shop = paid("tok_ok").await;
    let started = executions(&shop);
    refund_of(&shop, "a", "10.00").await;
    shop.order_becomes(Status::Cancelled).await;
    // While the rest is being refunded, the event has to come again.
    let payment = shop.payment().await;
    shop.payments.request_void(&payment).await.unwrap();
    let early = send_back(&shop, of(&shop, "10.00").await.id).await;
    assert!(early.starts_with("503 "), "{early}");
    assert_eq!(shop.void().await, "refunded");
    let shop = ended().await;
    assert_eq!(send_back(&shop, of(&shop, "30.00").await.id).await, "204");
    assert_eq!(
        shop.books().await,
        "partially_refunded 40.00 40.00 10.00 v4"
    );
    // A run sends nothing to the same card again.
    let calls = shop.calls();
    assert_eq!(shop.void().await, "partially_refunded");
    assert_eq!(shop.calls(), calls);
    assert!(started.lock().unwrap().is_empty());
    assert_eq!(refund_of(&shop, "b", "30.01").await, 409);
    assert_eq!(refund_of(&shop, "c", "30.00").await, 201);
    assert_eq!(shop.books().await, "refunded 40.00 40.00 40.00 v5");
    assert_eq!(shop.payment().await.refunding, eur("40.00"));
}

#[tokio::test]
async fn a_refund_that_comes_back_while_its_order_is_undone_is_not_refunded_with_the_rest() {
    for moment in [
        Moment::BeforeRetrieve,
        Moment::BeforeRefund,
        Moment::AfterRefund,
    ] {
        let shop = paid("tok_ok").await;
        executions(&shop);
        refund_of(&shop, "a", "10.00").await;
        let id = of(&shop, "10.00").await.id;
        shop.order_becomes(Status::Cancelled).await;
        let bank = shop.clone();
        shop.at(moment, async move {
            let early = send_back(&bank, id).await;
            assert!(early.starts_with("503 "), "{early}");
        });
        assert_eq!(shop.void().await, "refunded", "{moment:?}");
        assert_eq!(shop.books().await, "refunded 40.00 40.00 40.00 v3");
        assert_eq!(send_back(&shop, id).await, "204");
        let books = shop.books().await;
        assert_eq!(books, "partially_refunded 40.00 40.00 30.00 v4");
        let charge = shop.gateway.retrieve(&key()).await.unwrap();
        let (captured, refunded) = (eur("40.00"), eur("30.00"));
        assert_eq!(
            charge,
            Charge::Refunded { captured, refunded },
            "{moment:?}"
        );
        // What came back can be refunded, and no more.
        assert_eq!(refund_of(&shop, "b", "10.01").await, 409);
        assert_eq!(refund_of(&shop, "c", "10.00").await, 201);
        let refunds = stored(&shop).await.into_iter();
        let refunds = refunds.filter(|refund| refund.status == RefundStatus::Succeeded);
        let sum = refunds.fold(eur("0.00"), |sum, refund| sum.plus(refund.amount).unwrap());
        assert_eq!(sum, eur("40.00"), "{moment:?}");
    }
}

/// Returns a shop whose order was refunded in part, and then cancelled.
async fn ended() -> Shop {
    let shop = paid("tok_ok").await;
    refund_of(&shop, "a", "10.00").await;
    shop.order_becomes(Status::Cancelled).await;
    assert_eq!(shop.void().await, "refunded");
    shop
}

#[tokio::test]
async fn refunds_that_begin_and_come_back_at_the_same_time_add_up() {
    for _ in 0..10 {
        let shop = paid("tok_ok").await;
        refund_of(&shop, "a", "10.00").await;
        let id = of(&shop, "10.00").await.id;
        testing::at_once((0..6).map(|number| {
            let shop = &shop;
            async move || {
                if number % 2 == 0 {
                    send_back(shop, id).await;
                } else {
                    refund_of(shop, &format!("other {number}"), "9.00").await;
                }
            }
        }));
        assert_eq!(send_back(&shop, id).await, "204");
        let payment = shop.payment().await;
        let refunds = stored(&shop).await;
        let sum = |statuses: &[RefundStatus]| {
            let counted = refunds
                .iter()
                .filter(|refund| statuses.contains(&refund.status));
            counted.fold(eur("0.00"), |sum, refund| sum.plus(refund.amount).unwrap())
        };
        assert_eq!(payment.amounts.refunded(), sum(&[RefundStatus::Succeeded]));
        let taken = sum(&[RefundStatus::Succeeded, RefundStatus::Pending]);
        assert_eq!(payment.refunding, taken);
        assert_eq!(of(&shop, "10.00").await.status, RefundStatus::Failed);
    }
}
