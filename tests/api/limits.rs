//! Callers who send too many or too large requests.

use expect_test::expect;
use serde_json::json;

use super::check;
use crate::support::client::Answer;
use crate::support::people::Person;
use crate::support::run_local;
use crate::support::shop::{Limits, Setup, Shop, physical};

/// Sends an invalid order, which counts like a valid one.
async fn try_to_order(shop: &Shop, person: &Person) -> Answer {
    let call = shop.post("/orders").bearer(&person.token).key("limits");
    call.json(&json!({})).send().await
}

/// Returns the write units that the table of limits has consumed.
async fn writes(shop: &Shop) -> u64 {
    let bill = shop.bill().await;
    bill["tables"][physical("LimitsTable")]["write_units"]
        .as_u64()
        .unwrap_or(0)
}

#[test]
fn a_caller_who_sends_too_many_orders_has_to_wait_and_others_do_not() {
    run_local(async {
        let shop = Shop::start(Setup {
            manual_clock: true,
            limits: Limits::Real,
            ..Setup::default()
        })
        .await;
        let (eager, calm) = (shop.customer().await, shop.customer().await);
        for _ in 0..600 {
            try_to_order(&shop, &eager).await.expect(422);
        }
        let refused = try_to_order(&shop, &eager).await;
        assert_eq!(refused.header("ratelimit"), Some("\"order\";r=0;t=1"));
        assert_eq!(
            refused.header("ratelimit-policy"),
            Some("\"order\";q=600;w=60")
        );
        assert_eq!(refused.header("retry-after"), Some("1"));
        check(
            &refused,
            expect![[r#"
                429
                content-type: application/problem+json
                retry-after: 1
                {
                  "detail": "you are sending too many requests: send this again in 1 s",
                  "instance": "urn:oxcart:request:<id>",
                  "status": 429,
                  "title": "Too many requests",
                  "type": "urn:oxcart:problem:too-many-requests"
                }
            "#]],
        );
        try_to_order(&shop, &calm).await.expect(422);
        let reads = shop.get("/orders").bearer(&eager.token);
        reads.send().await.expect(200);
        shop.advance(1).await;
        for _ in 0..10 {
            try_to_order(&shop, &eager).await.expect(422);
        }
        try_to_order(&shop, &eager).await.expect(429);
    });
}

#[test]
fn an_order_costs_one_write_more_and_twenty_reads_cost_one() {
    run_local(async {
        let shop = Shop::start(Setup {
            manual_clock: true,
            limits: Limits::Real,
            ..Setup::default()
        })
        .await;
        let customer = shop.customer().await;
        shop.reset_bill().await;
        for _ in 0..20 {
            let read = shop.get("/orders").bearer(&customer.token);
            read.send().await.expect(200);
        }
        assert_eq!(writes(&shop).await, 1);
        shop.reset_bill().await;
        for _ in 0..3 {
            try_to_order(&shop, &customer).await.expect(422);
        }
        assert_eq!(writes(&shop).await, 3);
    });
}

#[test]
fn headers_and_queries_are_bounded() {
    run_local(async {
        let shop = crate::support::shop::shared().await;
        // API Gateway counts the values, and the shop the names, too.
        let names = (0..60).map(|n| format!("x-{n:0>180}"));
        let large = names.fold(shop.get("/products"), |call, name| call.header(&name, "1"));
        large.send().await.expect(431);
        let long = format!("/products?category={}", "x".repeat(5000));
        shop.get(&long).send().await.expect(400);
    });
}
