//! Slugs, pictures, tags and other languages.

use serde_json::{Value, json};

use super::{Outcome, Shop, faults, header, json_of, minute, shop, status_of, tea_with, to};
use crate::catalog::api;
use crate::catalog::content::Content;
use crate::catalog::model::{Product, ProductError};
use crate::http::problem::Problem;
use crate::testing;

fn with_slug(slug: &str) -> Value {
    tea_with(json!({"slug": slug}))
}

impl Shop {
    /// Reads `/products/<name>` with the query parameters `query`, as somebody without a token.
    async fn read(&self, name: &str, query: &[(&str, &str)]) -> Outcome {
        let mut request = to(&json!(name), json!({}));
        request.identity = None;
        for (name, value) in query {
            request = request.with_query(name, value);
        }
        api::get_product(&self.catalogue, &self.admins, request).await
    }

    async fn change(&self, id: &Value, patch: Value) -> Outcome {
        self.update(to(id, patch).with("if-match", "*")).await
    }
}

#[tokio::test]
async fn what_is_told_of_a_product_reads_back() {
    let shop = shop();
    let told = json!({
        "slug": "煎茶-uji", "brand": "Marukyu", "tags": ["green", "Japan"],
        "seo": {"title": "Sencha from Uji", "description": null},
        "images": [{"url": "https://example.com/a.jpg", "alt": "A cup"}, {"url": "/images/0195a1c3-2b00-7c11-8d3e-5a6b7c8d9e02.jpg", "alt": ""}],
        "translations": {"de-at": {"name": "Grüner Tee", "description": "Aus Uji", "seo": {"title": null, "description": null}}},
    });
    let made = shop.made(0, tea_with(told.clone())).await;
    for (field, value) in told.as_object().unwrap() {
        assert_eq!(&made[field], value, "{field}");
    }
    let id = made["id"].as_str().unwrap();
    assert_eq!(json_of(&shop.read(id, &[]).await.unwrap()), made);
    // What is not sent stays.
    let changed = shop
        .change(&made["id"], json!({"brand": null, "tags": []}))
        .await;
    let changed = json_of(&changed.unwrap());
    assert_eq!(
        (&changed["brand"], &changed["tags"]),
        (&json!(null), &json!([]))
    );
    assert_eq!(changed["images"], made["images"]);
}

#[tokio::test]
async fn a_product_is_read_by_its_slug_and_an_old_one_leads_to_it() {
    let shop = shop();
    let made = shop.made(0, with_slug("sencha")).await;
    assert_eq!(json_of(&shop.read("sencha", &[]).await.unwrap()), made);
    shop.change(&made["id"], json!({"slug": "煎茶"}))
        .await
        .unwrap();
    let moved = shop.read("sencha", &[("locale", "de")]).await.unwrap();
    assert_eq!(moved.status, 301);
    assert_eq!(
        header(&moved, "Location"),
        Some("/products/%E7%85%8E%E8%8C%B6?locale=de")
    );
    assert_eq!(shop.read("煎茶", &[]).await.unwrap().status, 200);
    // Without a slug, the old ones lead to the identifier.
    shop.change(&made["id"], json!({"slug": null}))
        .await
        .unwrap();
    let moved = shop.read("煎茶", &[]).await.unwrap();
    let location = format!("/products/{}", made["id"].as_str().unwrap());
    assert_eq!(header(&moved, "Location"), Some(location.as_str()));
    assert_eq!(status_of(shop.read("gyokuro", &[]).await), 404);
    assert_eq!(status_of(shop.read("Sencha", &[]).await), 404);
}

#[tokio::test]
async fn a_slug_does_not_tell_of_a_product_that_is_hidden() {
    let shop = shop();
    let made = shop.made(0, with_slug("sencha")).await;
    let patch = json!({"slug": "secret", "status": "inactive"});
    shop.change(&made["id"], patch).await.unwrap();
    for slug in ["sencha", "secret"] {
        assert_eq!(status_of(shop.read(slug, &[]).await), 404, "{slug}");
        let admin = to(&json!(slug), json!({}));
        let seen = api::get_product(&shop.catalogue, &shop.admins, admin).await;
        let expected = if slug == "secret" { 200 } else { 301 };
        assert_eq!(status_of(seen), expected, "{slug}");
    }
}

#[tokio::test]
async fn no_two_products_have_the_same_slug() {
    let shop = shop();
    let first = shop.made(0, with_slug("sencha")).await;
    let second = shop.made(0, with_slug("gyokuro")).await;
    let is_taken = |outcome: Outcome| {
        assert!(
            matches!(&outcome, Err(Problem::Conflict(detail)) if detail.starts_with("/slug: ")),
            "{outcome:?}"
        );
    };
    is_taken(
        shop.create(testing::request(minute(1), &with_slug("sencha")))
            .await,
    );
    is_taken(shop.change(&second["id"], json!({"slug": "sencha"})).await);
    assert_eq!(json_of(&shop.get(&second["id"]).await.unwrap()), second);
    // An old one is still the address of its product, which can have it again.
    shop.change(&first["id"], json!({"slug": "sencha-uji"}))
        .await
        .unwrap();
    is_taken(shop.change(&second["id"], json!({"slug": "sencha"})).await);
    let back = shop.change(&first["id"], json!({"slug": "sencha"})).await;
    assert_eq!(json_of(&back.unwrap())["slug"], "sencha");
    let other = shop.clone();
    shop.engine
        .before_next("TransactWriteItems", async move || {
            other.made(2, with_slug("matcha")).await;
        });
    is_taken(
        shop.create(testing::request(minute(2), &with_slug("matcha")))
            .await,
    );
}

#[tokio::test]
async fn texts_are_shown_in_the_nearest_language() {
    let shop = shop();
    let translations = json!({
        "de": {"name": "Grüner Tee", "description": "Aus Japan", "seo": {"title": "Tee"}},
        "de-CH": {"name": "Grüntee"},
    });
    let made = shop
        .made(
            0,
            tea_with(json!({"translations": translations, "description": "From Japan"})),
        )
        .await;
    let id = made["id"].as_str().unwrap();
    let cases = [
        ("de-AT", "Grüner Tee", "Aus Japan", json!("Tee")),
        ("de-ch", "Grüntee", "From Japan", Value::Null),
        ("fr", "Sencha", "From Japan", Value::Null),
    ];
    for (locale, name, description, title) in cases {
        let read = json_of(&shop.read(id, &[("locale", locale)]).await.unwrap());
        assert_eq!(
            (&read["name"], &read["description"]),
            (&json!(name), &json!(description))
        );
        assert_eq!(read["seo"]["title"], title, "{locale}");
        let list = shop.names(&[("locale", locale)]).await;
        assert_eq!(list, [[name]]);
    }
    assert_eq!(
        status_of(shop.read(id, &[("locale", "deutsch?")]).await),
        400
    );
}

#[tokio::test]
async fn what_cannot_be_told_of_a_product_is_refused_by_its_place() {
    let shop = shop();
    let image = |url: &str| json!({"images": [{"url": url}]});
    let cases = [
        (json!({"slug": "Sencha"}), "/slug invalid"),
        (json!({"brand": ""}), "/brand length"),
        (json!({"tags": ["a", "b", "a"]}), "/tags/2 repeated"),
        (json!({"tags": null}), "/tags type"),
        (
            json!({"seo": {"title": "a\nb"}}),
            "/seo/title control_character",
        ),
        (image("http://example.com/a.jpg"), "/images/0/url invalid"),
        (image("javascript:alert(1)"), "/images/0/url invalid"),
        (image("/a.jpg"), "/images/0/url invalid"),
        (image("/images/a.jpg"), "/images/0/url invalid"),
        (
            json!({"translations": {"de": {}}}),
            "/translations/de/name required",
        ),
        (
            json!({"translations": {"deutsch!": {"name": "Tee"}}}),
            "/translations invalid",
        ),
        (
            json!({"translations": {"de": {"name": "a"}, "DE": {"name": "b"}}}),
            "/translations repeated",
        ),
    ];
    for (changes, fault) in cases {
        let request = testing::request(minute(0), &tea_with(changes.clone()));
        assert_eq!(faults(shop.create(request).await), [fault], "{changes}");
    }
    assert!(shop.stored().is_empty());
}

#[tokio::test]
async fn a_product_that_does_not_fit_in_an_item_is_refused() {
    let shop = shop();
    let made = shop.made(0, tea_with(json!({}))).await;
    let id = made["id"].as_str().unwrap().parse().unwrap();
    let before = shop.products.get(id).await.unwrap().unwrap();
    let with_tags = |count: usize| Product {
        content: Content {
            tags: vec!["x".repeat(997); count],
            ..Content::default()
        },
        version: 2,
        ..before.clone()
    };
    let too_large = shop.products.replace(&before, with_tags(380)).await;
    assert!(
        matches!(too_large, Err(ProductError::TooLarge)),
        "{too_large:?}"
    );
    assert_eq!(shop.products.get(id).await.unwrap().as_ref(), Some(&before));
    let largest = shop.products.replace(&before, with_tags(379)).await;
    assert_eq!(largest.unwrap().content.tags.len(), 379);
}
