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
fn the_shop_says_that_it_is_well() {
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
fn an_address_that_is_no_route_is_answered_by_the_gateway() {
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
fn a_route_that_needs_a_token_is_refused_without_one_by_the_gateway() {
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
fn the_api_describes_itself_and_says_when_that_is_known() {
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
