//! The whole order flow with the gateway of Stripe, against localstripe.

use oxcart_core::values::card_number::is_card_number;
use serde_json::{Value, json};

use crate::support::people::{Person, order_of, unique};
use crate::support::prices::money;
use crate::support::shop::{Setup, Shop};
use crate::support::stripe::Localstripe;
use crate::support::{run_in_euros, until};

pub(super) async fn refund(shop: &Shop, payment: &str, body: &Value) -> Value {
    let call = shop.post(&format!("/payments/{payment}/refunds"));
    let call = call
        .bearer(&shop.admin().await.token)
        .key(&unique("refund"));
    call.json(body).send().await.expect(201).json()
}

/// Waits until the payment of `order` requires an action, and returns the secret of its intent.
async fn client_secret(shop: &Shop, customer: &Person, order: &str) -> String {
    shop.until_payment_status(customer, order, "requires_action")
        .await;
    let payment = shop.payment(customer, order).await;
    assert_eq!(payment["action"]["type"], "script", "{payment}");
    payment["action"]["client_secret"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn orders_are_paid_declined_refunded_and_cancelled_with_stripe() {
    run_in_euros(async {
        let Some(stripe) = Localstripe::start() else {
            return;
        };
        for express in [false, true] {
            let shop = stripe
                .shop(Setup {
                    express,
                    ..Setup::default()
                })
                .await;
            let customer = shop.customer().await;
            let product = shop.product("19.90", 10).await;
            let paid = shop.order(&customer, &product, "pm_card_visa").await;
            shop.until_status(&customer, &paid, "confirmed").await;
            shop.until_settled(&paid).await;
            let payment = shop.payment(&customer, &paid).await;
            assert_eq!(payment["gateway"], "stripe");
            assert_eq!(payment["captured"], money("39.80"));
            let intents = stripe.intents().await;
            let theirs = |intent: &&Value| intent["metadata"]["order_id"] == json!(paid);
            let intent = intents.iter().find(theirs).unwrap();
            assert_eq!(
                (&intent["status"], &intent["amount"]),
                (&json!("succeeded"), &json!(3980))
            );

            let id = shop.payment_of(&paid).await;
            let piece = json!({"lines": [{"product_id": product, "quantity": 1}], "restock": true});
            let made = refund(&shop, &id, &piece).await;
            assert_eq!(
                (&made["status"], &made["amount"]),
                (&json!("succeeded"), &money("19.90"))
            );
            shop.cancel(&customer, &paid).await.expect(200);
            shop.until_settled(&paid).await;
            let payment = shop.payment(&customer, &paid).await;
            assert_eq!(
                (&payment["status"], &payment["refunded"]),
                (&json!("refunded"), &money("39.80"))
            );

            let declined = shop
                .order(&customer, &product, "pm_card_chargeCustomerFail")
                .await;
            let failed = shop.until_status(&customer, &declined, "failed").await;
            assert_eq!(failed["failure"]["code"], "payment_declined", "{failed}");
            shop.until_settled(&declined).await;
            until("the stock is back", async || {
                match shop.stock(&product).await {
                    (10, 0, 10) => Ok(()),
                    other => Err(format!("{other:?}")),
                }
            })
            .await;
        }
    });
}

#[test]
fn an_order_is_captured_at_shipment_with_stripe() {
    run_in_euros(async {
        let Some(stripe) = Localstripe::start() else {
            return;
        };
        let shop = stripe
            .shop(Setup {
                parameters: &[("PaymentCapture", "at_shipment")],
                ..Setup::default()
            })
            .await;
        let customer = shop.customer().await;
        let product = shop.product("19.90", 10).await;
        let orders = [
            shop.order(&customer, &product, "pm_card_visa").await,
            shop.order(&customer, &product, "pm_card_visa").await,
            shop.order(&customer, &product, "pm_card_visa").await,
        ];
        for order in &orders {
            shop.until_status(&customer, order, "confirmed").await;
            shop.until_settled(order).await;
            let payment = shop.payment(&customer, order).await;
            assert_eq!(payment["status"], "authorized", "{payment}");
        }
        let [whole, part, none] = &orders;
        let piece = json!({"lines": [{"product_id": product, "quantity": 1}]});
        let last = json!({"lines": piece["lines"], "last": true});
        let capture = async |order: &str, body: &Value| {
            let payment = shop.payment_of(order).await;
            let call = shop.post(&format!("/payments/{payment}/captures"));
            let call = call.bearer(&shop.admin().await.token).key(&unique("c"));
            call.json(body).send().await
        };
        capture(part, &piece).await.expect(409);
        for (order, body, captured) in [(whole, json!({}), "39.80"), (part, last, "19.90")] {
            let made = capture(order, &body).await.expect(201).json();
            assert_eq!(
                (&made["status"], &made["amount"]),
                (&json!("succeeded"), &money(captured))
            );
            shop.until_payment_status(&customer, order, "completed")
                .await;
            let payment = shop.payment(&customer, order).await;
            assert_eq!(payment["captured"], money(captured));
        }
        // What the capture of a part released is not refunded once more.
        let payment = shop.payment_of(part).await;
        refund(&shop, &payment, &json!({"amount": money("10.00")})).await;
        for order in [part, none] {
            shop.cancel(&customer, order).await.expect(200);
            shop.until_settled(order).await;
        }
        let payment = shop.payment(&customer, part).await;
        assert_eq!(
            (&payment["status"], &payment["refunded"]),
            (&json!("refunded"), &money("19.90"))
        );
        let payment = shop.payment(&customer, none).await;
        assert_eq!(
            (&payment["status"], &payment["captured"]),
            (&json!("voided"), &money("0.00"))
        );
        let intents = stripe.intents().await;
        let canceled = intents
            .iter()
            .filter(|intent| intent["status"] == "canceled");
        assert_eq!(canceled.count(), 1, "{intents:?}");
    });
}

#[test]
fn a_card_that_wants_its_owner_to_confirm_is_paid_once_they_have() {
    run_in_euros(async {
        let Some(stripe) = Localstripe::start() else {
            return;
        };
        let shop = stripe.shop(Setup::default()).await;
        let customer = shop.customer().await;
        let product = shop.product("19.90", 10).await;
        let card = stripe.card("4000002500003155").await;
        let order = shop.order(&customer, &product, &card).await;
        stripe
            .confirm(&client_secret(&shop, &customer, &order).await)
            .await;
        let call = shop.post(&format!("/orders/{order}/payments"));
        let call = call.bearer(&customer.token).key(&unique("go-on"));
        let call = call.json(&json!({}));
        call.send().await.expect(202);
        shop.until_status(&customer, &order, "confirmed").await;
        shop.until_settled(&order).await;
        assert_eq!(
            shop.payment(&customer, &order).await["captured"],
            money("39.80")
        );
    });
}

#[test]
fn no_card_number_enters_the_shop() {
    run_in_euros(async {
        let Some(stripe) = Localstripe::start() else {
            return;
        };
        let shop = stripe
            .shop(Setup {
                log_level: Some("debug"),
                ..Setup::default()
            })
            .await;
        let customer = shop.customer().await;
        let product = shop.product("19.90", 10).await;
        for number in ["4242424242424242", "5555-5555-5555-4444"] {
            let refused = shop
                .place(&customer, &order_of(&[(&product, 1)], number))
                .await;
            let fault = refused.expect(422).json()["errors"][0].clone();
            assert_eq!(fault["code"], "card_number", "{fault}");
            assert_eq!(fault["pointer"], "/payment/token", "{fault}");
            assert!(!fault.to_string().contains(number), "{fault}");
        }
        let number = "4242424242424242";
        let card = stripe.card(number).await;
        let order = shop.order(&customer, &product, &card).await;
        shop.until_status(&customer, &order, "confirmed").await;
        shop.until_settled(&order).await;
        let id = shop.payment_of(&order).await;
        refund(&shop, &id, &json!({"amount": money("1.00")})).await;
        shop.quiet().await;
        let mut kept = format!("{:?}{:?}", shop.everything().await, shop.mail().await);
        kept += &std::fs::read_to_string(&shop.log).unwrap();
        kept += &shop.in_queues_and_buckets().await;
        assert!(
            kept.contains(&order),
            "what was looked through is that of this shop"
        );
        let found = card_numbers(&kept);
        assert!(found.is_empty(), "{found:?}");
        assert_eq!(
            card_numbers(&format!("a {number} b5555-5555-5555-4444")),
            [number]
        );
        // It would be found where messages and files are kept.
        let letter = json!({"payment": {"token": number}}).to_string();
        shop.send_message("DeadLetters", &letter).await;
        let import = shop.post("/imports").key(&unique("import"));
        let import = import.bearer(&shop.admin().await.token);
        let import = import.json(&json!({"content": "prices"}));
        let import = import.send().await.expect(202).json();
        let file = reqwest::Client::new().put(import["upload_url"].as_str().unwrap());
        let sent = file.body("sku,price\n5555555555554444,1.00\n").send();
        assert_eq!(sent.await.unwrap().status(), 200);
        let left = shop.in_queues_and_buckets().await;
        let found = card_numbers(&left);
        assert!(found.contains(&number), "{found:?}");
        assert!(found.contains(&"5555555555554444"), "{found:?}");
    });
}

/// Returns what looks like card numbers in `text`: digits of the ranges that schemes of cards have, with their check digit,
/// and not within a word.
fn card_numbers(text: &str) -> Vec<&str> {
    let words =
        text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_' && c != '.');
    let numbers = words.filter(|word| word.starts_with(['2', '3', '4', '5', '6']));
    // Fractions of seconds and identifiers are longer or shorter.
    let numbers = numbers.filter(|word| (14..=19).contains(&word.replace('-', "").len()));
    numbers.filter(|word| is_card_number(word)).collect()
}

#[test]
fn an_event_of_stripe_has_the_order_go_on() {
    run_in_euros(async {
        let Some(stripe) = Localstripe::start() else {
            return;
        };
        let shop = stripe.shop(Setup::default()).await;
        let customer = shop.customer().await;
        let product = shop.product("19.90", 10).await;
        // Its owner confirms it, and it is declined then: localstripe has an event for that.
        let card = stripe.card("4000008400001629").await;
        let mut order = order_of(&[(&product, 2)], &card);
        order["payment"]["retryable"] = json!(true);
        let placed = shop.place(&customer, &order).await.expect(202).json();
        let order = placed["id"].as_str().unwrap();
        stripe
            .confirm(&client_secret(&shop, &customer, order).await)
            .await;
        shop.until_payment_status(&customer, order, "failed").await;
        let bill = shop.bill().await;
        let events = &bill["functions"]["receive-payment-event"]["invocations"];
        assert!(events.as_u64().unwrap() > 0, "{bill}");
        // Another card pays it.
        let call = shop.post(&format!("/orders/{order}/payments"));
        let call = call.bearer(&customer.token).key(&unique("retry"));
        let again = json!({"payment": {"token": "pm_card_visa"}});
        call.json(&again).send().await.expect(202);
        shop.until_status(&customer, order, "confirmed").await;
        shop.until_settled(order).await;
        let payment = shop.payment(&customer, order).await;
        assert_eq!(
            (&payment["captured"], &payment["attempts"]),
            (&money("39.80"), &json!(2))
        );
        let statuses: Vec<Value> = stripe
            .intents()
            .await
            .iter()
            .map(|i| i["status"].clone())
            .collect();
        assert!(
            statuses.contains(&json!("succeeded")) && statuses.len() == 2,
            "{statuses:?}"
        );
    });
}
