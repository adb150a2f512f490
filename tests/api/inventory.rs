use expect_test::{Expect, expect};
use serde_json::{Value, json};

use super::check;
use crate::support::people::order_of;
use crate::support::shop::shared;
use crate::support::{run, until};

/// Sets the stock of a product that has ten on hand.
fn check_set(body: Value, if_match: Option<&'static str>, expected: Expect) {
    run(async {
        let shop = shared().await;
        let admin = shop.admin().await;
        let product = shop.product("19.90", 10).await;
        let path = format!("/inventory/{product}");
        let mut call = shop.put(&path).bearer(&admin.token).json(&body);
        if let Some(tag) = if_match {
            call = call.header("if-match", tag);
        }
        check(&call.send().await, expected);
    });
}

#[test]
fn stock_is_set_with_a_star() {
    check_set(
        json!({"on_hand": 25}),
        Some("*"),
        expect![[r#"
            200
            content-type: application/json
            etag: "<version>-0"
            {
              "available": 25,
              "backorder": 0,
              "locations": [
                {
                  "available": 25,
                  "backorder": 0,
                  "location": "main",
                  "on_hand": 25,
                  "reserved": 0
                }
              ],
              "on_hand": 25,
              "product_id": "<id-1>",
              "reserved": 0,
              "variant_id": "<id-1>"
            }
        "#]],
    );
}

#[test]
fn stock_is_not_set_without_if_match() {
    check_set(
        json!({"on_hand": 25}),
        None,
        expect![[r#"
            428
            content-type: application/problem+json
            {
              "detail": "send the ETag that you read in If-Match",
              "instance": "urn:oxcart:request:<id>",
              "status": 428,
              "title": "Precondition required",
              "type": "urn:oxcart:problem:precondition-required"
            }
        "#]],
    );
}

#[test]
fn stock_is_not_set_with_a_stale_tag() {
    check_set(
        json!({"on_hand": 25}),
        Some("\"17-0\""),
        expect![[r#"
            412
            content-type: application/problem+json
            {
              "detail": "it has changed since you read it: read it again",
              "instance": "urn:oxcart:request:<id>",
              "status": 412,
              "title": "Precondition failed",
              "type": "urn:oxcart:problem:precondition-failed"
            }
        "#]],
    );
}

#[test]
fn a_new_product_has_stock_of_zero() {
    run(async {
        let shop = shared().await;
        let admin = shop.admin().await;
        let body = crate::support::people::product("Kite", "18.50");
        let call = shop.post("/products").bearer(&admin.token).json(&body);
        let product = call.send().await.expect(201).json()["id"].clone();
        let path = format!("/inventory/{}", product.as_str().unwrap());
        let stock = until("stock", async || {
            let response = shop.get(&path).bearer(&admin.token).send().await;
            if response.status == 200 {
                Ok(response)
            } else {
                Err(response.text)
            }
        })
        .await;
        check(
            &stock,
            expect![[r#"
                200
                content-type: application/json
                etag: "<version>-0"
                {
                  "available": 0,
                  "backorder": 0,
                  "locations": [
                    {
                      "available": 0,
                      "backorder": 0,
                      "location": "main",
                      "on_hand": 0,
                      "reserved": 0
                    }
                  ],
                  "on_hand": 0,
                  "product_id": "<id-1>",
                  "reserved": 0,
                  "variant_id": "<id-1>"
                }
            "#]],
        );
    });
}

#[test]
fn less_than_is_reserved_cannot_be_on_hand() {
    run(async {
        let shop = shared().await;
        let customer = shop.customer().await;
        let product = shop.product("19.90", 10).await;
        let order = shop
            .place(&customer, &order_of(&[(&product, 4)], "tok_ok"))
            .await;
        let order = order.expect(202).json()["id"].as_str().unwrap().to_owned();
        shop.until_status(&customer, &order, "confirmed").await;
        check(
            &shop.set_stock(&product, 3).await,
            expect![[r#"
                409
                content-type: application/problem+json
                {
                  "detail": "4 are reserved for orders. Set on_hand to 4 or more.",
                  "instance": "urn:oxcart:request:<id>",
                  "status": 409,
                  "title": "Conflict",
                  "type": "urn:oxcart:problem:conflict"
                }
            "#]],
        );
        shop.set_stock(&product, 4).await.expect(200);
        assert_eq!(shop.stock(&product).await, (4, 4, 0));
    });
}

#[test]
fn only_admins_see_stock() {
    run(async {
        let shop = shared().await;
        let customer = shop.customer().await;
        let path = format!("/inventory/{}", shop.product("19.90", 10).await);
        check(
            &shop.get(&path).bearer(&customer.token).send().await,
            expect![[r#"
                403
                content-type: application/problem+json
                {
                  "detail": "your account may not do this",
                  "instance": "urn:oxcart:request:<id>",
                  "status": 403,
                  "title": "Forbidden",
                  "type": "urn:oxcart:problem:forbidden"
                }
            "#]],
        );
    });
}
