//! Products with several variants.

use expect_test::expect;
use serde_json::{Value, json};

use super::{Shop, faults, header, json_of, minute, shop, status_of, tea, tea_with, to};
use crate::catalog::events;
use crate::http::problem::Problem;
use crate::testing::{self, Fault};
use crate::values::id::VariantId;

fn eur(amount: &str) -> Value {
    json!({"amount": amount, "currency": "EUR"})
}

pub(super) fn shirt() -> Value {
    json!({
        "name": "T-shirt", "category": "shirts",
        "options": [{"name": "size", "values": ["S", "M"]}, {"name": "colour", "values": ["red", "blue"]}],
        "variants": [
            {"options": {"size": "S", "colour": "red"}, "sku": "T-S-R", "price": eur("20.00"), "weight_grams": 150},
            {"options": {"size": "M", "colour": "blue"}, "gtin": "6291041500213", "price": eur("22.00"),
             "sale": {"price": eur("18.00")}},
        ],
    })
}

/// Returns `tea()` with the SKU `sku`.
fn tea_called(sku: &str) -> Value {
    tea_with(json!({"sku": sku}))
}

impl Shop {
    pub(super) async fn patch(&self, id: &Value, patch: Value) -> super::Outcome {
        self.update(to(id, patch).with("if-match", "*")).await
    }

    /// Returns the keys of the items that lead to products.
    fn leads(&self) -> Vec<String> {
        let items = self.stored().into_iter();
        let leads = items.filter(|item| item.get("leads_to").is_some());
        let mut leads: Vec<String> = leads
            .map(|item| item["product_id"].as_str().unwrap().to_owned())
            .collect();
        leads.sort();
        leads
    }
}

#[tokio::test]
async fn a_product_with_variants_reads_back_as_it_was_created() {
    let shop = shop();
    let mut body = shop.made(0, shirt()).await;
    assert_eq!(json_of(&shop.get(&body["id"]).await.unwrap()), body);
    for variant in body["variants"].as_array_mut().unwrap() {
        variant["id"] = json!("-");
    }
    let second = &mut body["variants"][1];
    assert!(second["sku"].as_str().unwrap().parse::<VariantId>().is_ok());
    second["sku"] = json!("-");
    body["id"] = json!("-");
    expect![[r#"{"attributes":{},"availability":"out_of_stock","available_quantity":null,"brand":null,"category":"shirts","created_at":"2025-06-15T15:06:40.000Z","current_price":{"amount":"18.00","currency":"EUR"},"description":"","gtin":null,"id":"-","images":[],"name":"T-shirt","options":[{"name":"size","values":["S","M"]},{"name":"colour","values":["red","blue"]}],"price":{"amount":"20.00","currency":"EUR"},"sale":null,"seo":{"description":null,"title":null},"shipped":true,"sku":null,"slug":null,"status":"active","tags":[],"translations":{},"updated_at":"2025-06-15T15:06:40.000Z","variants":[{"availability":"out_of_stock","available_quantity":null,"current_price":{"amount":"20.00","currency":"EUR"},"gtin":null,"id":"-","options":{"colour":"red","size":"S"},"price":{"amount":"20.00","currency":"EUR"},"sale":null,"sku":"T-S-R","weight_grams":150},{"availability":"out_of_stock","available_quantity":null,"current_price":{"amount":"18.00","currency":"EUR"},"gtin":"6291041500213","id":"-","options":{"colour":"blue","size":"M"},"price":{"amount":"22.00","currency":"EUR"},"sale":{"ends_at":null,"lowest_price_before":null,"price":{"amount":"18.00","currency":"EUR"},"starts_at":"2025-06-15T15:06:40.000Z"},"sku":"-","weight_grams":null}],"version":1,"weight_grams":null}"#]]
    .assert_eq(&body.to_string());
}

#[tokio::test]
async fn the_same_key_creates_the_same_variants() {
    let shop = shop();
    let keyed = |number| testing::request(minute(number), &shirt()).with("idempotency-key", "k");
    let first = shop.create(keyed(0)).await.unwrap();
    shop.engine
        .fail_next("TransactWriteItems", Fault::LostAnswer);
    let again = shop.create(keyed(1)).await.unwrap();
    assert_eq!(header(&again, "Idempotent-Replayed"), Some("true"));
    assert_eq!(json_of(&again), json_of(&first));
    assert_eq!(shop.leads().len(), 3);
}

#[tokio::test]
async fn two_variants_never_have_the_same_sku() {
    let shop = shop();
    let first = shop.made(0, tea_called("TEA-1")).await["id"].clone();
    let taken = |outcome: super::Outcome| match outcome {
        Err(Problem::Conflict(detail)) => detail,
        other => panic!("{other:?}"),
    };
    let create = testing::request(minute(1), &tea_called("TEA-1"));
    assert_eq!(
        taken(shop.create(create).await),
        "/sku: a variant of another product has this SKU"
    );
    let second = shop.made(1, shirt()).await;
    let variants = json!([{"id": second["variants"][0]["id"]}, {"id": second["variants"][1]["id"], "sku": "TEA-1"}]);
    let refused = shop
        .patch(&second["id"], json!({"variants": variants}))
        .await;
    assert_eq!(
        taken(refused),
        "/variants/1/sku: a variant of another product has this SKU"
    );
    assert_eq!(json_of(&shop.get(&second["id"]).await.unwrap()), second);
    // An SKU that is given up is free, and the same request again changes nothing.
    let renamed = shop.patch(&first, json!({"sku": "TEA-2"})).await.unwrap();
    assert_eq!(json_of(&renamed)["sku"], "TEA-2");
    assert_eq!(
        json_of(
            &shop
                .patch(&second["id"], json!({"variants": variants}))
                .await
                .unwrap()
        )["variants"][1]["sku"],
        "TEA-1"
    );
    let back = shop.patch(&first, json!({"sku": null})).await.unwrap();
    assert_eq!(json_of(&back)["sku"], first);
    let skus = shop
        .leads()
        .into_iter()
        .filter(|lead| lead.starts_with("sku#"));
    assert_eq!(skus.collect::<Vec<_>>(), ["sku#T-S-R", "sku#TEA-1"]);
}

#[tokio::test]
async fn of_two_requests_with_one_sku_at_once_one_is_refused() {
    let shop = shop();
    let other = shop.clone();
    shop.engine
        .before_next("TransactWriteItems", async move || {
            other.made(0, tea_called("TEA-1")).await;
        });
    let late = shop
        .create(testing::request(minute(0), &tea_called("TEA-1")))
        .await;
    assert!(matches!(late, Err(Problem::Conflict(_))), "{late:?}");
    assert_eq!(shop.names(&[]).await, [["Sencha"]]);
}

#[tokio::test]
async fn a_plain_product_becomes_one_with_variants_and_back() {
    let shop = shop();
    let made = shop.made(0, tea_called("TEA-1")).await;
    let id = made["id"].clone();
    assert_eq!(made["variants"][0]["id"], id);
    let options = json!([{"name": "size", "values": ["100 g", "500 g"]}]);
    let small = json!({"id": id, "options": {"size": "100 g"}});
    let large = json!({"options": {"size": "500 g"}, "price": eur("50.00")});
    let both = json!({"options": options, "variants": [small, large]});
    let changed = json_of(&shop.patch(&id, both).await.unwrap());
    assert_eq!(changed["variants"][0]["sku"], "TEA-1");
    assert_eq!(changed["variants"][0]["price"], eur("12.50"));
    assert_eq!(changed["price"], eur("12.50"));
    assert_eq!(json_of(&shop.get(&id).await.unwrap()), changed);
    let only = json!({"options": [], "variants": [{"id": id, "options": {}}]});
    let mut back = json_of(&shop.patch(&id, only).await.unwrap());
    assert_eq!(back["version"], 3);
    for field in ["version", "updated_at"] {
        back[field] = made[field].clone();
    }
    assert_eq!(back, made);
}

#[tokio::test]
async fn what_does_not_fit_a_product_with_variants_is_refused_with_every_fault() {
    let shop = shop();
    let with = |field: &str, value: Value| {
        let mut shirt = shirt();
        shirt[field] = value;
        shirt
    };
    let option = |name: &str| json!({"name": name, "values": ["S", "M"]});
    let cases = [
        (with("price", eur("1.00")), "/price several_variants"),
        (with("sku", json!("X")), "/sku several_variants"),
        (with("variants", json!([])), "/variants length"),
        (with("variants", json!(null)), "/price required"),
        (with("options", json!([])), "/variants/0/options options"),
        (
            with("options", json!([option("a"), option("a")])),
            "/options/1/name repeated",
        ),
        (
            with("options", json!([{"name": "size", "values": ["S", "S"]}])),
            "/options/0/values/1 repeated",
        ),
        (
            with(
                "options",
                json!([option("a"), option("b"), option("c"), option("d")]),
            ),
            "/options length",
        ),
        (
            with("variants", json!([{"options": {}}])),
            "/variants/0/price required",
        ),
        (
            with(
                "variants",
                json!([{"price": eur("1.00"), "gtin": "6291041500214"}]),
            ),
            "/variants/0/gtin invalid",
        ),
        (
            with("variants", json!([{"price": eur("1.00"), "sku": " X"}])),
            "/variants/0/sku invalid",
        ),
        (
            with("variants", json!([{"price": eur("1.00"), "id": "x"}])),
            "/variants/0/id unknown_field",
        ),
    ];
    for (body, fault) in cases {
        let refused = faults(shop.create(testing::request(minute(0), &body)).await);
        assert_eq!(refused, [fault], "{body}");
    }
    let plain = tea_with(json!({"options": [option("size")]}));
    let refused = faults(shop.create(testing::request(minute(0), &plain)).await);
    assert_eq!(refused, ["/variants required"]);
    assert!(shop.stored().is_empty());

    let made = shop.made(0, shirt()).await;
    let patches = [
        (json!({"price": eur("1.00")}), "/price several_variants"),
        (json!({"weight_grams": 5}), "/weight_grams several_variants"),
        (json!({"options": []}), "/options options"),
        (
            json!({"variants": [{"id": made["id"]}]}),
            "/variants/0/id unknown_variant",
        ),
        (
            json!({"variants": [{"id": made["variants"][1]["id"], "price": eur("17.00")}]}),
            "/variants/0/price range",
        ),
    ];
    for (patch, fault) in patches {
        assert_eq!(
            faults(shop.patch(&made["id"], patch.clone()).await),
            [fault],
            "{patch}"
        );
    }
    assert_eq!(json_of(&shop.get(&made["id"]).await.unwrap()), made);
}

#[tokio::test]
async fn too_many_skus_at_once_are_refused_before_anything_is_written() {
    let shop = shop();
    let sizes: Vec<String> = (0..98).map(|size| size.to_string()).collect();
    let variants = |prefix: &str| -> Value {
        let sizes = sizes.iter();
        let variants = sizes.map(|size| {
            json!({"options": {"size": size}, "sku": format!("{prefix}-{size}"), "price": eur("1.00")})
        });
        variants.collect()
    };
    let options = json!([{"name": "size", "values": sizes}]);
    let body = json!({"name": "Shirt", "category": "shirts", "options": options, "variants": variants("A")});
    let made = shop.made(0, body).await;
    assert_eq!(made["variants"].as_array().unwrap().len(), 98);
    let other = shop
        .patch(&made["id"], json!({"variants": variants("B")}))
        .await;
    assert_eq!(faults(other), ["/variants too_many"]);
    assert_eq!(json_of(&shop.get(&made["id"]).await.unwrap()), made);
    assert_eq!(shop.leads().len(), 196);
}

#[tokio::test]
async fn the_event_of_a_product_names_its_variants() {
    let shop = shop();
    shop.made(0, tea()).await;
    let made = shop.made(1, shirt()).await;
    let mut seen = Vec::new();
    for item in shop.stored() {
        let item = serde_dynamo::to_item(item).unwrap();
        seen.extend(events::published(item).unwrap());
    }
    assert_eq!(seen.len(), 2);
    let event = seen
        .iter()
        .find(|event| event.data["name"] == "T-shirt")
        .unwrap();
    let [first, second] = [0, 1].map(|at| made["variants"][at]["id"].clone());
    assert_eq!(
        event.data["variants"],
        json!([{"id": first, "sku": "T-S-R"}, {"id": second}])
    );
    let tea = seen
        .iter()
        .find(|event| event.data["name"] == "Sencha")
        .unwrap();
    assert_eq!(tea.data["variants"], Value::Null);
}

#[tokio::test]
async fn a_product_is_found_by_its_variants() {
    let shop = shop();
    let made = shop.made(0, shirt()).await;
    let plain = shop.made(1, tea()).await;
    let id = |value: &Value| value.as_str().unwrap().parse::<VariantId>().unwrap();
    let [first, plain] = [&made["variants"][0]["id"], &plain["id"]].map(id);
    let nobody = VariantId::derived(&["nobody"]);
    let found = shop
        .products
        .products_of([first, plain, nobody])
        .await
        .unwrap();
    let product = |value: &Value| value.as_str().unwrap().parse().unwrap();
    assert_eq!(found[&first], product(&made["id"]));
    assert_eq!(found[&plain], plain.as_product());
    for (variant, exists) in [(first, true), (plain, true), (nobody, false)] {
        let product = shop.products.with_variant(variant).await.unwrap();
        assert_eq!(product.is_some(), exists);
    }
    // What leads to a variant stays when the variant is gone, and means nothing then.
    let only = json!({"variants": [{"id": made["variants"][1]["id"]}]});
    assert_eq!(status_of(shop.patch(&made["id"], only).await), 200);
    assert!(shop.products.with_variant(first).await.unwrap().is_none());
}
