use expect_test::{Expect, expect};

use super::check;
use crate::support::{root, run, shop::shared};

fn check_open(path: &'static str, expected: Expect) {
    run(async {
        let shop = shared().await;
        check(&shop.get(path).send().await, expected);
    });
}

#[test]
fn the_api_is_healthy() {
    check_open(
        "/health",
        expect![[r#"
        200
        content-type: application/json
        {
          "status": "ok",
          "version": "0.1.0"
        }
    "#]],
    );
}

#[test]
fn the_gateway_refuses_an_unknown_route() {
    check_open(
        "/nowhere",
        expect![[r#"
        404
        content-type: application/json
        {
          "message": "Not Found"
        }
    "#]],
    );
}

#[test]
fn the_gateway_refuses_a_request_without_a_token() {
    check_open(
        "/orders",
        expect![[r#"
        401
        content-type: application/json
        {
          "message": "Unauthorized"
        }
    "#]],
    );
}

#[test]
fn the_api_returns_its_description_and_304_if_the_client_has_it() {
    run(async {
        let shop = shared().await;
        let described = shop.get("/openapi.json").send().await.expect(200);
        let stored = std::fs::read_to_string(root().join("infra/openapi.json")).unwrap();
        assert_eq!(described.text, stored);
        let tag = described.header("etag").unwrap();
        let known = shop.get("/openapi.json").header("if-none-match", tag);
        let known = known.send().await.expect(304);
        assert_eq!(known.header("etag"), Some(tag));
        let other = shop
            .get("/openapi.json")
            .header("if-none-match", "\"other\"");
        other.send().await.expect(200);
    });
}
