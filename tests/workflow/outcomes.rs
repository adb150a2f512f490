//! How orders end, with both types of the state machine.

use serde_json::{Value, json};

use crate::support::people::{Person, order_of};
use crate::support::prices::money;
use crate::support::run_local;
use crate::support::shop::{Setup, Shop, express, shared};

/// A customer, a product at 19.90 with ten in stock, and the customer's order of two.
async fn order(shop: &Shop, token: &str) -> (Person, String, String) {
    let customer = shop.customer().await;
    let product = shop.product("19.90", 10).await;
    let order = shop.order(&customer, &product, token).await;
    (customer, product, order)
}

/// Checks that an order paid with `token` fails with `code` and a detail that contains `detail`, and holds nothing.
fn check_failure(token: &'static str, code: &'static str, detail: &'static str) {
    run_local(async {
        for shop in [shared().await, express().await] {
            let (customer, product, order) = order(shop, token).await;
            let failed = shop.until_status(&customer, &order, "failed").await;
            assert_eq!(failed["failure"]["code"], code);
            let message = failed["failure"]["detail"].as_str().unwrap();
            assert!(message.contains(detail), "{message}");
            shop.until_settled(&order).await;
            assert_eq!(shop.stock(&product).await, (10, 0, 10));
            let payment = shop.payment(&customer, &order).await;
            assert_eq!(payment["captured"], money("0.00"), "{payment}");
            let failed = shop.read(&customer, &order).await;
            assert_eq!(failed["payment_status"], payment["status"]);
        }
    });
}

#[test]
fn an_order_in_stock_and_paid_is_confirmed() {
    run_local(async {
        for shop in [shared().await, express().await] {
            let (customer, product, order) = order(shop, "tok_ok").await;
            let confirmed = shop.until_status(&customer, &order, "confirmed").await;
            assert_eq!(confirmed["payment_status"], "completed");
            assert!(confirmed["failure"].is_null());
            shop.until_settled(&order).await;
            assert_eq!(shop.stock(&product).await, (10, 2, 8));
            let payment = shop.payment(&customer, &order).await;
            assert_eq!(payment["captured"], money("39.80"));
            let books = shop.books_of(&order).await;
            assert_eq!(books.reservation["status"], "committed");
            assert_eq!(books.taken, 3980);
        }
    });
}

#[test]
fn a_declined_payment_fails_the_order() {
    check_failure("tok_declined", "payment_declined", "declined");
}

#[test]
fn a_payment_without_funds_fails_the_order_and_says_so() {
    check_failure(
        "tok_insufficient_funds",
        "payment_declined",
        "insufficient_funds",
    );
}

#[test]
fn an_order_below_the_minimum_is_refused_at_once_and_its_quote_says_what_is_missing() {
    run_local(async {
        for (basis, detail) in [("total", "the total of"), ("goods", "the goods cost")] {
            let shop = Shop::start(Setup {
                parameters: if basis == "goods" {
                    &[("MinimumOrderBasis", "goods")]
                } else {
                    &[]
                },
                ..Setup::default()
            })
            .await;
            let customer = shop.customer().await;
            let cost = json!({"type": "flat", "price": money("0.02")});
            let parcel = json!({"id": "parcel", "name": "Parcel", "cost": cost});
            shop.replace_all("/shipping-methods", json!([parcel])).await;
            let product = shop.product("4.99", 10).await;
            let ordered = |pieces: u32| {
                let mut order = order_of(&[(&product, pieces)], "tok_ok");
                order["shipping_method"] = json!("parcel");
                order
            };
            let quoted = async |order: &Value| {
                let mut body = order.clone();
                body.as_object_mut().unwrap().remove("payment");
                let call = shop.post("/quotes").bearer(&customer.token).json(&body);
                call.send().await.expect(200).json()["below_minimum"].clone()
            };
            let refused = async |order: &Value| {
                let refused = shop.place(&customer, order).await.expect(422).json();
                let fault = &refused["errors"][0];
                assert_eq!(fault["pointer"], "/items");
                assert_eq!(fault["code"], "below_minimum");
                let told = fault["detail"].as_str().unwrap();
                assert!(told.starts_with(detail), "{told}");
            };
            let lacks = |missing: &str| json!({"minimum": money("10.00"), "basis": basis, "missing": money(missing)});
            refused(&ordered(1)).await;
            // Two cost 9.98, and with shipping 10.00.
            let two = ordered(2);
            if basis == "total" {
                assert_eq!(quoted(&ordered(1)).await, lacks("4.99"));
                assert_eq!(quoted(&two).await, Value::Null);
                let order = shop.place(&customer, &two).await.expect(202).json();
                let order = order["id"].as_str().unwrap();
                shop.until_status(&customer, order, "confirmed").await;
            } else {
                assert_eq!(quoted(&ordered(1)).await, lacks("5.01"));
                assert_eq!(quoted(&two).await, lacks("0.02"));
                refused(&two).await;
                assert_eq!(quoted(&ordered(3)).await, Value::Null);
            }
        }
    });
}

#[test]
fn one_line_out_of_stock_fails_the_whole_order() {
    run_local(async {
        // The request sees the stock before the last piece is sold, and the workflow after that.
        let shop = Shop::start(Setup::default()).await;
        let customer = shop.customer().await;
        let (plenty, scarce) = (
            shop.product("19.90", 10).await,
            shop.product("19.90", 2).await,
        );
        shop.quiet().await;
        shop.fault("dynamodb:BatchGetItem@place-order=stale-read")
            .await;
        shop.set_stock(&scarce, 1).await.expect(200);
        let order = order_of(&[(&plenty, 2), (&scarce, 2)], "tok_ok");
        let placed = shop.place(&customer, &order).await.expect(202).json();
        let order = placed["id"].as_str().unwrap();
        let failed = shop.until_status(&customer, order, "failed").await;
        assert_eq!(failed["failure"]["code"], "out_of_stock");
        shop.until_settled(order).await;
        assert_eq!(shop.stock(&plenty).await, (10, 0, 10));
        assert_eq!(shop.stock(&scarce).await, (1, 0, 1));
        assert_eq!(shop.books_of(order).await.taken, 0);
    });
}

#[test]
fn a_cancelled_order_gives_stock_and_money_back() {
    run_local(async {
        for shop in [shared().await, express().await] {
            let (customer, product, order) = order(shop, "tok_ok").await;
            shop.until_status(&customer, &order, "confirmed").await;
            shop.cancel(&customer, &order).await.expect(200);
            shop.until_settled(&order).await;
            let cancelled = shop.read(&customer, &order).await;
            assert_eq!(cancelled["status"], "cancelled");
            assert_eq!(cancelled["payment_status"], "refunded");
            assert_eq!(shop.stock(&product).await, (10, 0, 10));
            let payment = shop.payment(&customer, &order).await;
            assert_eq!(payment["refunded"], money("39.80"));
            let books = shop.books_of(&order).await;
            assert_eq!((books.taken, books.given_back), (3980, 3980));
        }
    });
}

#[test]
fn an_unknown_payment_is_looked_up_until_it_is_known_and_charged_once() {
    run_local(async {
        for express in [false, true] {
            let shop = Shop::start(Setup {
                manual_clock: true,
                express,
                ..Setup::default()
            })
            .await;
            let (customer, product, order) = order(&shop, "tok_unknown").await;
            shop.until_payment_status(&customer, &order, "processing")
                .await;
            let pending = shop.read(&customer, &order).await;
            assert_eq!(pending["status"], "pending");
            assert_eq!(shop.stock(&product).await, (10, 2, 8));
            shop.run_until_settled(&order).await;
            let confirmed = shop.read(&customer, &order).await;
            assert_eq!(confirmed["status"], "confirmed");
            assert_eq!(confirmed["payment_status"], "completed");
            let books = shop.books_of(&order).await;
            assert_eq!((books.charges, books.taken), (1, 3980));
            shop.balanced().await.unwrap();
            shop.audited().await.unwrap();
        }
    });
}

#[test]
fn a_payment_that_is_authorised_first_is_captured_by_the_next_run() {
    run_local(async {
        let shop = Shop::start(Setup {
            manual_clock: true,
            ..Setup::default()
        })
        .await;
        let (customer, _, order) = order(&shop, "tok_capture_later").await;
        shop.run_until_settled(&order).await;
        let settled = shop.read(&customer, &order).await;
        assert_eq!(settled["status"], "confirmed");
        assert_eq!(settled["payment_status"], "completed");
        assert_eq!(shop.books_of(&order).await.taken, 3980);
    });
}
