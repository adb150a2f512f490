//! Creating, updating and discontinuing products.

use crate::catalog::api;
use crate::http::problem::Problem;
use expect_test::expect;
use serde_json::{Value, json};

use super::{euro, faults, header, json_of, minute, shop, status_of, tea, tea_with, to};
use crate::catalog::model::ProductError;
use crate::catalog::rules::Patch;
use crate::catalog::{events, rules};
use crate::http::exchange::{IfMatch, Request};
use crate::testing::{self, Fault};

#[tokio::test]
async fn a_product_reads_back_as_it_was_created() {
    let shop = shop();
    let created = shop
        .create(testing::request(minute(0), &tea()))
        .await
        .unwrap();
    let body = json_of(&created);
    assert_eq!(created.status, 201);
    let location = format!("/products/{}", body["id"].as_str().unwrap());
    assert_eq!(header(&created, "Location"), Some(location.as_str()));
    assert_eq!(header(&created, "ETag"), Some("\"1-out_of_stock\""));
    assert_eq!(json_of(&shop.get(&body["id"]).await.unwrap()), body);
    let id = body["id"].as_str().unwrap();
    expect![[r#"{"attributes":{"name_de":"Sencha-Tee","name_zh":"煎茶"},"availability":"out_of_stock","available_quantity":null,"brand":null,"category":"green-tea","created_at":"2025-06-15T15:06:40.000Z","current_price":{"amount":"12.50","currency":"EUR"},"description":"","gtin":null,"id":"-","images":[],"name":"Sencha","options":[],"price":{"amount":"12.50","currency":"EUR"},"sale":null,"seo":{"description":null,"title":null},"shipped":true,"sku":"-","slug":null,"status":"active","tags":[],"translations":{},"updated_at":"2025-06-15T15:06:40.000Z","variants":[{"availability":"out_of_stock","available_quantity":null,"current_price":{"amount":"12.50","currency":"EUR"},"gtin":null,"id":"-","options":{},"price":{"amount":"12.50","currency":"EUR"},"sale":null,"sku":"-","weight_grams":null}],"version":1,"weight_grams":null}"#]]
    .assert_eq(&body.to_string().replace(id, "-"));
}

#[tokio::test]
async fn an_invalid_product_is_refused_with_every_fault_and_not_stored() {
    let shop = shop();
    let many: Value = (0..51).map(|n| (n.to_string(), json!("x"))).collect();
    let large: Value = (0..9)
        .map(|n| (n.to_string(), json!("x".repeat(1000))))
        .collect();
    let euros = |amount: &str| json!({"price": {"amount": amount, "currency": "EUR"}});
    let cases = [
        (json!({"name": ""}), "/name length"),
        (json!({"name": "x".repeat(256)}), "/name length"),
        (json!({"name": 5}), "/name type"),
        (
            json!({"description": "x".repeat(1001)}),
            "/description length",
        ),
        (euros("0.00"), "/price range"),
        (euros("-1"), "/price range"),
        (euros("1.999"), "/price/amount decimals"),
        (json!({"price": 12.5}), "/price type"),
        (
            json!({"price": {"amount": "1", "currency": "USD"}}),
            "/price/currency currency",
        ),
        (json!({"category": "Green Tea"}), "/category invalid"),
        (json!({"category": "x".repeat(101)}), "/category invalid"),
        (json!({"attributes": many}), "/attributes length"),
        (json!({"attributes": large}), "/attributes length"),
        (json!({"attributes": {"a": 1}}), "/attributes/a type"),
        (json!({"status": "discontinued"}), "/status invalid"),
        (json!({"id": "mine"}), "/id unknown_field"),
    ];
    for (changes, fault) in cases {
        let request = testing::request(minute(0), &tea_with(changes.clone()));
        assert_eq!(faults(shop.create(request).await), [fault], "{changes}");
    }
    let all = faults(shop.create(testing::request(minute(0), &json!({}))).await);
    assert_eq!(
        all,
        ["/name required", "/price required", "/category required"]
    );
    assert!(shop.stored().is_empty());
}

#[tokio::test]
async fn only_admins_change_the_catalogue() {
    let shop = shop();
    let id = shop.made(0, tea()).await["id"].clone();
    let before = shop.stored();
    for status in [401, 403] {
        let caller = |request: Request| {
            let mut request = request.with("if-match", "*").of_customer();
            if status == 401 {
                request.identity = None;
            }
            request
        };
        let create = caller(testing::request(minute(0), &tea()));
        assert_eq!(status_of(shop.create(create).await), status);
        let update = caller(to(&id, json!({"name": "Mine"})));
        assert_eq!(status_of(shop.update(update).await), status);
        let discontinue = caller(to(&id, json!({})));
        assert_eq!(status_of(shop.discontinue(discontinue).await), status);
    }
    assert_eq!(shop.stored(), before);
}

#[tokio::test]
async fn the_same_key_creates_one_product_and_returns_its_current_version() {
    let shop = shop();
    let keyed = |number, body: &Value| {
        testing::request(minute(number), body).with("idempotency-key", "spring")
    };
    let first = shop.create(keyed(0, &tea())).await.unwrap();
    assert_eq!(header(&first, "Idempotent-Replayed"), None);
    let id = json_of(&first)["id"].clone();
    let patch = to(&id, json!({"name": "Sencha, spring"})).with("if-match", "*");
    shop.update(patch).await.unwrap();

    let again = shop.create(keyed(2, &tea())).await.unwrap();
    assert_eq!(header(&again, "Idempotent-Replayed"), Some("true"));
    assert_eq!(again.status, 201);
    assert_eq!(json_of(&again)["id"], id);
    assert_eq!(json_of(&again)["name"], "Sencha, spring");

    let other = keyed(3, &tea_with(json!({"name": "Gyokuro"})));
    assert_eq!(status_of(shop.create(other).await), 422);
    assert_eq!(shop.stored().len(), 1);
}

#[tokio::test]
async fn a_create_whose_response_was_lost_succeeds() {
    let shop = shop();
    for key in [None, Some("spring")] {
        shop.engine.fail_next("PutItem", Fault::LostAnswer);
        let mut request = testing::request(minute(0), &tea());
        if let Some(key) = key {
            request = request.with("idempotency-key", key);
        }
        let created = shop.create(request).await.unwrap();
        assert_eq!(created.status, 201);
        assert_eq!(header(&created, "Idempotent-Replayed"), None);
    }
    assert_eq!(shop.stored().len(), 2);
}

#[tokio::test]
async fn an_update_changes_only_the_fields_that_are_sent() {
    let shop = shop();
    let before = shop.made(0, tea()).await;
    let patch = json!({"price": {"amount": "9.90", "currency": "EUR"}, "attributes": {}});
    let request = to(&before["id"], patch).with("if-match", "\"1\"");
    let updated = shop.update(request).await.unwrap();
    assert_eq!(header(&updated, "ETag"), Some("\"2-out_of_stock\""));
    let mut expected = before;
    expected["price"]["amount"] = json!("9.90");
    expected["attributes"] = json!({});
    expected["current_price"] = expected["price"].clone();
    for field in ["price", "current_price"] {
        expected["variants"][0][field] = expected["price"].clone();
    }
    expected["version"] = json!(2);
    expected["updated_at"] = json!(minute(1));
    assert_eq!(json_of(&updated), expected);
    let read = shop.get(&expected["id"]).await.unwrap();
    assert_eq!(json_of(&read), expected);
}

#[tokio::test]
async fn an_update_needs_the_version_that_is_stored() {
    let shop = shop();
    let id = shop.made(0, tea()).await["id"].clone();
    let patch = |name: &str| to(&id, json!({"name": name}));
    assert_eq!(status_of(shop.update(patch("A")).await), 428);
    let cases = [
        ("\"1\"", 200),
        ("\"1\"", 412),
        ("\"2\"", 200),
        ("\"1\", \"3\"", 200),
        ("W/\"4\"", 412),
        ("4", 400),
        ("*", 200),
    ];
    for (number, (tag, status)) in cases.into_iter().enumerate() {
        let request = patch(&number.to_string()).with("if-match", tag);
        assert_eq!(
            status_of(shop.update(request).await),
            status,
            "{number} {tag}"
        );
    }
    let nobody = json!("00000000-0000-4000-8000-000000000000");
    for id in [nobody, json!("nonsense")] {
        let request = to(&id, json!({})).with("if-match", "*");
        assert_eq!(status_of(shop.update(request).await), 404);
    }
}

#[tokio::test]
async fn an_update_whose_response_was_lost_succeeds() {
    let shop = shop();
    let id = shop.made(0, tea()).await["id"].clone();
    shop.engine.fail_next("PutItem", Fault::LostAnswer);
    let request = to(&id, json!({"name": "Gyokuro"})).with("if-match", "\"1\"");
    let updated = shop.update(request).await.unwrap();
    assert_eq!(json_of(&updated)["version"], 2);
}

#[tokio::test]
async fn an_update_that_changes_nothing_makes_no_event() {
    let shop = shop();
    let id = shop.made(0, tea()).await["id"].clone();
    let before = shop.stored();
    for body in [json!({}), json!({"name": "Sencha"})] {
        let request = to(&id, body).with("if-match", "\"1\"");
        assert_eq!(status_of(shop.update(request).await), 200);
    }
    assert_eq!(shop.stored(), before);
    let request = to(&id, json!({"description": null})).with("if-match", "\"1\"");
    assert_eq!(faults(shop.update(request).await), ["/description type"]);
}

#[tokio::test]
async fn an_update_that_is_overtaken_fails_or_is_decided_again_for_a_star() {
    let shop = shop();
    let id = shop.made(0, tea()).await["id"].clone();
    for (tag, status) in [("\"1\"", 412), ("*", 200)] {
        shop.engine.fail_next("PutItem", Fault::Refused);
        let request = to(&id, json!({"name": "Gyokuro"})).with("if-match", tag);
        assert_eq!(status_of(shop.update(request).await), status, "{tag}");
    }
}

#[tokio::test]
async fn a_change_of_an_old_version_is_not_stored() {
    let shop = shop();
    let made = shop.made(0, tea()).await;
    let id = made["id"].as_str().unwrap().parse().unwrap();
    let read = shop.products.get(id).await.unwrap().unwrap();
    let renamed = |name: &str| {
        let patch = Patch {
            name: Some(name.to_owned()),
            ..Patch::default()
        };
        rules::update(&read, patch, &IfMatch::Any, minute(1))
            .unwrap()
            .unwrap()
    };
    shop.products
        .replace(&read, renamed("Gyokuro"))
        .await
        .unwrap();
    let late = shop.products.replace(&read, renamed("Matcha")).await;
    assert!(matches!(late, Err(ProductError::Stale)), "{late:?}");
    let stored = shop.products.get(id).await.unwrap();
    assert_eq!(stored, Some(renamed("Gyokuro")));
}

#[tokio::test]
async fn a_product_that_was_changed_meanwhile_is_not_overwritten() {
    for (tag, status, name, version) in [("\"1\"", 412, "Gyokuro", 2), ("*", 200, "Matcha", 3)] {
        let shop = shop();
        let id = shop.made(0, tea()).await["id"].clone();
        let (other, same) = (shop.clone(), id.clone());
        shop.engine.before_next("PutItem", async move || {
            let request = to(&same, json!({"name": "Gyokuro"})).with("if-match", "*");
            other.update(request).await.unwrap();
        });
        let request = to(&id, json!({"name": "Matcha"})).with("if-match", tag);
        assert_eq!(status_of(shop.update(request).await), status, "{tag}");
        let stored = json_of(&shop.get(&id).await.unwrap());
        let stored = (&stored["name"], &stored["version"]);
        assert_eq!(stored, (&json!(name), &json!(version)), "{tag}");
    }
}

#[tokio::test]
async fn a_product_that_was_discontinued_meanwhile_stays_discontinued() {
    for (tag, status) in [("\"1\"", 412), ("*", 409)] {
        let shop = shop();
        let id = shop.made(0, tea()).await["id"].clone();
        let (other, same) = (shop.clone(), id.clone());
        shop.engine.before_next("PutItem", async move || {
            let request = to(&same, json!({})).with("if-match", "*");
            other.discontinue(request).await.unwrap();
        });
        let request = to(&id, json!({"status": "out_of_stock"})).with("if-match", tag);
        assert_eq!(status_of(shop.update(request).await), status, "{tag}");
        let stored = json_of(&shop.get(&id).await.unwrap());
        assert_eq!(stored["status"], "discontinued");
    }
}

#[tokio::test]
async fn a_discontinued_product_cannot_be_changed() {
    let shop = shop();
    let id = shop.made(0, tea()).await["id"].clone();
    let without = to(&id, json!({}));
    assert_eq!(status_of(shop.discontinue(without).await), 428);
    let stale = to(&id, json!({})).with("if-match", "\"7\"");
    assert_eq!(status_of(shop.discontinue(stale).await), 412);

    let request = || to(&id, json!({})).with("if-match", "\"1\"");
    let first = shop.discontinue(request()).await.unwrap();
    assert_eq!(json_of(&first)["status"], "discontinued");
    let again = shop.discontinue(request()).await.unwrap();
    assert_eq!(again, first);

    let patch = to(&id, json!({"status": "active"})).with("if-match", "*");
    assert_eq!(status_of(shop.update(patch).await), 409);
    assert_eq!(json_of(&shop.get(&id).await.unwrap())["version"], 2);
}

#[tokio::test]
async fn the_time_of_the_last_change_does_not_go_back() {
    let shop = shop();
    let id = shop.made(5, tea()).await["id"].clone();
    let request = to(&id, json!({"name": "Gyokuro"})).with("if-match", "*");
    let updated = json_of(&shop.update(request).await.unwrap());
    assert_eq!(updated["updated_at"], json!(minute(5)));
}

#[tokio::test]
async fn each_change_has_its_event() {
    let shop = shop();
    let published = || {
        let item = serde_dynamo::to_item(shop.stored().remove(0)).unwrap();
        let event = events::published(item).unwrap().unwrap();
        format!("{} {} {}", event.version, event.event_type, event.data)
    };
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let request = testing::request(minute(0), &tea()).with("traceparent", trace);
    let id = json_of(&shop.create(request).await.unwrap())["id"].clone();
    assert_eq!(shop.stored()[0]["event"]["traceparent"], trace);
    let mut seen = vec![published()];
    let patch = json!({"status": "out_of_stock"});
    let patch = to(&id, patch)
        .with("if-match", "*")
        .with("traceparent", "x");
    shop.update(patch).await.unwrap();
    assert_eq!(shop.stored()[0]["event"]["traceparent"], Value::Null);
    seen.push(published());
    let discontinue = to(&id, json!({})).with("if-match", "*");
    shop.discontinue(discontinue).await.unwrap();
    seen.push(published());
    expect![[r#"
        1 ProductCreated {"category":"green-tea","name":"Sencha","price":{"amount":"12.50","currency":"EUR"},"status":"active"}
        2 ProductUpdated {"category":"green-tea","name":"Sencha","price":{"amount":"12.50","currency":"EUR"},"status":"out_of_stock"}
        3 ProductDiscontinued {}"#]]
    .assert_eq(&seen.join("\n"));
}

#[tokio::test]
async fn a_weight_is_a_field_and_anything_else_is_refused() {
    let shop = shop();
    let create = async |changes: Value| {
        shop.create(testing::request(minute(0), &tea_with(changes)))
            .await
    };
    for (changes, weight) in [
        (json!({"weight_grams": 250}), json!(250)),
        (json!({"weight_grams": null}), Value::Null),
        (json!({}), Value::Null),
        // As clients of earlier releases send it.
        (json!({"attributes": {"weight_grams": "250"}}), json!(250)),
        (
            json!({"weight_grams": 250, "attributes": {"weight_grams": "250"}}),
            json!(250),
        ),
    ] {
        let created = create(changes.clone()).await.unwrap();
        let body: Value = serde_json::from_slice(&created.body).unwrap();
        assert_eq!(body["weight_grams"], weight, "{changes}");
        assert_eq!(body["attributes"]["weight_grams"], Value::Null);
    }
    for (changes, pointer) in [
        (json!({"weight_grams": 0}), "/weight_grams"),
        (json!({"weight_grams": 0.5}), "/weight_grams"),
        (json!({"weight_grams": "250"}), "/weight_grams"),
        (
            json!({"attributes": {"weight_grams": "20000.5"}}),
            "/attributes/weight_grams",
        ),
        (
            json!({"attributes": {"weight_grams": "20kg"}}),
            "/attributes/weight_grams",
        ),
        (
            json!({"attributes": {"weight_grams": " 20000"}}),
            "/attributes/weight_grams",
        ),
        (
            json!({"attributes": {"weight_grams": "+20"}}),
            "/attributes/weight_grams",
        ),
        (
            json!({"attributes": {"weight_grams": "0"}}),
            "/attributes/weight_grams",
        ),
        (
            json!({"attributes": {"weight_grams": ""}}),
            "/attributes/weight_grams",
        ),
        (
            json!({"weight_grams": 300, "attributes": {"weight_grams": "250"}}),
            "/attributes/weight_grams",
        ),
    ] {
        let Err(Problem::InvalidBody(faults)) = create(changes.clone()).await else {
            panic!("{changes} was taken");
        };
        let pointers: Vec<&str> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(pointers, [pointer], "{changes}");
    }
}

#[tokio::test]
async fn a_patch_sets_and_clears_the_weight() {
    let shop = shop();
    let created = shop
        .create(testing::request(minute(0), &tea()))
        .await
        .unwrap();
    let created: Value = serde_json::from_slice(&created.body).unwrap();
    let id = created["id"].as_str().unwrap();
    for (patch, weight) in [
        (json!({"weight_grams": 250}), json!(250)),
        (json!({"name": "Gyokuro"}), json!(250)),
        (json!({"attributes": {"name_de": "Gyokuro"}}), json!(250)),
        (json!({"weight_grams": null}), Value::Null),
        (json!({"attributes": {"weight_grams": "80"}}), json!(80)),
    ] {
        let request = testing::request(minute(1), &patch)
            .at("product_id", id)
            .with("if-match", "*");
        let patched = api::update_product(&shop.products, euro(), request)
            .await
            .unwrap();
        let body: Value = serde_json::from_slice(&patched.body).unwrap();
        assert_eq!(body["weight_grams"], weight, "{patch}");
    }
}

#[tokio::test]
async fn an_attribute_does_not_state_a_weight_that_the_field_clears() {
    let shop = shop();
    let made = shop.made(0, tea()).await;
    let contradiction = json!({"weight_grams": null, "attributes": {"weight_grams": "80"}});
    let refused = shop.update(to(&made["id"], contradiction).with("if-match", "*"));
    let Err(Problem::InvalidBody(faults)) = refused.await else {
        panic!("the patch was taken");
    };
    assert_eq!(faults.len(), 1);
    assert_eq!(faults[0].pointer, "/attributes/weight_grams");
    assert_eq!(faults[0].code, "contradiction");
}

#[tokio::test]
async fn a_product_is_shipped_unless_it_says_otherwise() {
    let shop = shop();
    let voucher = shop.made(0, tea_with(json!({"shipped": false}))).await;
    assert_eq!(voucher["shipped"], false);
    let read = json_of(&shop.get(&voucher["id"]).await.unwrap());
    assert_eq!(read["shipped"], false);
    let patch = to(&voucher["id"], json!({"shipped": true})).with("if-match", "*");
    let patched = json_of(&shop.update(patch).await.unwrap());
    assert_eq!(patched["shipped"], true);
    // It is stored as earlier releases, whose products were all shipped, stored it.
    let stored = &shop.stored()[0];
    assert_eq!(
        (stored.get("shipped"), stored.get("not_shipped")),
        (None, None)
    );
    let read = json_of(&shop.get(&voucher["id"]).await.unwrap());
    assert_eq!(read["shipped"], true);
    let cleared = to(&voucher["id"], json!({"shipped": null})).with("if-match", "*");
    assert!(shop.update(cleared).await.is_err());
}
