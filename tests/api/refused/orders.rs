//! Invalid orders.

use expect_test::expect;
use serde_json::{Value, json};

use super::{JSON, Scene};
use crate::support::people::order_of;
use crate::support::run_local;

#[test]
fn orders_that_cannot_be_read_are_refused() {
    run_local(async {
        let scene = Scene::new().await;
        let quantity =
            |quantity: Value| scene.order_with(|order| order["items"][0]["quantity"] = quantity);
        let lines = |count: usize| {
            let line = json!({"product_id": scene.product, "quantity": 1});
            scene.order_with(|order| order["items"] = json!(vec![line; count]))
        };
        let no_key = scene.shop.post("/orders").bearer(&scene.customer.token);
        let calls = vec![
            ("nothing", scene.place().json(&json!({}))),
            ("a text", scene.place().json(&json!("two kites please"))),
            ("broken JSON", scene.place().raw(JSON, "{\"items\":[}")),
            (
                "plain text",
                scene.place().raw("text/plain", "two kites please"),
            ),
            (
                "no key",
                no_key.json(&order_of(&[(&scene.product, 1)], "tok_ok")),
            ),
            ("no lines", lines(0)),
            ("51 lines", lines(51)),
            ("a quantity of zero", quantity(json!(0))),
            ("a negative quantity", quantity(json!(-1))),
            ("a fraction of a quantity", quantity(json!(0.5))),
            ("a quantity that is a text", quantity(json!("1"))),
            ("a huge quantity", quantity(json!(u64::MAX))),
            ("1000 of one product", quantity(json!(1000))),
            (
                "1000 of one product in two lines",
                scene.place().json(&order_of(
                    &[(&scene.product, 999), (&scene.product, 1)],
                    "tok_ok",
                )),
            ),
        ];
        scene
            .check(
                calls,
                expect![[r#"
            nothing: 422 invalid-body /items required /shipping_address required /payment required
            a text: 400 malformed-request
            broken JSON: 400 malformed-request
            plain text: 415 unsupported-media-type
            no key: 400 idempotency-key-required
            no lines: 422 invalid-body /items length
            51 lines: 422 invalid-body /items length
            a quantity of zero: 422 invalid-body /items/0/quantity range
            a negative quantity: 422 invalid-body /items/0/quantity range
            a fraction of a quantity: 422 invalid-body /items/0/quantity type
            a quantity that is a text: 422 invalid-body /items/0/quantity type
            a huge quantity: 422 invalid-body /items/0/quantity range
            1000 of one product: 422 invalid-body /items/0/quantity range
            1000 of one product in two lines: 422 invalid-body /items/1/quantity range
        "#]],
            )
            .await;
    });
}

#[test]
fn orders_of_unavailable_products_or_with_invalid_details_are_refused() {
    run_local(async {
        let scene = Scene::new().await;
        let nobody = uuid::Uuid::nil();
        let kite = scene.discontinued().await;
        let set = |pointer: &'static str, value: Value| {
            scene.order_with(|order| *order.pointer_mut(pointer).unwrap() = value)
        };
        let calls = vec![
            (
                "an unknown product",
                set("/items/0/product_id", json!(nobody)),
            ),
            (
                "a product with an invalid id",
                set("/items/0/product_id", json!("kite")),
            ),
            (
                "a product that is not sold any more",
                set("/items/0/product_id", json!(kite)),
            ),
            (
                "a price",
                scene.order_with(|order| order["items"][0]["unit_price"] = json!("0.01")),
            ),
            (
                "somebody else's name",
                scene.order_with(|order| order["customer_id"] = json!(scene.stranger.id)),
            ),
            (
                "no address",
                scene.order_with(|order| order["shipping_address"] = json!(null)),
            ),
            (
                "an address of a wrong type",
                set("/shipping_address", json!("Köln")),
            ),
            (
                "a huge recipient",
                set("/shipping_address/recipient", json!("E".repeat(10_000))),
            ),
            (
                "no such country",
                set("/shipping_address/country", json!("Germany")),
            ),
            (
                "an unknown field of the address",
                scene.order_with(|order| order["shipping_address"]["planet"] = json!("Earth")),
            ),
            ("no token", set("/payment", json!({}))),
            (
                "a card number",
                scene.order_with(|order| order["payment"]["card"] = json!("4242424242424242")),
            ),
            (
                "a token of two words",
                set("/payment/token", json!("tok ok")),
            ),
            (
                "a discount",
                scene.order_with(|order| order["discount_code"] = json!("SPRING")),
            ),
        ];
        scene
            .check(
                calls,
                expect![[r#"
            an unknown product: 422 invalid-body /items/0/product_id unknown_product
            a product with an invalid id: 422 invalid-body /items/0/product_id invalid
            a product that is not sold any more: 422 invalid-body /items/0/product_id not_for_sale
            a price: 422 invalid-body /items/0/unit_price unknown_field
            somebody else's name: 422 invalid-body /customer_id unknown_field
            no address: 422 invalid-body /shipping_address type
            an address of a wrong type: 422 invalid-body /shipping_address type
            a huge recipient: 422 invalid-body /shipping_address/recipient length
            no such country: 422 invalid-body /shipping_address/country invalid
            an unknown field of the address: 422 invalid-body /shipping_address/planet unknown_field
            no token: 422 invalid-body /payment/token required
            a card number: 422 invalid-body /payment/card unknown_field
            a token of two words: 422 invalid-body /payment/token invalid
            a discount: 422 invalid-body /discount_code unknown_code
        "#]],
            )
            .await;
    });
}
