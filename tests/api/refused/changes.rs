//! Invalid changes and lists of products.

use expect_test::expect;
use serde_json::{Value, json};

use super::Scene;
use crate::support::prices::money;
use crate::support::run_local;

#[test]
fn bad_changes_of_products_are_refused() {
    run_local(async {
        let scene = Scene::new().await;
        let update = |body: Value| scene.update_product().json(&body);
        let nobody = uuid::Uuid::nil();
        let delete = |path: &str| scene.shop.delete(path).bearer(&scene.admin.token);
        let get = |path: &str| scene.shop.get(path);
        let calls = vec![
            ("a null name", update(json!({"name": null}))),
            ("a free product", update(json!({"price": money("0.00")}))),
            ("another id", update(json!({"id": nobody}))),
            (
                "a broken tag",
                update(json!({"name": "Kite"})).header("if-match", "1"),
            ),
            ("no tag", delete(&format!("/products/{}", scene.product))),
            (
                "a stale tag",
                delete(&format!("/products/{}", scene.product)).header("if-match", "\"9\""),
            ),
            (
                "an unknown product",
                delete(&format!("/products/{nobody}")).header("if-match", "*"),
            ),
            ("a product with an invalid id", get("/products/kite")),
            (
                "an id without hyphens",
                get(&format!("/products/{}", scene.product.replace('-', ""))),
            ),
            ("a limit of zero", get("/products?limit=0")),
            ("a limit of 101", get("/products?limit=101")),
            ("a limit that is not a number", get("/products?limit=ten")),
            ("a cursor of another kind", get("/products?cursor=%21")),
            ("an unknown parameter", get("/products?colour=red")),
            ("an unknown status", get("/products?status=sold")),
        ];
        scene
            .check(
                calls,
                expect![[r#"
            a null name: 422 invalid-body /name type
            a free product: 422 invalid-body /price range
            another id: 422 invalid-body /id unknown_field
            a broken tag: 400 invalid-parameters If-Match invalid
            no tag: 428 precondition-required
            a stale tag: 412 precondition-failed
            an unknown product: 404 not-found
            a product with an invalid id: 404 not-found
            an id without hyphens: 404 not-found
            a limit of zero: 400 invalid-parameters ?limit invalid
            a limit of 101: 400 invalid-parameters ?limit invalid
            a limit that is not a number: 400 invalid-parameters ?limit invalid
            a cursor of another kind: 400 invalid-parameters ?cursor invalid
            an unknown parameter: 400 invalid-parameters ?colour unknown_parameter
            an unknown status: 400 invalid-parameters ?status invalid
        "#]],
            )
            .await;
    });
}
