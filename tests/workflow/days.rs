//! Limits per day, by the rules in `docs/expressions.md`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::people::{Person, order_of, unique};
use crate::support::shop::{Setup, Shop};
use crate::support::{root, run_in_euros, run_local};

/// Returns the expressions of the section "Limits per day": for orders, for amounts and for pieces.
fn documented() -> [String; 3] {
    let text = std::fs::read_to_string(root().join("docs/expressions.md")).unwrap();
    let section = text
        .split("\n## ")
        .find(|part| part.starts_with("Limits per day"));
    let blocks = section.unwrap().split("```").skip(1).step_by(2);
    let blocks: Vec<String> = blocks.map(|block| block.trim().to_owned()).collect();
    blocks.try_into().unwrap()
}

/// Starts a shop with one rule, at half past nine in the morning.
async fn limited(expression: &str) -> Shop {
    let shop = Shop::start(Setup {
        manual_clock: true,
        ..Setup::default()
    })
    .await;
    let admin = shop.admin().await;
    let rule = json!({"expression": expression, "message": "too much for a day", "code": "limit"});
    let put = shop.put("/rules/of_the_day").bearer(&admin.token);
    put.json(&rule).send().await.expect(201);
    shop
}

/// Returns the status of an order, and why it failed.
fn outcome(order: &Value) -> String {
    if order["status"] != "failed" {
        return order["status"].as_str().unwrap().to_owned();
    }
    let failure = &order["failure"];
    let part = |name: &str| failure[name].as_str().unwrap().to_owned();
    format!("{}: {}", part("code"), part("detail"))
}

const REFUSED: &str = "rule_failed: too much for a day";

/// Places an order and returns its identifier and its outcome.
async fn buy(shop: &Shop, customer: &Person, product: &str, quantity: u32) -> (String, String) {
    let order = order_of(&[(product, quantity)], "tok_ok");
    // Orders of the same instant are ordered by their identifiers.
    shop.advance(1).await;
    let placed = shop.place(customer, &order).await.expect(202).json();
    let id = placed["id"].as_str().unwrap().to_owned();
    shop.run_until_settled(&id).await;
    let outcome = outcome(&shop.read(customer, &id).await);
    (id, outcome)
}

async fn check_buys(shop: &Shop, customer: &Person, product: &str, buys: &[(u32, &str)]) {
    for (quantity, expected) in buys {
        let (_, outcome) = buy(shop, customer, product, *quantity).await;
        assert_eq!(outcome, *expected, "{quantity}");
    }
}

/// As [`buy`], without an account.
async fn buy_as_guest(shop: &Shop, product: &str, quantity: u32) -> String {
    let mut order = order_of(&[(product, quantity)], "tok_ok");
    order["email"] = json!("guest@example.com");
    let call = shop.post("/guest/orders").key(&unique("guest"));
    let placed = call.json(&order).send().await.expect(202).json();
    let id = placed["id"].as_str().unwrap();
    shop.run_until_settled(id).await;
    let path = format!(
        "/guest/orders/{id}?token={}",
        placed["token"].as_str().unwrap()
    );
    outcome(&shop.get(&path).send().await.expect(200).json())
}

#[test]
fn a_customer_gets_ten_pieces_of_each_product_a_day() {
    run_local(async {
        let [_, _, pieces] = documented();
        let shop = limited(&pieces).await;
        let (ana, ben) = (shop.customer().await, shop.customer().await);
        let (tea, pot) = (
            shop.product("12.00", 100).await,
            shop.product("15.00", 100).await,
        );
        let confirmed = "confirmed";
        check_buys(&shop, &ana, &tea, &[(6, confirmed), (6, REFUSED)]).await;
        // A failed order does not count, and a cancelled one does not count any more.
        let (order, outcome) = buy(&shop, &ana, &tea, 4).await;
        assert_eq!(outcome, confirmed);
        check_buys(&shop, &ana, &tea, &[(1, REFUSED)]).await;
        shop.cancel(&ana, &order).await.expect(200);
        shop.run_until_settled(&order).await;
        check_buys(&shop, &ana, &tea, &[(4, confirmed), (1, REFUSED)]).await;
        check_buys(&shop, &ana, &pot, &[(10, confirmed), (1, REFUSED)]).await;
        check_buys(&shop, &ben, &tea, &[(10, confirmed), (1, REFUSED)]).await;
        for _ in 0..2 {
            assert_eq!(buy_as_guest(&shop, &tea, 10).await, confirmed);
        }
        assert_eq!(buy_as_guest(&shop, &tea, 11).await, REFUSED);
        // Half past eleven at night, and the next morning.
        shop.advance(14 * 3600).await;
        assert!(shop.now().await.starts_with("2026-03-01T23"));
        check_buys(&shop, &ana, &tea, &[(1, REFUSED)]).await;
        shop.advance(3600).await;
        assert!(shop.now().await.starts_with("2026-03-02T00"));
        check_buys(
            &shop,
            &ana,
            &tea,
            &[(5, confirmed), (5, confirmed), (1, REFUSED)],
        )
        .await;
    });
}

#[test]
fn a_customer_spends_at_most_500_a_day() {
    run_in_euros(async {
        let [_, amount, _] = documented();
        let shop = limited(&amount).await;
        let (ana, ben) = (shop.customer().await, shop.customer().await);
        let product = shop.product("100.00", 100).await;
        let confirmed = "confirmed";
        check_buys(&shop, &ana, &product, &[(6, REFUSED), (2, confirmed)]).await;
        check_buys(&shop, &ana, &product, &[(4, REFUSED), (3, confirmed)]).await;
        check_buys(&shop, &ana, &product, &[(1, REFUSED)]).await;
        check_buys(&shop, &ben, &product, &[(5, confirmed)]).await;
        for (quantity, expected) in [(5, confirmed), (5, confirmed), (6, REFUSED)] {
            assert_eq!(buy_as_guest(&shop, &product, quantity).await, expected);
        }
    });
}

#[test]
fn concurrent_orders_are_confirmed_up_to_the_limit_of_the_day() {
    run_local(async {
        let [orders, _, _] = documented();
        let shop = limited(&orders.replace("< 5", "< 2")).await;
        let (ana, ben) = (shop.customer().await, shop.customer().await);
        let product = shop.product("20.00", 100).await;
        let order = order_of(&[(&product, 1)], "tok_ok");
        // No order is decided before all are stored, because a missing order cannot be counted. Here the index has
        // an order as soon as the table has it; on AWS it follows later.
        shop.fault("states:StartExecution@*=error").await;
        let placed = [&ana, &ana, &ben, &ana, &ana, &ana].map(|person| shop.place(person, &order));
        let placed = futures::future::join_all(placed).await;
        let placed: Vec<String> = placed
            .into_iter()
            .map(|answer| answer.expect(202).json()["id"].as_str().unwrap().to_owned())
            .collect();
        shop.no_faults().await;
        let starts = placed.iter().map(|order| shop.start_workflow(order, "now"));
        futures::future::join_all(starts).await;
        let mut outcomes: BTreeMap<String, usize> = BTreeMap::new();
        let admin = shop.admin().await;
        for order in &placed {
            shop.run_until_settled(order).await;
            let order = shop.read(admin, order).await;
            let whose = if order["customer_id"] == ana.id.as_str() {
                "ana"
            } else {
                "ben"
            };
            *outcomes
                .entry(format!("{whose} {}", outcome(&order)))
                .or_default() += 1;
        }
        let refused = format!("ana {REFUSED}");
        let expected = [("ana confirmed", 2), (&refused, 3), ("ben confirmed", 1)];
        let expected = expected.map(|(outcome, count)| (outcome.to_owned(), count));
        assert_eq!(outcomes, BTreeMap::from(expected));
    });
}
