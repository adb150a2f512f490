//! Invalid products.

use expect_test::expect;
use serde_json::{Value, json};

use super::{JSON, Scene, and, with};
use crate::support::people::product;
use crate::support::prices::{amount, too_exact};
use crate::support::run_local;

#[test]
fn products_that_cannot_be_read_are_refused() {
    run_local(async {
        let scene = Scene::new().await;
        let kite = || product("Kite", "18.50");
        let create = |body: Value| scene.create_product().json(&body);
        let calls = vec![
            ("nothing", create(json!({}))),
            ("a list", create(json!([]))),
            ("no body", scene.create_product().raw(JSON, "")),
            (
                "broken JSON",
                scene.create_product().raw(JSON, "{\"name\":"),
            ),
            ("two documents", scene.create_product().raw(JSON, "{}{}")),
            (
                "not text at all",
                scene.create_product().raw(JSON, vec![0xff, 0xfe]),
            ),
            (
                "a form",
                scene
                    .create_product()
                    .raw("application/x-www-form-urlencoded", "name=Kite"),
            ),
            (
                "plain text",
                scene.create_product().raw("text/plain", kite().to_string()),
            ),
            (
                "a name of a wrong type",
                create(with(kite(), "/name", json!(5))),
            ),
            ("an empty name", create(with(kite(), "/name", json!("")))),
            ("a blank name", create(with(kite(), "/name", json!("   ")))),
            (
                "a name with a NUL",
                create(with(kite(), "/name", json!("Ki\0te"))),
            ),
            (
                "a name of 256 characters",
                create(with(kite(), "/name", json!("k".repeat(256)))),
            ),
            (
                "a huge name",
                create(with(kite(), "/name", json!("k".repeat(60_000)))),
            ),
            (
                "a huge body",
                create(with(kite(), "/name", json!("k".repeat(70_000)))),
            ),
            (
                "a huge description",
                create(and(kite(), "description", json!("k".repeat(1001)))),
            ),
            (
                "an unknown field",
                create(and(kite(), "colour", json!("red"))),
            ),
            ("an id", create(and(kite(), "id", json!(scene.product)))),
        ];
        scene
            .check(
                calls,
                expect![[r#"
            nothing: 422 invalid-body /name required /price required /category required
            a list: 400 malformed-request
            no body: 400 malformed-request
            broken JSON: 400 malformed-request
            two documents: 400 malformed-request
            not text at all: 400 malformed-request
            a form: 415 unsupported-media-type
            plain text: 415 unsupported-media-type
            a name of a wrong type: 422 invalid-body /name type
            an empty name: 422 invalid-body /name length
            a blank name: 422 invalid-body /name blank
            a name with a NUL: 422 invalid-body /name control_character
            a name of 256 characters: 422 invalid-body /name length
            a huge name: 422 invalid-body /name length
            a huge body: 413 body-too-large
            a huge description: 422 invalid-body /description length
            an unknown field: 422 invalid-body /colour unknown_field
            an id: 422 invalid-body /id unknown_field
        "#]],
            )
            .await;
    });
}

#[test]
fn products_with_impossible_values_are_refused() {
    run_local(async {
        let scene = Scene::new().await;
        let kite = || product("Kite", "18.50");
        let create = |body: Value| scene.create_product().json(&body);
        let price = |amount: Value| create(with(kite(), "/price/amount", amount));
        let calls = vec![
            ("a price as a number", price(json!(18.5))),
            ("a price of a decimal too many", price(json!(too_exact()))),
            ("a price of nothing", price(json!(amount("0.00")))),
            ("a negative price", price(json!(amount("-1.00")))),
            ("a price that is not a number", price(json!("NaN"))),
            ("a price with an exponent", price(json!("1e3"))),
            ("a huge price", price(json!("9".repeat(40)))),
            (
                "another currency",
                create(with(kite(), "/price/currency", json!("CHF"))),
            ),
            (
                "a price without its currency",
                create(with(kite(), "/price", json!({"amount": amount("1.00")}))),
            ),
            (
                "a price that is a text",
                create(with(kite(), "/price", json!("1.00"))),
            ),
            (
                "a category with spaces",
                create(with(kite(), "/category", json!("Big Toys"))),
            ),
            (
                "attributes that are a list",
                create(and(kite(), "attributes", json!(["red"]))),
            ),
            (
                "an attribute that is a number",
                create(and(kite(), "attributes", json!({"legs": 4}))),
            ),
            (
                "a status of its own",
                create(and(kite(), "status", json!("sold"))),
            ),
            (
                "discontinued from the start",
                create(and(kite(), "status", json!("discontinued"))),
            ),
            (
                "several faults",
                create(json!({"name": 1, "price": {"amount": too_exact()}, "x": null})),
            ),
            ("a key of two words", create(kite()).key("two words")),
            (
                "a key that is too long",
                create(kite()).key(&"k".repeat(256)),
            ),
        ];
        scene.check(calls, expect![[r#"
            a price as a number: 422 invalid-body /price/amount type
            a price of a decimal too many: 422 invalid-body /price/amount decimals
            a price of nothing: 422 invalid-body /price range
            a negative price: 422 invalid-body /price range
            a price that is not a number: 422 invalid-body /price/amount invalid
            a price with an exponent: 422 invalid-body /price/amount invalid
            a huge price: 422 invalid-body /price/amount invalid
            another currency: 422 invalid-body /price/currency currency
            a price without its currency: 422 invalid-body /price/currency required
            a price that is a text: 422 invalid-body /price type
            a category with spaces: 422 invalid-body /category invalid
            attributes that are a list: 422 invalid-body /attributes type
            an attribute that is a number: 422 invalid-body /attributes/legs type
            a status of its own: 422 invalid-body /status invalid
            discontinued from the start: 422 invalid-body /status invalid
            several faults: 422 invalid-body /name type /price/amount decimals /price/currency required /category required /x unknown_field
            a key of two words: 400 idempotency-key-required
            a key that is too long: 400 idempotency-key-required
        "#]]).await;
    });
}
