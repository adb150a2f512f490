//! The router and its breakers on a real engine.

use crate::aws::settings::Setting;
use crate::payments::fixtures::after;
use crate::testing::{self, Engine, Fault};
use crate::values::id::{CustomerId, OrderId};

use super::*;

const LIST: &str = "sandbox:a,sandbox:b";

/// Processes of one shop: each has a router of its own.
struct Shop {
    aws: Aws,
    engine: Engine,
}

impl Shop {
    fn new(list: &str, strategy: &str) -> Self {
        let changed = [("PAYMENT_GATEWAYS", list), ("PAYMENT_ROUTING", strategy)];
        let (aws, engine) = testing::aws_with(&changed);
        Self { aws, engine }
    }

    fn process(&self) -> Router {
        Router::new(&self.aws).unwrap().unwrap()
    }

    fn state(&self, gateway: &str) -> String {
        let items = self.engine.items(Setting::GatewaysTable);
        let item = items.iter().find(|item| item["gateway"] == gateway);
        let state = item.and_then(|item| item["state"].as_str());
        state.unwrap_or("none").to_owned()
    }
}

fn name(text: &str) -> GatewayName {
    text.parse().unwrap()
}

fn payer(number: u32) -> Payer {
    let number = number.to_string();
    Payer {
        order_id: OrderId::derived(&[&number]),
        customer_id: CustomerId::derived(&[&number]),
    }
}

/// Returns the gateway that a payment gets `seconds` after the start.
async fn chosen(router: &Router, seconds: i64) -> String {
    let chosen = router.choose(payer(0), &[], after(seconds)).await;
    chosen.unwrap().to_string()
}

async fn fail(router: &Router, gateway: &str, times: u32, seconds: i64) {
    for _ in 0..times {
        router.note(&name(gateway), false, after(seconds)).await;
    }
}

#[tokio::test]
async fn a_shop_with_one_gateway_has_no_router() {
    let (aws, _) = testing::aws();
    assert!(Router::new(&aws).unwrap().is_none());
    for (setting, value) in [
        ("PAYMENT_GATEWAYS", "sandbox:a"),
        ("PAYMENT_GATEWAYS", "stripe:a,stripe:b"),
        ("PAYMENT_ROUTING", "random"),
    ] {
        let (aws, _) = testing::aws_with(&[("PAYMENT_GATEWAYS", LIST), (setting, value)]);
        let refused = Router::new(&aws).unwrap_err().to_string();
        assert!(
            refused.contains(setting) && refused.contains(value),
            "{refused}"
        );
    }
}

#[tokio::test]
async fn a_gateway_that_fails_repeatedly_is_left_out_and_tried_again() {
    let shop = Shop::new(LIST, "primary_with_fallback");
    let (one, other) = (shop.process(), shop.process());
    fail(&one, "sandbox:a", 4, 0).await;
    assert_eq!(chosen(&one, 0).await, "sandbox:a");
    assert_eq!(chosen(&other, 0).await, "sandbox:a");
    fail(&one, "sandbox:a", 1, 1).await;
    assert_eq!(shop.state("sandbox:a"), "open");
    assert_eq!(chosen(&one, 1).await, "sandbox:b");
    // The other process has seen another state, for some seconds.
    assert_eq!(chosen(&other, 4).await, "sandbox:a");
    assert_eq!(chosen(&other, 5).await, "sandbox:b");
    assert_eq!(chosen(&other, 30).await, "sandbox:b");
    // The pause is over: one payment tries it, and the others wait for what it finds.
    assert_eq!(chosen(&other, 31).await, "sandbox:a");
    assert_eq!(shop.state("sandbox:a"), "half_open");
    assert_eq!(chosen(&other, 31).await, "sandbox:b");
    assert_eq!(chosen(&one, 32).await, "sandbox:b");
    // It fails, so the pause is longer.
    fail(&other, "sandbox:a", 1, 32).await;
    assert_eq!(chosen(&one, 91).await, "sandbox:b");
    assert_eq!(chosen(&one, 92).await, "sandbox:a");
    one.note(&name("sandbox:a"), true, after(92)).await;
    assert_eq!(shop.state("sandbox:a"), "closed");
    assert_eq!(chosen(&one, 92).await, "sandbox:a");
    assert_eq!(chosen(&other, 98).await, "sandbox:a");
}

#[test]
fn of_many_processes_one_tries_a_gateway() {
    let shop = Shop::new(LIST, "primary_with_fallback");
    let block_on = |job| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(job);
    };
    let first = shop.process();
    block_on(fail(&first, "sandbox:a", 5, 0));
    let chosen = testing::at_once((0..8).map(|_| {
        let router = shop.process();
        async move || chosen(&router, 40).await
    }));
    let tries = chosen.iter().filter(|name| *name == "sandbox:a");
    assert_eq!(tries.count(), 1, "{chosen:?}");
}

#[tokio::test]
async fn a_process_that_was_overtaken_does_not_try_a_gateway() {
    let shop = Shop::new(LIST, "primary_with_fallback");
    let (one, other) = (shop.process(), shop.process());
    fail(&one, "sandbox:a", 5, 0).await;
    // The other process is quicker, between what this one reads and what it writes.
    shop.engine.before_next("PutItem", async move || {
        assert_eq!(chosen(&other, 40).await, "sandbox:a");
    });
    assert_eq!(chosen(&one, 40).await, "sandbox:b");
}

#[test]
fn failures_at_the_same_time_are_all_counted() {
    let shop = Shop::new(LIST, "primary_with_fallback");
    testing::at_once((0..5).map(|_| {
        let router = shop.process();
        async move || fail(&router, "sandbox:a", 1, 0).await
    }));
    assert_eq!(shop.state("sandbox:a"), "open");
}

#[tokio::test]
async fn if_all_are_left_out_the_first_takes_a_payment_and_none_moves() {
    let shop = Shop::new(LIST, "primary_with_fallback");
    let router = shop.process();
    fail(&router, "sandbox:a", 5, 0).await;
    fail(&router, "sandbox:b", 5, 0).await;
    assert_eq!(chosen(&router, 1).await, "sandbox:a");
    let tried = [name("sandbox:a")];
    assert_eq!(router.choose(payer(0), &tried, after(1)).await, None);
}

#[tokio::test]
async fn payments_do_not_wait_for_the_state_of_the_gateways() {
    let shop = Shop::new(LIST, "primary_with_fallback");
    let router = shop.process();
    for operation in ["BatchGetItem", "GetItem"] {
        for _ in 0..3 {
            shop.engine.fail_next(operation, Fault::Failed);
        }
    }
    assert_eq!(chosen(&router, 0).await, "sandbox:a");
    fail(&router, "sandbox:a", 1, 0).await;
    assert_eq!(shop.state("sandbox:a"), "none");
}

#[tokio::test]
async fn a_healthy_gateway_costs_one_read_in_some_seconds() {
    let shop = Shop::new(LIST, "consistent_hash");
    let router = shop.process();
    for seconds in 0..5 {
        let chosen = router.choose(payer(7), &[], after(seconds)).await.unwrap();
        router.note(&chosen, true, after(seconds)).await;
    }
    assert_eq!(shop.engine.calls(), ["BatchGetItem"]);
    router.choose(payer(7), &[], after(5)).await;
    assert_eq!(shop.engine.calls(), ["BatchGetItem", "BatchGetItem"]);
    assert!(shop.engine.items(Setting::GatewaysTable).is_empty());
}
