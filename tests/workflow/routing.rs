//! Payments at several gateways: what happens to orders while one of them fails.

use serde_json::json;

use crate::support::people::Person;
use crate::support::prices::money;
use crate::support::run_local;
use crate::support::shop::{Setup, Shop};

async fn shop() -> Shop {
    let shop = Shop::start(Setup {
        manual_clock: true,
        parameters: &[("PaymentGateways", "sandbox:a,sandbox:b")],
        ..Setup::default()
    });
    shop.await
}

/// Orders two pieces of `product` at 19.90, and returns the order once it is confirmed, with the gateway that took the payment
/// and the number of its attempt.
async fn pay(shop: &Shop, customer: &Person, product: &str, token: &str) -> (String, String) {
    let order = shop.order(customer, product, token).await;
    shop.until_status(customer, &order, "confirmed").await;
    let place = place(shop, customer, &order).await;
    (order, place)
}

async fn place(shop: &Shop, customer: &Person, order: &str) -> String {
    let payment = shop.payment(customer, order).await;
    assert_eq!(payment["captured"], money("39.80"), "{payment}");
    let gateway = payment["gateway"].as_str().unwrap();
    format!("{gateway} {}", payment["attempts"])
}

#[test]
fn orders_go_on_at_another_gateway_while_one_fails_and_come_back_to_it() {
    run_local(async {
        let shop = shop().await;
        let customer = shop.customer().await;
        let product = shop.product("19.90", 100).await;
        let (_, at) = pay(&shop, &customer, &product, "tok_ok").await;
        assert_eq!(at, "sandbox:a 1");
        let mut moved = Vec::new();
        for _ in 0..5 {
            let (order, at) = pay(&shop, &customer, &product, "tok_busy_at_a").await;
            assert_eq!(at, "sandbox:b 2");
            moved.push(order);
        }
        assert!(shop.logs().contains("\"left_out_seconds\":30"));
        // It has failed five times, so it is not asked any more.
        let (_, at) = pay(&shop, &customer, &product, "tok_ok").await;
        assert_eq!(at, "sandbox:b 1");
        shop.advance(31).await;
        let (_, at) = pay(&shop, &customer, &product, "tok_ok").await;
        assert_eq!(at, "sandbox:a 1");
        let (_, at) = pay(&shop, &customer, &product, "tok_ok").await;
        assert_eq!(at, "sandbox:a 1");
        shop.run_until_settled(&moved[4]).await;
        shop.balanced().await.unwrap();
        // What was paid at the other gateway is refunded there, by an admin or because the order is cancelled.
        let payment = shop.payment_of(&moved[0]).await;
        let admin = shop.admin().await;
        let path = format!("/payments/{payment}/refunds");
        let refund = shop.post(&path).bearer(&admin.token).key("some-of-it");
        let refund = refund.json(&json!({"amount": money("10.00")}));
        let refund = refund.send().await;
        assert_eq!(refund.expect(201).json()["status"], "succeeded");
        shop.cancel(&customer, &moved[1]).await.expect(200);
        for order in &moved {
            shop.run_until_settled(order).await;
        }
        let [one, other] = [&moved[0], &moved[1]].map(|order| shop.books_of(order));
        let (one, other) = (one.await, other.await);
        assert_eq!((one.charges, one.taken, one.given_back), (1, 3980, 1000));
        assert_eq!(
            (other.charges, other.taken, other.given_back),
            (1, 3980, 3980)
        );
        shop.audited().await.unwrap();
    });
}

#[test]
fn an_order_is_charged_once_although_the_function_dies_while_its_payment_moves() {
    run_local(async {
        let shop = shop().await;
        let customer = shop.customer().await;
        let product = shop.product("19.90", 100).await;
        // It gives the attempt up, voids it, goes to the other gateway and stores the outcome.
        for calls in ["UpdateItem", "PutItem"] {
            for at in 1..=3 {
                for kill in ["kill-before", "kill-after"] {
                    let fault = format!("dynamodb:{calls}@process-payment={kill}#{at}");
                    shop.fault(&fault).await;
                    let order = shop.order(&customer, &product, "tok_busy_at_a").await;
                    shop.run_until_settled(&order).await;
                    let hits = shop.fault_hits().await;
                    shop.no_faults().await;
                    assert_eq!(hits, 1, "{fault}");
                    let books = shop.books_of(&order).await;
                    assert_eq!(books.status(), "confirmed", "{fault}: {books:#?}");
                    assert_eq!(books.taken, 3980, "{fault}: {books:#?}");
                    // Failures at one gateway leave it out for the orders that follow.
                    shop.advance(1000).await;
                }
            }
        }
        shop.balanced().await.unwrap();
        shop.audited().await.unwrap();
    });
}
