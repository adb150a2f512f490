//! Payments that are captured at shipment, through the functions.

use serde_json::{Value, json};

use crate::support::people::{Person, unique};
use crate::support::prices::{CURRENCY, amount, money, written};
use crate::support::shop::{Setup, Shop};
use crate::support::{run_local, until};

async fn shop() -> Shop {
    let setup = Setup {
        manual_clock: true,
        parameters: &[("PaymentCapture", "at_shipment")],
        ..Setup::default()
    };
    Shop::start(setup).await
}

/// Asks for a capture as the admin. Returns the status and the body.
async fn capture(shop: &Shop, payment: &str, key: &str, body: &Value) -> (u16, Value) {
    let call = shop.post(&format!("/payments/{payment}/captures"));
    let call = call.bearer(&shop.admin().await.token).key(key).json(body);
    let answer = call.send().await;
    (answer.status, answer.json())
}

/// Orders two pieces of `product`, and returns the order and its payment, once that is authorised.
async fn authorized(
    shop: &Shop,
    customer: &Person,
    product: &str,
    token: &str,
) -> (String, String) {
    let order = shop.order(customer, product, token).await;
    shop.until_status(customer, &order, "confirmed").await;
    shop.until_settled(&order).await;
    let payment = shop.payment_of(&order).await;
    (order, payment)
}

/// Waits until the payment is so, and its order shows it.
async fn until_shown(shop: &Shop, customer: &Person, order: &str, status: &str) -> Value {
    shop.until_payment_status(customer, order, status).await;
    shop.payment(customer, order).await
}

/// Returns the payment's amounts: authorised, captured, refunded.
fn amounts(payment: &Value) -> [String; 3] {
    ["authorized", "captured", "refunded"].map(|name| written(&payment[name]))
}

#[test]
fn an_admin_captures_what_each_parcel_is_worth() {
    run_local(async {
        let shop = shop().await;
        let customer = shop.customer().await;
        let product = shop.product("8.50", 20).await;
        let (order, payment) = authorized(&shop, &customer, &product, "tok_ok").await;
        let shown = until_shown(&shop, &customer, &order, "authorized").await;
        assert_eq!(amounts(&shown), ["17.00", "0.00", "0.00"]);
        assert!(shown["capture_before"].is_string(), "{shown}");

        let piece = json!({"lines": [{"product_id": product, "quantity": 1}]});
        let key = unique("parcel");
        let (status, first) = capture(&shop, &payment, &key, &piece).await;
        assert_eq!(status, 201, "{first}");
        assert_eq!(written(&first["amount"]), "8.50");
        assert_eq!(first["status"], "succeeded");
        let (status, again) = capture(&shop, &payment, &key, &piece).await;
        assert_eq!((status, &again), (201, &first));
        let shown = until_shown(&shop, &customer, &order, "authorized").await;
        assert_eq!(amounts(&shown), ["17.00", "8.50", "0.00"]);
        assert_eq!(shown["captures"], json!([first]));

        let refund = shop.post(&format!("/payments/{payment}/refunds"));
        let refund = refund.bearer(&shop.admin().await.token).key(&unique("r"));
        let refund = refund.json(&json!({"amount": money("1.00")})).send().await;
        refund.expect(409);

        let too_much = json!({"amount": money("8.51")});
        let (status, problem) = capture(&shop, &payment, &unique("parcel"), &too_much).await;
        let half = format!("{} {}", amount("8.50"), CURRENCY.code());
        let detail = format!("only {half} of the payment is left to capture");
        assert_eq!((status, &problem["detail"]), (409, &json!(detail)));
        let (status, _) = capture(&shop, &payment, &unique("parcel"), &json!({})).await;
        assert_eq!(status, 201);
        let shown = until_shown(&shop, &customer, &order, "completed").await;
        assert_eq!(amounts(&shown), ["17.00", "17.00", "0.00"]);
        assert_eq!(shown["capture_before"], Value::Null);
        shop.balanced().await.unwrap();
        shop.audited().await.unwrap();
    });
}

#[test]
fn what_is_not_shipped_is_released_and_what_was_captured_for_a_cancelled_order_goes_back() {
    run_local(async {
        let shop = shop().await;
        let customer = shop.customer().await;
        let product = shop.product("8.50", 20).await;
        let piece = json!({"lines": [{"product_id": product, "quantity": 1}], "last": true});
        let (short, payment) = authorized(&shop, &customer, &product, "tok_ok").await;
        let (status, _) = capture(&shop, &payment, &unique("parcel"), &piece).await;
        assert_eq!(status, 201);
        let shown = until_shown(&shop, &customer, &short, "completed").await;
        assert_eq!(amounts(&shown), ["17.00", "8.50", "0.00"]);

        let (cancelled, payment) = authorized(&shop, &customer, &product, "tok_ok").await;
        let part = json!({"amount": money("3.00")});
        let (status, _) = capture(&shop, &payment, &unique("parcel"), &part).await;
        assert_eq!(status, 201);
        for order in [&short, &cancelled] {
            shop.cancel(&customer, order).await.expect(200);
            shop.until_settled(order).await;
            shop.until_payment_status(&customer, order, "refunded")
                .await;
        }
        let books = shop.books_of(&cancelled).await;
        assert_eq!((books.charges, books.taken), (1, books.given_back));
        let shown = shop.payment(&customer, &cancelled).await;
        assert_eq!(amounts(&shown), ["17.00", "3.00", "3.00"]);
        until("the ledger has it", async || {
            let call = shop.get(&format!("/ledger?payment_id={payment}"));
            let page = call.bearer(&shop.admin().await.token).send().await;
            let page = page.expect(200).json();
            let found = page["items"].as_array().unwrap().iter();
            let found: Vec<String> = found
                .map(|entry| {
                    format!(
                        "{} {}",
                        entry["of"].as_str().unwrap(),
                        written(&entry["amount"])
                    )
                })
                .collect();
            let expected = [
                "authorised 17.00",
                "captured 3.00",
                "released 14.00",
                "refunded 3.00",
            ];
            if found == expected {
                Ok(())
            } else {
                Err(format!("{found:?}"))
            }
        })
        .await;
        shop.balanced().await.unwrap();
        shop.audited().await.unwrap();
    });
}

#[test]
fn an_order_of_which_a_part_was_captured_is_refunded_once_that_is() {
    run_local(async {
        let shop = shop().await;
        let customer = shop.customer().await;
        let product = shop.product("8.50", 20).await;
        let (order, payment) = authorized(&shop, &customer, &product, "tok_ok").await;
        let piece = json!({"lines": [{"product_id": product, "quantity": 1}], "last": true});
        let (status, _) = capture(&shop, &payment, &unique("parcel"), &piece).await;
        assert_eq!(status, 201);
        for (refunded, shown) in [("3.00", "partially_refunded"), ("5.50", "refunded")] {
            let refund = shop.post(&format!("/payments/{payment}/refunds"));
            let refund = refund.bearer(&shop.admin().await.token).key(&unique("r"));
            let refund = refund.json(&json!({"amount": money(refunded)}));
            refund.send().await.expect(201);
            let payment = until_shown(&shop, &customer, &order, shown).await;
            assert_eq!(payment["status"], shown, "{payment}");
        }
        shop.audited().await.unwrap();
    });
}

#[test]
fn a_capture_whose_function_dies_is_made_by_the_next_run() {
    run_local(async {
        let shop = shop().await;
        let customer = shop.customer().await;
        let product = shop.product("8.50", 20).await;
        let (order, payment) = authorized(&shop, &customer, &product, "tok_ok").await;
        // It reads the payment, stores that the capture begins, and dies when it reads the payment again.
        shop.fault("dynamodb:GetItem@create-capture=kill-after#2")
            .await;
        let (status, _) = capture(&shop, &payment, "parcel", &json!({})).await;
        assert_eq!(status, 500);
        shop.no_faults().await;
        shop.run_until("the payment is captured", async || {
            let shown = shop.payment(&customer, &order).await;
            if shown["status"] == "completed" {
                Ok(())
            } else {
                Err(shown.to_string())
            }
        })
        .await;
        let books = shop.books_of(&order).await;
        assert_eq!((books.charges, books.given_back), (1, 0));
        shop.balanced().await.unwrap();
    });
}

#[test]
fn an_admin_is_told_of_an_authorisation_before_it_expires_and_when_it_has() {
    run_local(async {
        let shop = shop().await;
        let customer = shop.customer().await;
        let product = shop.product("8.50", 20).await;
        let (order, _) = authorized(&shop, &customer, &product, "tok_ok").await;
        shop.payment_event("charge.expired", &order)
            .await
            .send()
            .await
            .expect(204);
        let shown = until_shown(&shop, &customer, &order, "voided").await;
        assert_eq!(amounts(&shown), ["17.00", "0.00", "0.00"]);

        let (waiting, _) = authorized(&shop, &customer, &product, "tok_ok").await;
        let told = format!("\"uncaptured_order\":\"{waiting}\"");
        shop.advance(4 * 86_400).await;
        shop.quiet().await;
        assert!(!shop.logs().contains(&told));
        shop.advance(86_400).await;
        shop.run_until("the admin is told", async || {
            if shop.logs().contains(&told) {
                Ok(())
            } else {
                Err(String::new())
            }
        })
        .await;
    });
}
