//! What is sold out is refused at once.

use serde_json::{Value, json};

use crate::support::client::Answer;
use crate::support::people::{Person, order_of, unique};
use crate::support::shop::{Setup, Shop, shared};
use crate::support::{run, run_local};

/// Returns the type of a 409 with the pointer and the code of each error.
fn refusal(answer: Answer) -> Vec<String> {
    let problem = answer.expect(409).json();
    assert_eq!(problem["type"], "urn:oxcart:problem:out-of-stock");
    let errors = problem["errors"].as_array().unwrap().iter();
    let text = |error: &Value, name: &str| error[name].as_str().unwrap().to_owned();
    errors
        .map(|error| format!("{} {}", text(error, "pointer"), text(error, "code")))
        .collect()
}

fn quote_of(order: &Value) -> Value {
    json!({"items": order["items"], "shipping_address": order["shipping_address"]})
}

/// Asks for a quote of what `order` orders.
pub(super) async fn quote(shop: &Shop, customer: &Person, order: &Value) -> Answer {
    let call = shop.post("/quotes").bearer(&customer.token);
    call.json(&quote_of(order)).send().await
}

/// Sends `order` as a quote and as an order, of `customer` and of a guest.
async fn all_routes(shop: &Shop, customer: &Person, order: &Value) -> [Answer; 4] {
    let mut guests = order.clone();
    guests["email"] = json!(format!("{}@example.com", unique("guest")));
    let guest_quote = shop.post("/guest/quotes").json(&quote_of(order));
    let guest_order = shop.post("/guest/orders").key(&unique("order"));
    [
        quote(shop, customer, order).await,
        guest_quote.send().await,
        shop.place(customer, order).await,
        guest_order.json(&guests).send().await,
    ]
}

#[test]
fn what_is_sold_out_is_neither_quoted_nor_ordered() {
    run(async {
        let shop = shared().await;
        let customer = shop.customer().await;
        let product = shop.product("20.00", 2).await;
        let order = order_of(&[(&product, 1)], "tok_ok");
        let statuses = all_routes(shop, &customer, &order).await;
        assert_eq!(statuses.map(|answer| answer.status), [200, 200, 202, 202]);
        let product = shop.product("20.00", 2).await;
        shop.set_stock(&product, 0).await.expect(200);
        let order = order_of(&[(&product, 1)], "tok_ok");
        for answer in all_routes(shop, &customer, &order).await {
            assert_eq!(refusal(answer), ["/items/0/quantity out_of_stock"]);
        }
    });
}

#[test]
fn every_line_that_is_short_is_named_and_items_of_one_product_count_together() {
    run(async {
        let shop = shared().await;
        let customer = shop.customer().await;
        let (plenty, few, none) = (
            shop.product("20.00", 10).await,
            shop.product("20.00", 3).await,
            shop.product("20.00", 0).await,
        );
        let items = [(&*few, 2), (&*plenty, 2), (&*none, 1), (&*few, 2)];
        for answer in all_routes(shop, &customer, &order_of(&items, "tok_ok")).await {
            assert_eq!(
                refusal(answer),
                [
                    "/items/0/quantity out_of_stock",
                    "/items/2/quantity out_of_stock",
                    "/items/3/quantity out_of_stock"
                ]
            );
        }
        assert_eq!(shop.stock(&plenty).await, (10, 0, 10));
    });
}

#[test]
fn a_product_without_stock_is_out_of_stock_and_an_unknown_one_is_unknown() {
    run(async {
        let shop = shared().await;
        let customer = shop.customer().await;
        let admin = shop.admin().await;
        let teapot = crate::support::people::product("Teapot", "20.00");
        let call = shop.post("/products").bearer(&admin.token).json(&teapot);
        let product = call.send().await.expect(201).json();
        let order = order_of(&[(product["id"].as_str().unwrap(), 1)], "tok_ok");
        assert_eq!(
            refusal(shop.place(&customer, &order).await),
            ["/items/0/quantity out_of_stock"]
        );
        let unknown = order_of(&[("0195a1c1-0a10-7e21-b3f8-2d4c6e8fa099", 1)], "tok_ok");
        let answer = shop.place(&customer, &unknown).await.expect(422);
        assert_eq!(answer.json()["errors"][0]["code"], "unknown_product");
    });
}

#[test]
fn an_order_right_after_a_restock_is_never_refused() {
    run_local(async {
        let shop = Shop::start(Setup::default()).await;
        let customer = shop.customer().await;
        let product = shop.product("20.00", 0).await;
        shop.quiet().await;
        for function in ["create-quote", "place-order"] {
            shop.set_stock(&product, 0).await.expect(200);
            shop.fault(&format!("dynamodb:BatchGetItem@{function}=stale-read"))
                .await;
            shop.set_stock(&product, 2).await.expect(200);
            let order = order_of(&[(&product, 2)], "tok_ok");
            match function {
                "create-quote" => quote(&shop, &customer, &order).await.expect(200),
                _ => shop.place(&customer, &order).await.expect(202),
            };
            assert!(shop.fault_hits().await > 0);
        }
    });
}

#[test]
fn a_repeated_request_returns_its_order_although_nothing_is_left() {
    run(async {
        let shop = shared().await;
        let customer = shop.customer().await;
        let product = shop.product("20.00", 2).await;
        let order = order_of(&[(&product, 2)], "tok_ok");
        let key = unique("order");
        let placed = shop.place_with_key(&customer, &order, &key).await;
        let placed = placed.expect(202).json();
        shop.until_status(&customer, placed["id"].as_str().unwrap(), "confirmed")
            .await;
        let again = shop.place_with_key(&customer, &order, &key).await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        assert_eq!(again.expect(201).json()["id"], placed["id"]);
        let another = shop.place(&customer, &order).await;
        assert_eq!(refusal(another), ["/items/0/quantity out_of_stock"]);
    });
}
