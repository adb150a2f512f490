//! Tests of reading as HTTP has it (RFC 9110): HEAD, conditional requests, and cursors.

use reqwest::Method;
use serde_json::json;

use crate::support::client::Answer;
use crate::support::run;
use crate::support::shop::{Shop, shared};

/// Returns the headers that a response to HEAD shares with one to GET.
fn headers(answer: &Answer) -> Vec<Option<&str>> {
    let names = [
        "content-type",
        "content-length",
        "etag",
        "cache-control",
        "link",
    ];
    names.map(|name| answer.header(name)).into()
}

#[test]
fn what_is_read_with_get_is_read_with_head_without_its_body() {
    run(async {
        let shop = shared().await;
        let product = shop.product("19.90", 1).await;
        shop.until_shown(&product, "low").await;
        let buyer = shop.buyer().await;
        for (path, token) in [
            ("/health", None),
            ("/openapi.json", None),
            ("/.well-known/jwks.json", None),
            ("/shipping-methods", None),
            (&*format!("/products/{product}"), None),
            ("/products/01941f29-7c00-7000-8000-000000000009", None),
            ("/customers/me", Some(&buyer.token)),
        ] {
            let send = async |method| {
                let call = shop.call(method, path);
                let call = match token {
                    Some(token) => call.bearer(token),
                    None => call,
                };
                call.send().await
            };
            let (got, asked) = (send(Method::GET).await, send(Method::HEAD).await);
            assert_eq!(asked.status, got.status, "{path}");
            assert_eq!(headers(&asked), headers(&got), "{path}");
            assert_eq!(asked.text, "", "{path}");
        }
        let listed = shop.call(Method::HEAD, "/products?limit=1").send().await;
        assert_eq!((listed.status, &*listed.text), (200, ""));
        shop.call(Method::HEAD, "/customers/me")
            .send()
            .await
            .expect(401);
    });
}

async fn status_of(shop: &Shop, path: &str, tags: &str) -> u16 {
    let call = shop.get(path).header("if-none-match", tags);
    call.send().await.status
}

#[test]
fn a_client_that_has_the_current_product_gets_304() {
    run(async {
        let shop = shared().await;
        let id = shop.product("19.90", 1).await;
        shop.until_shown(&id, "low").await;
        let path = format!("/products/{id}");
        let read = shop.get(&path).send().await.expect(200);
        let tag = read.header("etag").unwrap();
        let known = shop.get(&path).header("if-none-match", tag);
        let known = known.send().await.expect(304);
        assert_eq!((known.header("etag"), &*known.text), (Some(tag), ""));
        assert_eq!(known.header("cache-control"), Some("no-cache"));
        let weak = format!("\"other\", W/{tag}");
        assert_eq!(status_of(shop, &path, &weak).await, 304);
        assert_eq!(status_of(shop, &path, "*").await, 304);
        assert_eq!(status_of(shop, &path, "\"other\"").await, 200);
        // A weak tag is not enough to change something.
        let change = shop.patch(&path).bearer(&shop.admin().await.token);
        let change = change.header("if-match", &format!("W/{tag}"));
        change
            .json(&json!({"name": "Kite"}))
            .send()
            .await
            .expect(412);
    });
}

#[test]
fn a_cursor_is_refused_by_another_list_and_with_other_filters() {
    run(async {
        let shop = shared().await;
        let admin = &shop.admin().await.token;
        for _ in 0..2 {
            shop.product("19.90", 1).await;
        }
        let page = shop.get("/products?category=testing&limit=1").send().await;
        let cursor = page.expect(200).json()["next_cursor"].clone();
        let cursor = cursor.as_str().unwrap().to_owned();
        for (path, expected) in [
            ("/products?category=testing&limit=2", 200),
            ("/products?category=testing&status=active", 400),
            ("/products?category=other", 400),
            ("/products?", 400),
            ("/customers?", 400),
            ("/discounts?", 400),
            ("/orders?", 400),
        ] {
            let call = shop.get(&format!("{path}&cursor={cursor}")).bearer(admin);
            let answer = call.send().await.expect(expected);
            if expected == 400 {
                assert_eq!(answer.json()["errors"][0]["pointer"], "?cursor", "{path}");
            }
        }
    });
}
