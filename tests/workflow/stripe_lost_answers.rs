//! Answers of Stripe that are lost after what was asked for is done: it is asked for, and not done once more.

use serde_json::{Value, json};

use super::stripe::refund;
use crate::support::people::{Person, unique};
use crate::support::prices::money;
use crate::support::run_in_euros;
use crate::support::shop::{Setup, Shop};
use crate::support::stripe::Localstripe;

/// A shop whose time moves on when it has to wait, so that events, which have the machine's time, are too late for it.
async fn shop(stripe: &Localstripe, parameters: &'static [(&'static str, &'static str)]) -> Shop {
    let setup = Setup {
        manual_clock: true,
        parameters,
        ..Setup::default()
    };
    stripe.shop(setup).await
}

/// Moves the clock on until `part` of the order's payment is `expected`.
async fn run_until(shop: &Shop, customer: &Person, order: &str, part: &str, expected: &Value) {
    shop.run_until(part, async || {
        let payment = shop.payment(customer, order).await;
        if payment[part] == *expected {
            Ok(())
        } else {
            Err(payment.to_string())
        }
    })
    .await;
}

/// Returns the intents of `order` that have a charge, of which a card may have been charged.
async fn charged(stripe: &Localstripe, order: &str) -> Vec<Value> {
    let mut intents = stripe.intents_of(order).await;
    assert!(!intents.is_empty());
    intents.retain(|intent| !intent["latest_charge"].is_null());
    intents
}

#[test]
fn an_order_is_charged_once_although_answers_of_stripe_are_lost() {
    run_in_euros(async {
        let Some(stripe) = Localstripe::start() else {
            return;
        };
        let shop = shop(&stripe, &[]).await;
        let customer = shop.customer().await;
        let product = shop.product("19.90", 100).await;
        for call in ["", "/*/confirm", "/*/capture"] {
            for times in [1, 4] {
                let call = format!("POST /v1/payment_intents{call}");
                stripe.lose_answers(&call, times).await;
                let order = shop.order(&customer, &product, "pm_card_visa").await;
                shop.run_until_settled(&order).await;
                stripe.lose_answers(&call, 0).await;
                let status = shop.read(&customer, &order).await["status"].clone();
                assert_eq!(status, "confirmed", "{call} {times}");
                run_until(&shop, &customer, &order, "captured", &money("39.80")).await;
                let charged = charged(&stripe, &order).await;
                let [intent] = charged.as_slice() else {
                    panic!("{call} {times}: {charged:?}");
                };
                assert_eq!(intent["status"], "succeeded", "{call} {times}");
                assert_eq!(intent["latest_charge"]["amount"], 3980);
            }
        }
        assert!(stripe.refunds().await.is_empty());
        shop.audited().await.unwrap();
    });
}

#[test]
fn a_capture_is_made_once_although_the_answer_of_stripe_is_lost() {
    run_in_euros(async {
        let Some(stripe) = Localstripe::start() else {
            return;
        };
        let shop = shop(&stripe, &[("PaymentCapture", "at_shipment")]).await;
        let customer = shop.customer().await;
        let product = shop.product("19.90", 10).await;
        let piece = json!({"lines": [{"product_id": product, "quantity": 1}], "last": true});
        for (body, captured, released) in [(json!({}), "39.80", 0), (piece, "19.90", 1990)] {
            let order = shop.order(&customer, &product, "pm_card_visa").await;
            shop.run_until_settled(&order).await;
            let payment = shop.payment_of(&order).await;
            stripe
                .lose_answers("POST /v1/payment_intents/*/capture", 1)
                .await;
            let call = shop.post(&format!("/payments/{payment}/captures"));
            let call = call.bearer(&shop.admin().await.token).key(&unique("c"));
            let made = call.json(&body).send().await.expect(201).json();
            assert_eq!(made["status"], "pending", "{made}");
            run_until(&shop, &customer, &order, "status", &json!("completed")).await;
            let payment = shop.payment(&customer, &order).await;
            assert_eq!(payment["captured"], money(captured), "{payment}");
            assert_eq!(payment["captures"][0]["status"], "succeeded", "{payment}");
            let charged = charged(&stripe, &order).await;
            let [intent] = charged.as_slice() else {
                panic!("{charged:?}");
            };
            assert_eq!(intent["status"], "succeeded", "{intent}");
            // localstripe counts as refunded what a capture releases.
            assert_eq!(intent["latest_charge"]["amount_refunded"], released);
        }
        shop.audited().await.unwrap();
    });
}

#[test]
fn a_refund_is_made_once_although_the_answer_of_stripe_is_lost() {
    run_in_euros(async {
        let Some(stripe) = Localstripe::start() else {
            return;
        };
        let shop = shop(&stripe, &[]).await;
        let customer = shop.customer().await;
        let product = shop.product("19.90", 10).await;
        let order = shop.order(&customer, &product, "pm_card_visa").await;
        shop.run_until_settled(&order).await;
        let payment = shop.payment_of(&order).await;
        stripe.lose_answers("POST /v1/refunds", 1).await;
        let made = refund(&shop, &payment, &json!({"amount": money("10.00")})).await;
        assert_eq!(made["status"], "pending", "{made}");
        run_until(&shop, &customer, &order, "refunded", &money("10.00")).await;
        let amounts = async || -> Vec<Value> {
            let refunds = stripe.refunds().await;
            refunds.iter().map(|r| r["amount"].clone()).collect()
        };
        assert_eq!(amounts().await, [1000]);
        // So it is with the rest, when the order is cancelled.
        stripe.lose_answers("POST /v1/refunds", 1).await;
        shop.cancel(&customer, &order).await.expect(200);
        shop.run_until_settled(&order).await;
        let mut amounts = amounts().await;
        amounts.sort_by_key(Value::as_u64);
        assert_eq!(amounts, [1000, 2980]);
        let payment = shop.payment(&customer, &order).await;
        assert_eq!(payment["status"], "refunded", "{payment}");
        shop.audited().await.unwrap();
    });
}
