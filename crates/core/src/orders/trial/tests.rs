//! Trying rules on orders and samples.

use serde_json::{Value, json};

use super::*;
use crate::orders::fixtures::{Shop, after, lines, order, order_of};
use crate::testing;

fn rule() -> Value {
    json!({"expression": "order.total < money(\"50.00\")", "message": "at most 50.00 EUR", "code": "too_large"})
}

fn sample() -> Value {
    json!({
        "lines": [{"quantity": 2, "unit_price": {"amount": "30.00", "currency": "EUR"}, "category": "tea"}],
        "country": "AT",
    })
}

async fn shop() -> Shop {
    let shop = Shop::with(&order()).await;
    let rules = RuleStore::new(&shop.aws).unwrap();
    let put = testing::request(after(0), &rule()).at("rule_name", "small");
    crate::screening::api::put_rule(&rules, "EUR".parse().unwrap(), put)
        .await
        .unwrap();
    shop
}

async fn tried(shop: &Shop, name: &str, body: &Value) -> Result<Value, Problem> {
    let trials = Trials::new(&shop.aws).unwrap();
    let request = testing::request(after(60), body).at("rule_name", name);
    let answer = test_rule(&trials, request).await?;
    Ok(serde_json::from_slice(&answer.body).unwrap())
}

#[tokio::test]
async fn a_rule_is_tried_on_a_sample_and_on_an_order() {
    let shop = shop().await;
    let against = json!({"rule": "small", "valid": false, "message": "at most 50.00 EUR", "code": "too_large"});
    let passed = json!({"rule": "small", "valid": true, "message": "", "code": "ok"});
    let body = json!({"order": sample()});
    assert_eq!(tried(&shop, "small", &body).await.unwrap(), against);
    let body = json!({"order_id": order().id.to_string()});
    assert_eq!(tried(&shop, "small", &body).await.unwrap(), against);
    let more =
        "order.total < money(\"60.01\") && order.lines.sum(l, l.subtotal) == totals.subtotal";
    let body = json!({"order": sample(), "expression": more});
    assert_eq!(tried(&shop, "small", &body).await.unwrap(), passed);
    let all = "customer.orders_placed == 0 && !has(line_category)".replace(
        "!has(line_category)",
        "order.lines.all(l, !has(l.category)) && !has(customer.roles)",
    );
    let body = json!({"order_id": order().id.to_string(), "expression": all});
    assert_eq!(tried(&shop, "small", &body).await.unwrap(), passed);
    // For a sample, facts of the day are absent unless given; for an order they are counted.
    let day = "!has(customer.orders_today) && !has(customer.spent_today) && order.lines.all(l, !has(l.ordered_today))";
    let body = json!({"order": sample(), "expression": day});
    assert_eq!(tried(&shop, "small", &body).await.unwrap(), passed);
    let next = order_of("ana", lines(1), after(60));
    shop.store(&next).await;
    let day = "customer.orders_today == 1 && customer.spent_today == money(\"51.60\") && order.lines.all(l, l.ordered_today == 2)";
    let body = json!({"order_id": next.id.to_string(), "expression": day});
    assert_eq!(tried(&shop, "small", &body).await.unwrap(), passed);
    // A rule that is not saved yet.
    let body = json!({"order": sample(), "expression": "order.country == \"AT\""});
    assert_eq!(tried(&shop, "new", &body).await.unwrap()["valid"], true);
    let body = json!({"order": sample(), "expression": "customer.orders_placed > 1"});
    let broken = tried(&shop, "new", &body).await.unwrap();
    assert_eq!(broken["code"], "rule_broken");
    assert_eq!(
        broken["message"],
        "the rule new could not be evaluated: the order has no customer.orders_placed; check it with has(...) first"
    );
}

#[tokio::test]
async fn every_part_of_a_sample_is_seen() {
    let shop = shop().await;
    let mut order = sample();
    order["region"] = json!("Wien");
    order["postal_code"] = json!("1070");
    order["created_at"] = json!("2026-12-24T16:30:00Z");
    order["lines"][0]["ordered_today"] = json!(8);
    order["lines"][0]["product_id"] = json!("0195a1c1-0a10-7e21-b3f8-2d4c6e8fa004");
    let money = |amount: &str| json!({"amount": amount, "currency": "EUR"});
    let customer = json!({"id": "0195a1c2-7d41-7d52-8b17-51c0f4f2ab02", "is_guest": true, "roles": ["customer"],
        "registered_at": "2026-01-01T00:00:00Z", "orders_placed": 3, "orders_confirmed": 2,
        "orders_today": 1, "spent_today": money("440.00")});
    let totals = json!({"discount": money("5.00"), "shipping": money("4.00"), "tax": money("1.00"), "total": money("59.00")});
    for expression in [
        "order.region == \"Wien\" && order.postal_code == \"1070\" && order.country == \"AT\"",
        "order.created_at == timestamp(\"2026-12-24T16:30:00Z\")",
        "order.lines[0].product_id == \"0195a1c1-0a10-7e21-b3f8-2d4c6e8fa004\" && order.lines[0].category == \"tea\"",
        "customer.id == \"0195a1c2-7d41-7d52-8b17-51c0f4f2ab02\" && customer.is_guest && \"customer\" in customer.roles",
        "customer.registered_at == timestamp(\"2026-01-01T00:00:00Z\") && customer.orders_placed == 3 && customer.orders_confirmed == 2",
        "customer.orders_today == 1 && customer.spent_today + order.total == money(\"499\")",
        "order.lines.all(l, l.ordered_today + l.quantity == 10)",
        "totals.subtotal == money(\"60\") && totals.discount == money(\"5\") && totals.shipping == money(\"4\")",
        "totals.tax == money(\"1\") && totals.total == money(\"59\") && order.total == money(\"59\")",
    ] {
        let body = json!({"order": order, "customer": customer, "totals": totals, "expression": expression});
        let verdict = tried(&shop, "small", &body).await.unwrap();
        assert_eq!(verdict["valid"], true, "{expression}: {verdict}");
    }
}

#[tokio::test]
async fn an_invalid_trial_is_refused() {
    let shop = shop().await;
    let unknown = json!({"order_id": "0195a1c1-0a10-7e21-b3f8-2d4c6e8fa004"});
    let refused = tried(&shop, "small", &unknown).await;
    assert!(
        matches!(refused, Err(Problem::NotFound("order"))),
        "{refused:?}"
    );
    let refused = tried(&shop, "new", &json!({"order": sample()})).await;
    assert!(
        matches!(refused, Err(Problem::NotFound("rule"))),
        "{refused:?}"
    );
    let mut large = sample();
    large["lines"][0]["unit_price"]["amount"] = json!("999999999999999");
    for (body, fault) in [
        (json!({}), "/order required"),
        (
            json!({"order": sample(), "order_id": order().id.to_string()}),
            "/order unknown_field",
        ),
        (json!({"order": {"lines": []}}), "/order/lines length"),
        (json!({"order": large}), "/order/lines/0 range"),
        (
            json!({"order": sample(), "expression": "order.totl"}),
            "/expression expression",
        ),
        (
            json!({"order": sample(), "customer": {"score": 1}}),
            "/customer/score unknown_field",
        ),
        (
            json!({"order": sample(), "customer": {"orders_today": -1}}),
            "/customer/orders_today range",
        ),
        (
            json!({"order": sample(), "customer": {"spent_today": {"amount": "1", "currency": "JPY"}}}),
            "/customer/spent_today/currency currency",
        ),
    ] {
        let refused = tried(&shop, "small", &body).await;
        let Err(Problem::InvalidBody(faults)) = refused else {
            panic!("{body}: {refused:?}");
        };
        let found: Vec<String> = faults
            .iter()
            .map(|f| format!("{} {}", f.pointer, f.code))
            .collect();
        assert_eq!(found, [fault]);
    }
    let trials = Trials::new(&shop.aws).unwrap();
    let request = testing::request(after(60), &json!({"order": sample()}))
        .at("rule_name", "small")
        .of_customer();
    let refused = test_rule(&trials, request).await;
    assert!(matches!(refused, Err(Problem::Forbidden)), "{refused:?}");
}

#[tokio::test]
async fn a_rule_is_tried_in_its_currency() {
    let shop = shop().await;
    let sample =
        json!({"lines": [{"quantity": 1, "unit_price": {"amount": "60", "currency": "JPY"}}]});
    let expression = "order.total < money(\"50\") && order.currency == \"JPY\"";
    let body = json!({"order": sample, "expression": expression, "currency": "JPY"});
    assert_eq!(tried(&shop, "small", &body).await.unwrap()["valid"], false);
    for (body, fault) in [
        (
            json!({"order": sample}),
            "/order/lines/0/unit_price/currency currency",
        ),
        (
            json!({"order": sample, "currency": "JPY", "expression": "order.total < money(\"0.50\")"}),
            "/expression expression",
        ),
        (
            json!({"order": sample, "currency": "yen"}),
            "/currency invalid",
        ),
    ] {
        let Err(Problem::InvalidBody(faults)) = tried(&shop, "small", &body).await else {
            panic!("{body} was taken");
        };
        let first = format!("{} {}", faults[0].pointer, faults[0].code);
        assert_eq!(first, fault, "{body}");
    }
    // A rule for yen does not apply to a stored order in euros.
    let body =
        json!({"order_id": order().id.to_string(), "expression": "false", "currency": "JPY"});
    assert_eq!(tried(&shop, "small", &body).await.unwrap()["valid"], true);
    let rules = RuleStore::new(&shop.aws).unwrap();
    let yen = json!({"expression": "order.total < money(\"50\")", "message": "no", "code": "no", "currency": "JPY"});
    let put = testing::request(after(0), &yen).at("rule_name", "yen");
    let euro = "EUR".parse().unwrap();
    let put = crate::screening::api::put_rule(&rules, euro, put).await;
    let stored: Value = serde_json::from_slice(&put.unwrap().body).unwrap();
    assert_eq!(stored["currency"], "JPY");
    let body = json!({ "order": sample });
    assert_eq!(tried(&shop, "yen", &body).await.unwrap()["valid"], false);
}
