use expect_test::{Expect, expect};
use serde_json::{Value, json};

use super::check;
use crate::support::people::{product, unique};
use crate::support::prices::money;
use crate::support::shop::{Shop, shared};
use crate::support::{run, until};

fn teapot() -> Value {
    json!({
        "name": "Cast-Iron Teapot",
        "description": "Keeps tea hot for an hour.",
        "category": "tea",
        "price": money("54.00"),
        "attributes": {"name_de": "Teekanne aus Gusseisen", "name_zh": "铸铁茶壶"},
    })
}

/// Creates a product and returns its id.
async fn create(shop: &Shop, body: &Value) -> String {
    let admin = shop.admin().await;
    let call = shop.post("/products").bearer(&admin.token).json(body);
    let made = call.send().await.expect(201).json();
    made["id"].as_str().unwrap().to_owned()
}

fn check_create(body: Value, expected: Expect) {
    run(async {
        let shop = shared().await;
        let admin = shop.admin().await;
        let call = shop.post("/products").bearer(&admin.token);
        check(
            &call.key(&unique("product")).json(&body).send().await,
            expected,
        );
    });
}

fn check_update(change: Value, if_match: Option<&str>, expected: Expect) {
    run(async {
        let shop = shared().await;
        let admin = shop.admin().await;
        let path = format!("/products/{}", create(shop, &teapot()).await);
        let mut call = shop.patch(&path).bearer(&admin.token).json(&change);
        if let Some(tag) = if_match {
            call = call.header("if-match", tag);
        }
        check(&call.send().await, expected);
    });
}

#[test]
fn a_product_is_created() {
    check_create(
        teapot(),
        expect![[r#"
            201
            content-type: application/json
            location: /products/<id-1>
            etag: "<version>-out_of_stock"
            {
              "attributes": {
                "name_de": "Teekanne aus Gusseisen",
                "name_zh": "铸铁茶壶"
              },
              "availability": "out_of_stock",
              "available_quantity": null,
              "brand": null,
              "category": "tea",
              "created_at": "<time>",
              "current_price": {
                "amount": "54.00",
                "currency": "EUR"
              },
              "description": "Keeps tea hot for an hour.",
              "gtin": null,
              "id": "<id-1>",
              "images": [],
              "name": "Cast-Iron Teapot",
              "options": [],
              "price": {
                "amount": "54.00",
                "currency": "EUR"
              },
              "sale": null,
              "seo": {
                "description": null,
                "title": null
              },
              "shipped": true,
              "sku": "<id-1>",
              "slug": null,
              "status": "active",
              "tags": [],
              "translations": {},
              "updated_at": "<time>",
              "variants": [
                {
                  "availability": "out_of_stock",
                  "available_quantity": null,
                  "current_price": {
                    "amount": "54.00",
                    "currency": "EUR"
                  },
                  "gtin": null,
                  "id": "<id-1>",
                  "options": {},
                  "price": {
                    "amount": "54.00",
                    "currency": "EUR"
                  },
                  "sale": null,
                  "sku": "<id-1>",
                  "weight_grams": null
                }
              ],
              "version": 1,
              "weight_grams": null
            }
        "#]],
    );
}

#[test]
fn a_product_needs_no_description_and_no_attributes() {
    check_create(
        product("Kite", "0.01"),
        expect![[r#"
            201
            content-type: application/json
            location: /products/<id-1>
            etag: "<version>-out_of_stock"
            {
              "attributes": {},
              "availability": "out_of_stock",
              "available_quantity": null,
              "brand": null,
              "category": "testing",
              "created_at": "<time>",
              "current_price": {
                "amount": "0.01",
                "currency": "EUR"
              },
              "description": "",
              "gtin": null,
              "id": "<id-1>",
              "images": [],
              "name": "Kite",
              "options": [],
              "price": {
                "amount": "0.01",
                "currency": "EUR"
              },
              "sale": null,
              "seo": {
                "description": null,
                "title": null
              },
              "shipped": true,
              "sku": "<id-1>",
              "slug": null,
              "status": "active",
              "tags": [],
              "translations": {},
              "updated_at": "<time>",
              "variants": [
                {
                  "availability": "out_of_stock",
                  "available_quantity": null,
                  "current_price": {
                    "amount": "0.01",
                    "currency": "EUR"
                  },
                  "gtin": null,
                  "id": "<id-1>",
                  "options": {},
                  "price": {
                    "amount": "0.01",
                    "currency": "EUR"
                  },
                  "sale": null,
                  "sku": "<id-1>",
                  "weight_grams": null
                }
              ],
              "version": 1,
              "weight_grams": null
            }
        "#]],
    );
}

#[test]
fn a_product_is_read_by_anyone_as_it_was_created() {
    run(async {
        let shop = shared().await;
        let admin = shop.admin().await;
        let call = shop.post("/products").bearer(&admin.token).json(&teapot());
        let made = call.send().await.expect(201);
        let read = shop.get(made.header("location").unwrap()).send().await;
        assert_eq!(read.expect(200).text, made.text);
        let id = made.json()["id"].as_str().unwrap().to_uppercase();
        let read = shop.get(&format!("/products/{id}")).send().await;
        assert_eq!(read.expect(200).text, made.text);
    });
}

#[test]
fn the_same_key_creates_a_product_once() {
    run(async {
        let shop = shared().await;
        let admin = shop.admin().await;
        let key = unique("product");
        let create = async |body: &Value| {
            let call = shop.post("/products").bearer(&admin.token);
            call.key(&key).json(body).send().await
        };
        let first = create(&teapot()).await.expect(201);
        let again = create(&teapot()).await.expect(201);
        assert_eq!(first.text, again.text);
        assert_eq!(first.header("idempotent-replayed"), None);
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        check(
            &create(&product("Kite", "1.00")).await,
            expect![[r#"
                422
                content-type: application/problem+json
                {
                  "detail": "this Idempotency-Key was used with another request",
                  "instance": "urn:oxcart:request:<id>",
                  "status": 422,
                  "title": "Idempotency key reused",
                  "type": "urn:oxcart:problem:idempotency-key-reused"
                }
            "#]],
        );
    });
}

#[test]
fn an_update_keeps_the_fields_that_are_not_sent() {
    let patch = json!({"price": money("49.00")});
    check_update(
        patch,
        Some("\"1\""),
        expect![[r#"
            200
            content-type: application/json
            etag: "<version>-out_of_stock"
            {
              "attributes": {
                "name_de": "Teekanne aus Gusseisen",
                "name_zh": "铸铁茶壶"
              },
              "availability": "out_of_stock",
              "available_quantity": null,
              "brand": null,
              "category": "tea",
              "created_at": "<time>",
              "current_price": {
                "amount": "49.00",
                "currency": "EUR"
              },
              "description": "Keeps tea hot for an hour.",
              "gtin": null,
              "id": "<id-1>",
              "images": [],
              "name": "Cast-Iron Teapot",
              "options": [],
              "price": {
                "amount": "49.00",
                "currency": "EUR"
              },
              "sale": null,
              "seo": {
                "description": null,
                "title": null
              },
              "shipped": true,
              "sku": "<id-1>",
              "slug": null,
              "status": "active",
              "tags": [],
              "translations": {},
              "updated_at": "<time>",
              "variants": [
                {
                  "availability": "out_of_stock",
                  "available_quantity": null,
                  "current_price": {
                    "amount": "49.00",
                    "currency": "EUR"
                  },
                  "gtin": null,
                  "id": "<id-1>",
                  "options": {},
                  "price": {
                    "amount": "49.00",
                    "currency": "EUR"
                  },
                  "sale": null,
                  "sku": "<id-1>",
                  "weight_grams": null
                }
              ],
              "version": 2,
              "weight_grams": null
            }
        "#]],
    );
}

#[test]
fn an_update_without_if_match_is_refused() {
    check_update(
        json!({"name": "Pot"}),
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
fn an_update_of_an_outdated_version_is_refused() {
    check_update(
        json!({"name": "Pot"}),
        Some("\"7\""),
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
fn a_discontinued_product_is_read_by_admins_and_is_not_listed() {
    run(async {
        let shop = shared().await;
        let admin = shop.admin().await;
        let category = unique("category");
        let body = json!({"name": "Kite", "category": category, "price": money("18.50")});
        let path = format!("/products/{}", create(shop, &body).await);
        let listed = async || {
            let list = shop.get(&format!("/products?category={category}"));
            list.send().await.expect(200).json()["items"]
                .as_array()
                .unwrap()
                .len()
        };
        until("the product is listed", async || match listed().await {
            1 => Ok(()),
            other => Err(other.to_string()),
        })
        .await;
        let call = shop.delete(&path).bearer(&admin.token);
        let gone = call.header("if-match", "\"1\"").send().await.expect(200);
        assert_eq!(gone.json()["status"], "discontinued");
        let read = shop.get(&path).bearer(&admin.token).send().await;
        assert_eq!(read.expect(200).json()["status"], "discontinued");
        shop.get(&path).send().await.expect(404);
        assert_eq!(listed().await, 0);
    });
}

#[test]
fn what_is_not_for_sale_yet_is_nobodys_business_but_the_admins() {
    run(async {
        let shop = shared().await;
        let admin = &shop.admin().await.token;
        let buyer = &shop.buyer().await.token;
        let mut draft = product("Draft", "18.50");
        draft["status"] = json!("inactive");
        let path = format!("/products/{}", create(shop, &draft).await);
        let status = async |path: &str, token: Option<&str>| {
            let call = shop.get(path);
            let call = match token {
                Some(token) => call.bearer(token),
                None => call,
            };
            call.send().await.status
        };
        let list = "/products?status=inactive";
        for (token, one, all) in [
            (None, 404, 401),
            (Some("nonsense"), 404, 401),
            (Some(buyer.as_str()), 404, 403),
            (Some(admin.as_str()), 200, 200),
        ] {
            assert_eq!(status(&path, token).await, one, "{token:?}");
            assert_eq!(status(list, token).await, all, "{token:?}");
            assert_eq!(status("/products?status=out_of_stock", token).await, 200);
        }
        // What was hidden is not found with its entity tag either.
        let call = shop.get(&path).header("if-none-match", "*");
        call.send().await.expect(404);
    });
}

/// Returns whether any page of a list has the product.
async fn lists(shop: &Shop, query: &str, product: &str) -> bool {
    let mut path = format!("/products?{query}limit=100");
    loop {
        let call = shop.get(&path).bearer(&shop.admin().await.token);
        let page = call.send().await.expect(200).json();
        let mut items = page["items"].as_array().unwrap().iter();
        if items.any(|item| item["id"] == product) {
            return true;
        }
        let Some(cursor) = page["next_cursor"].as_str() else {
            return false;
        };
        path = format!("/products?{query}limit=100&cursor={cursor}");
    }
}

#[test]
fn products_of_all_categories_are_listed_by_status() {
    run(async {
        let shop = shared().await;
        let admin = shop.admin().await;
        let product = create(shop, &product("Kite", "18.50")).await;
        until("the product is listed", async || {
            let listed = lists(shop, "", &product).await;
            listed.then_some(()).ok_or_else(String::new)
        })
        .await;
        assert!(!lists(shop, "status=discontinued&", &product).await);
        let call = shop.delete(&format!("/products/{product}"));
        let call = call.bearer(&admin.token).header("if-match", "\"1\"");
        call.send().await.expect(200);
        until("the product is listed as discontinued", async || {
            let listed = lists(shop, "status=discontinued&", &product).await;
            listed.then_some(()).ok_or_else(String::new)
        })
        .await;
        assert!(!lists(shop, "", &product).await);
    });
}

#[test]
fn a_list_is_read_page_by_page_newest_first() {
    run(async {
        let shop = shared().await;
        let category = unique("category");
        let mut made = Vec::new();
        for number in 0..5 {
            let body = json!({"name": format!("Kite {number}"), "category": category,
                              "price": money("18.50")});
            made.insert(0, create(shop, &body).await);
        }
        let mut listed = Vec::new();
        let mut path = format!("/products?category={category}&limit=2");
        for length in [2, 2, 1] {
            let page = shop.get(&path).send().await.expect(200);
            let items = page.json()["items"].as_array().unwrap().clone();
            assert_eq!(items.len(), length);
            listed.extend(
                items
                    .iter()
                    .map(|item| item["id"].as_str().unwrap().to_owned()),
            );
            if length == 1 {
                assert_eq!(page.header("link"), None);
                assert!(page.json()["next_cursor"].is_null());
            } else {
                let cursor = page.json()["next_cursor"].as_str().unwrap().to_owned();
                let next = format!("/products?category={category}&limit=2&cursor={cursor}");
                assert_eq!(
                    page.header("link"),
                    Some(format!("<{next}>; rel=\"next\"").as_str())
                );
                path = next;
            }
        }
        assert_eq!(listed, made);
    });
}

#[test]
fn only_admins_create_products() {
    run(async {
        let shop = shared().await;
        let customer = shop.customer().await;
        let call = shop.post("/products").bearer(&customer.token);
        check(
            &call.json(&teapot()).send().await,
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
