//! Invalid stock.

use expect_test::expect;
use serde_json::{Value, json};

use super::Scene;
use crate::support::run_local;

#[test]
fn bad_stock_is_refused() {
    run_local(async {
        let scene = Scene::new().await;
        let set = |body: Value| scene.set_stock().json(&body);
        let nobody = uuid::Uuid::nil();
        let calls = vec![
            ("nothing", set(json!({}))),
            ("a negative number", set(json!({"on_hand": -1}))),
            ("a fraction", set(json!({"on_hand": 1.5}))),
            ("a text", set(json!({"on_hand": "10"}))),
            ("a huge number", set(json!({"on_hand": 10_000_000_000_u64}))),
            (
                "an unknown field",
                set(json!({"on_hand": 10, "reserved": 0})),
            ),
            ("less than is reserved", set(json!({"on_hand": 1}))),
            (
                "a customer",
                scene
                    .shop
                    .put(&format!("/inventory/{}", scene.product))
                    .bearer(&scene.customer.token)
                    .header("if-match", "*")
                    .json(&json!({"on_hand": 10})),
            ),
            (
                "stock of an unknown product",
                scene
                    .shop
                    .get(&format!("/inventory/{nobody}"))
                    .bearer(&scene.admin.token),
            ),
        ];
        scene
            .check(
                calls,
                expect![[r#"
            nothing: 422 invalid-body /on_hand required
            a negative number: 422 invalid-body /on_hand range
            a fraction: 422 invalid-body /on_hand type
            a text: 422 invalid-body /on_hand type
            a huge number: 422 invalid-body /on_hand range
            an unknown field: 422 invalid-body /reserved unknown_field
            less than is reserved: 409 conflict
            a customer: 403 forbidden
            stock of an unknown product: 404 not-found
        "#]],
            )
            .await;
    });
}
