//! Looking products up by their identifiers and SKUs.

use serde_json::{Value, json};

use super::variants::shirt;
use super::{Outcome, Shop, faults, json_of, minute, shop, status_of, tea_with};
use crate::http::exchange::Request;
use crate::testing;

/// Returns the request for products with these names.
fn named(names: &[&str]) -> Request {
    let request = testing::request(minute(5), &json!({}));
    request.with_query("ids", &names.join(","))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

impl Shop {
    /// Returns the names of the products that are found for `request`, and what is not found.
    async fn found(&self, request: Request) -> (Vec<String>, Vec<String>) {
        let found = json_of(&self.list(request).await.unwrap());
        assert_eq!(found["next_cursor"], Value::Null);
        (
            texts(&found["items"], "/name"),
            texts(&found["not_found"], ""),
        )
    }

    async fn tea(&self, name: &str, changes: Value) -> Value {
        let mut tea = tea_with(changes);
        tea["name"] = json!(name);
        self.made(0, tea).await
    }
}

/// Returns the texts at `pointer` of each entry of `list`.
fn texts(list: &Value, pointer: &str) -> Vec<String> {
    let entries = list.as_array().unwrap().iter();
    let texts = entries.map(|entry| text(entry.pointer(pointer).unwrap()));
    texts.map(str::to_owned).collect()
}

#[tokio::test]
async fn products_are_looked_up_in_the_order_asked_for_and_what_is_unknown_is_named() {
    let shop = shop();
    let plain = shop.tea("Sencha", json!({"sku": "TEA 1"})).await;
    let other = shop.tea("Assam", json!({})).await;
    let shirt = shop.made(0, shirt()).await;
    let [plain, other, whole] = [&plain, &other, &shirt].map(|product| text(&product["id"]));
    let blue = text(&shirt["variants"][1]["id"]);
    let nobody = "0197f0a0-0000-7000-8000-000000000001";
    let cases: [(&[&str], &[&str], &[&str]); 5] = [
        // Products, a variant without an SKU, and SKUs.
        (
            &[other, blue, "TEA 1"],
            &["Assam", "T-shirt", "Sencha"],
            &[],
        ),
        (&["T-S-R", plain], &["T-shirt", "Sencha"], &[]),
        // Each product once, at its first name.
        (
            &[blue, plain, whole, "T-S-R", "TEA 1", plain],
            &["T-shirt", "Sencha"],
            &[],
        ),
        (&["t-s-r", nobody, other], &["Assam"], &["t-s-r", nobody]),
        (&[nobody], &[], &[nobody]),
    ];
    for (names, found, not_found) in cases {
        let (products, missing) = shop.found(named(names)).await;
        assert_eq!(products, found, "{names:?}");
        assert_eq!(missing, not_found, "{names:?}");
    }
    // Identifiers are read in any case.
    let [upper_other, upper_blue] = [other, blue].map(str::to_uppercase);
    let names = [&*upper_other, other, &*upper_blue, blue];
    let (products, missing) = shop.found(named(&names)).await;
    assert_eq!((products.len(), missing.len()), (2, 0));
    // What is found is the product as it is in a list.
    let found = json_of(&shop.list(named(&[whole])).await.unwrap());
    assert_eq!(found["items"], json!([shirt]));
}

#[tokio::test]
async fn names_that_a_product_has_given_up_are_not_found() {
    let shop = shop();
    let plain = shop.tea("Sencha", json!({"sku": "TEA-1"})).await;
    let shirt = shop.made(0, shirt()).await;
    let red = text(&shirt["variants"][0]["id"]);
    let blue = text(&shirt["variants"][1]["id"]);
    let renamed = shop.patch(&plain["id"], json!({"sku": "TEA-2"})).await;
    assert_eq!(status_of(renamed), 200);
    let only = json!({"variants": [{"id": blue}]});
    assert_eq!(status_of(shop.patch(&shirt["id"], only).await), 200);
    let (products, missing) = shop.found(named(&["TEA-1", red, "TEA-2", "T-S-R"])).await;
    assert_eq!(products, ["Sencha"]);
    assert_eq!(missing, ["TEA-1", red, "T-S-R"]);
    // A name that is gone is not found beside one that is there.
    let (products, missing) = shop.found(named(&[red, blue])).await;
    assert_eq!((products.len(), missing), (1, vec![red.to_owned()]));
}

#[tokio::test]
async fn only_admins_look_up_what_is_not_public() {
    let shop = shop();
    let mut ids = Vec::new();
    for status in ["active", "out_of_stock", "inactive"] {
        let made = shop.tea(status, json!({"status": status})).await;
        ids.push(text(&made["id"]).to_owned());
    }
    let gone = shop.tea("discontinued", json!({"sku": "GONE"})).await;
    let discontinue = super::to(&gone["id"], json!({})).with("if-match", "*");
    assert_eq!(status_of(shop.discontinue(discontinue).await), 200);
    let hidden = ids[2].clone();
    let mut names: Vec<&str> = ids.iter().map(String::as_str).collect();
    names.push("GONE");
    let (products, missing) = shop.found(named(&names)).await;
    let all = ["active", "out_of_stock", "inactive", "discontinued"];
    assert_eq!(
        (products, missing.len()),
        (all.map(str::to_owned).to_vec(), 0)
    );
    let anyone = Request {
        identity: None,
        ..named(&names)
    };
    for request in [named(&names).of_customer(), anyone] {
        let (products, missing) = shop.found(request).await;
        assert_eq!(products, ["active", "out_of_stock"]);
        assert_eq!(missing, [&*hidden, "GONE"]);
    }
}

#[tokio::test]
async fn a_lookup_goes_on_where_a_page_ended() {
    let shop = shop();
    let first = shop.tea("first", json!({"sku": "A"})).await;
    let mut names = vec!["A", "B", "C", "D", text(&first["id"])];
    names.rotate_right(1);
    for name in ["C", "D"] {
        shop.tea(name, json!({"sku": name})).await;
    }
    let page = async |cursor: Option<&str>| {
        let mut request = named(&names).with_query("limit", "2");
        if let Some(cursor) = cursor {
            request = request.with_query("cursor", cursor);
        }
        json_of(&shop.list(request).await.unwrap())
    };
    let found = |page: &Value| {
        (
            texts(&page["items"], "/name"),
            texts(&page["not_found"], ""),
        )
    };
    let one = page(None).await;
    assert_eq!(
        found(&one),
        (vec!["first".to_owned()], vec!["B".to_owned()])
    );
    let two = page(one["next_cursor"].as_str()).await;
    let rest = ["C", "D"].map(str::to_owned).to_vec();
    assert_eq!(found(&two), (rest, vec![]));
    assert_eq!(two["next_cursor"], Value::Null);
}

#[tokio::test]
async fn what_does_not_fit_in_a_response_is_on_the_next_page() {
    let shop = shop();
    // Each character takes four bytes in a response, which is JSON in JSON.
    let texts_of = |count| "\"".repeat(count);
    let translation = json!({
        "name": texts_of(255), "description": texts_of(1000),
        "seo": {"title": texts_of(100), "description": texts_of(320)},
    });
    let languages = "abcdefghijklmnopqr".chars();
    let translations = languages.map(|letter| (format!("{letter}a"), translation.clone()));
    let translations: serde_json::Map<String, Value> = translations.collect();
    let body = tea_with(json!({"translations": translations}));
    let mut ids = Vec::new();
    for _ in 0..50 {
        ids.push(text(&shop.made(0, body.clone()).await["id"]).to_owned());
    }
    let names: Vec<&str> = ids.iter().map(String::as_str).collect();
    let (mut found, mut pages, mut cursor) = (Vec::new(), 0, None::<String>);
    loop {
        let mut request = named(&names);
        if let Some(cursor) = &cursor {
            request = request.with_query("cursor", cursor);
        }
        let response = shop.list(request).await.unwrap();
        assert!(response.body.len() < 5_000_000);
        let page = json_of(&response);
        found.extend(texts(&page["items"], "/id"));
        assert_eq!(page["not_found"], json!([]));
        pages += 1;
        cursor = page["next_cursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(found, ids);
    assert!(pages > 1);
}

#[tokio::test]
async fn what_cannot_be_looked_up_is_refused() {
    let shop = shop();
    let refused = async |request: Request| -> Vec<String> {
        let outcome: Outcome = shop.list(request).await;
        faults(outcome)
    };
    for names in ["", "a,,b", "a, b", &["a"; 51].join(",")] {
        let request = testing::request(minute(5), &json!({})).with_query("ids", names);
        assert_eq!(refused(request).await, ["?ids invalid"], "{names}");
    }
    let request = named(&["a"]).with_query("sort", "name");
    let request = request.with_query("category", "tea");
    let request = request.with_query("attributes[origin]", "Uji");
    assert_eq!(
        refused(request).await,
        [
            "?attributes[origin] not_with_ids",
            "?category not_with_ids",
            "?sort not_with_ids"
        ]
    );
    let localised = named(&["a"]).with_query("locale", "de");
    assert_eq!(status_of(shop.list(localised).await), 200);
}
