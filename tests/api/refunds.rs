//! Refunds, through the functions.

use serde_json::{Value, json};

use crate::support::people::{Person, unique};
use crate::support::prices::{CURRENCY, amount, money, written};
use crate::support::shop::{Setup, Shop};
use crate::support::{run_local, until};

/// Asks for a refund as the admin. Returns the status and the body.
async fn refund(shop: &Shop, payment: &str, key: &str, body: Value) -> (u16, Value) {
    let call = shop.post(&format!("/payments/{payment}/refunds"));
    let call = call.bearer(&shop.admin().await.token).key(key).json(&body);
    let answer = call.send().await;
    (answer.status, answer.json())
}

/// Waits until the order of `customer` has this payment status.
async fn until_shown(shop: &Shop, customer: &Person, order: &str, status: &str) {
    until("the order shows the refund", async || {
        let call = shop
            .get(&format!("/orders/{order}"))
            .bearer(&customer.token);
        let shown = call.send().await.expect(200).json();
        let shown = shown["payment_status"].as_str().unwrap().to_owned();
        if shown == status { Ok(()) } else { Err(shown) }
    })
    .await;
}

#[test]
fn an_admin_refunds_half_an_order_and_its_piece_comes_back_into_stock() {
    run_local(async {
        let shop = Shop::start(Setup::default()).await;
        let customer = shop.customer().await;
        let product = shop.product("8.50", 10).await;
        let order = shop.order(&customer, &product, "tok_ok").await;
        shop.until_settled(&order).await;
        let payment = shop.payment_of(&order).await;
        assert_eq!(shop.stock(&product).await, (10, 2, 8));
        let half = format!("{} {}", amount("8.50"), CURRENCY.code());
        let piece = json!({"lines": [{"product_id": product, "quantity": 1}], "restock": true,
            "reason": "Der Deckel war kaputt."});
        let key = unique("refund");
        let (status, made) = refund(&shop, &payment, &key, piece.clone()).await;
        assert_eq!(
            (status, &made["status"]),
            (201, &json!("succeeded")),
            "{made}"
        );
        assert_eq!(written(&made["amount"]), "8.50");
        let (status, again) = refund(&shop, &payment, &key, piece).await;
        assert_eq!((status, &again), (201, &made));
        until_shown(&shop, &customer, &order, "partially_refunded").await;
        until("the piece is back", async || {
            match shop.stock(&product).await {
                (10, 1, 9) => Ok(()),
                other => Err(format!("{other:?}")),
            }
        })
        .await;
        until("the mail is sent", async || {
            let mail = shop.order_mail().await;
            let told = |mail: &Value| {
                mail["text"]
                    .as_str()
                    .unwrap()
                    .contains(&format!("refunded {half}"))
            };
            if mail.iter().any(told) {
                Ok(())
            } else {
                Err(format!("{mail:?}"))
            }
        })
        .await;
        let (status, problem) = refund(
            &shop,
            &payment,
            &unique("refund"),
            json!({"amount": money("8.51")}),
        )
        .await;
        assert_eq!(
            (status, &problem["detail"]),
            (
                409,
                &json!(format!("only {half} of the payment is left to refund"))
            )
        );
        let call = shop
            .post(&format!("/orders/{order}/cancel"))
            .bearer(&customer.token);
        call.send().await.expect(200);
        until_shown(&shop, &customer, &order, "refunded").await;
        until("the other piece is back", async || {
            match shop.stock(&product).await {
                (10, 0, 10) => Ok(()),
                other => Err(format!("{other:?}")),
            }
        })
        .await;
        let call = shop
            .get(&format!("/payments/{payment}/refunds"))
            .bearer(&customer.token);
        let listed = call.send().await.expect(200).json();
        let amounts: Vec<String> = listed["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|refund| written(&refund["amount"]))
            .collect();
        assert_eq!(amounts, ["8.50", "8.50"]);
        shop.balanced().await.unwrap();
    });
}

/// Moves the clock on until the last refund has succeeded.
async fn run_until_succeeded(shop: &Shop, customer: &Person, payment: &str) {
    shop.run_until("the refund has succeeded", async || {
        let call = shop
            .get(&format!("/payments/{payment}/refunds"))
            .bearer(&customer.token);
        let listed = call.send().await.expect(200).json();
        match listed["items"][0]["status"].as_str() {
            Some("succeeded") => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
}

#[test]
fn the_outcome_of_a_pending_refund_is_asked_for() {
    run_local(async {
        let setup = Setup {
            manual_clock: true,
            ..Setup::default()
        };
        let shop = Shop::start(setup).await;
        let customer = shop.customer().await;
        let product = shop.product("8.50", 10).await;
        let order = shop.order(&customer, &product, "tok_refund_pending").await;
        shop.until_settled(&order).await;
        let payment = shop.payment_of(&order).await;
        let some = json!({"amount": money("5.00")});
        // The function dies when it has stored the refund, before it calls the gateway.
        shop.fault("dynamodb:TransactWriteItems@create-refund=kill-after")
            .await;
        let path = format!("/payments/{payment}/refunds");
        let call = shop.post(&path).bearer(&shop.admin().await.token);
        let call = call.key(&unique("refund")).json(&some);
        assert_eq!(call.send().await.status, 500);
        shop.no_faults().await;
        run_until_succeeded(&shop, &customer, &payment).await;
        let (status, made) = refund(&shop, &payment, &unique("refund"), some.clone()).await;
        assert_eq!(
            (status, &made["status"]),
            (201, &json!("pending")),
            "{made}"
        );
        run_until_succeeded(&shop, &customer, &payment).await;
        // Another one is pending when the order is cancelled, which waits for it.
        let (_, made) = refund(&shop, &payment, &unique("refund"), some).await;
        assert_eq!(made["status"], "pending", "{made}");
        let call = shop
            .post(&format!("/orders/{order}/cancel"))
            .bearer(&customer.token);
        call.send().await.expect(200);
        shop.run_until("all of it is refunded", async || {
            let books = shop.books_of(&order).await;
            let refunded = &books.payment["refunded"];
            if *refunded == books.payment["captured"] {
                Ok(())
            } else {
                Err(refunded.to_string())
            }
        })
        .await;
    });
}

#[test]
fn a_refund_that_comes_back_is_shown_and_can_be_made_again() {
    run_local(async {
        let shop = Shop::start(Setup::default()).await;
        let customer = shop.customer().await;
        let product = shop.product("8.50", 10).await;
        let order = shop.order(&customer, &product, "tok_ok").await;
        shop.until_settled(&order).await;
        let payment = shop.payment_of(&order).await;
        let all = json!({"amount": money("17.00")});
        let (status, made) = refund(&shop, &payment, &unique("refund"), all.clone()).await;
        assert_eq!((status, &made["status"]), (201, &json!("succeeded")));
        until_shown(&shop, &customer, &order, "refunded").await;
        let event = json!({
            "type": "refund.failed", "charge": format!("{order}:1"), "refund": made["id"],
        });
        for _ in 0..2 {
            let call = shop.signed_event(&event, "whsec_sandbox").await;
            call.send().await.expect(204);
        }
        until_shown(&shop, &customer, &order, "completed").await;
        let shown = shop.payment(&customer, &order).await;
        assert_eq!(
            (&shown["status"], &shown["refunded"]),
            (&json!("completed"), &money("0.00"))
        );
        let (status, again) = refund(&shop, &payment, &unique("refund"), all).await;
        assert_eq!((status, &again["status"]), (201, &json!("succeeded")));
        until_shown(&shop, &customer, &order, "refunded").await;
        shop.quiet().await;
        let entries = shop
            .get(&format!("/ledger?payment_id={payment}"))
            .bearer(&shop.admin().await.token);
        let entries = entries.send().await.expect(200).json();
        let entries = entries["items"].as_array().unwrap().iter();
        let moved: Vec<_> = entries
            .map(|entry| {
                let of = entry["of"].as_str().unwrap().to_owned();
                let refund = entry["refund_id"].clone();
                (of, written(&entry["amount"]), refund)
            })
            .filter(|(of, _, _)| of.starts_with("refund"))
            .collect();
        let entry = |of: &str, refund: &Value| (of.to_owned(), "17.00".to_owned(), refund.clone());
        let expected = [
            entry("refunded", &made["id"]),
            entry("refund_returned", &made["id"]),
            entry("refunded", &again["id"]),
        ];
        assert_eq!(moved, expected);
        // The customer is not told of money that came back to the shop.
        let mail = shop.order_mail().await;
        let mail = mail.iter().map(|mail| mail["text"].as_str().unwrap());
        let told = mail.filter(|text| text.contains("refunded "));
        assert_eq!(told.count(), 2);
        shop.audited().await.unwrap();
    });
}
