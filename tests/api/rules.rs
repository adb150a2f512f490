//! Managing rules, and checking orders against them. Each of these tests has a shop of its own, because a
//! rule applies to all orders.

use expect_test::expect;
use serde_json::{Value, json};

use super::check;
use crate::support::client::{Answer, Call};
use crate::support::people::{Person, order_of, unique};
use crate::support::prices::{amount, money};
use crate::support::shop::{Setup, Shop};
use crate::support::{run_local, until};

/// The expression of a rule that an order's total is at most an amount.
fn total_is_at_most(written: &str) -> String {
    format!("order.total <= money(\"{}\")", amount(written))
}

fn at_most(written: &str) -> Value {
    json!({
        "expression": total_is_at_most(written),
        "message": format!("an order is at most {written}"),
        "code": "too_large",
    })
}

fn at_most_pieces(pieces: u32) -> Value {
    json!({
        "expression": format!("order.item_count <= {pieces}"),
        "message": format!("an order is at most {pieces} pieces"),
        "code": "too_large",
    })
}

async fn put(shop: &Shop, name: &str, tag: Option<&'static str>, rule: &Value) -> Answer {
    let admin = shop.admin().await;
    let call = shop.put(&format!("/rules/{name}")).bearer(&admin.token);
    let call = match tag {
        Some(tag) => call.header("if-match", tag),
        None => call,
    };
    call.json(rule).send().await
}

/// Places an order of `quantity` pieces, waits until it is settled, and returns it.
async fn outcome(shop: &Shop, customer: &Person, product: &str, quantity: u32) -> (String, Value) {
    let order = order_of(&[(product, quantity)], "tok_ok");
    let placed = shop.place_with_key(customer, &order, &unique("rule")).await;
    let id = placed.expect(202).json()["id"].as_str().unwrap().to_owned();
    shop.until_settled(&id).await;
    let settled = shop.read(customer, &id).await;
    (id, settled)
}

#[test]
fn a_rule_is_put_read_listed_and_removed() {
    run_local(async {
        let shop = Shop::start(Setup::default()).await;
        let admin = shop.admin().await;
        let call = |call: Call| call.bearer(&admin.token);
        check(
            &put(&shop, "at_most", None, &at_most_pieces(5)).await,
            expect![[r#"
                201
                content-type: application/json
                location: /rules/at_most
                etag: "1"
                {
                  "author": "<id-1>",
                  "code": "too_large",
                  "created_at": "<time>",
                  "currency": null,
                  "enabled": true,
                  "expression": "order.item_count <= 5",
                  "message": "an order is at most 5 pieces",
                  "name": "at_most",
                  "severity": "reject",
                  "updated_at": "<time>",
                  "version": 1
                }
            "#]],
        );
        check(
            &put(&shop, "at_most", None, &at_most_pieces(4)).await,
            expect![[r#"
                428
                content-type: application/problem+json
                {
                  "detail": "send the ETag that you read in If-Match",
                  "instance": "urn:oxcart:request:<id>",
                  "status": 428,
                  "title": "Precondition required",
                  "type": "urn:oxcart:problem:precondition-required"
                }
            "#]],
        );
        check(
            &put(&shop, "at_most", Some("\"7\""), &at_most_pieces(4)).await,
            expect![[r#"
                412
                content-type: application/problem+json
                {
                  "detail": "it has changed since you read it: read it again",
                  "instance": "urn:oxcart:request:<id>",
                  "status": 412,
                  "title": "Precondition failed",
                  "type": "urn:oxcart:problem:precondition-failed"
                }
            "#]],
        );
        let changed = put(&shop, "at_most", Some("\"1\""), &at_most_pieces(4)).await;
        let changed = changed.expect(200).json();
        assert_eq!(changed["version"], 2);
        let read = call(shop.get("/rules/at_most"))
            .send()
            .await
            .expect(200)
            .json();
        assert_eq!(read, changed);
        let list = call(shop.get("/rules")).send().await.expect(200).json();
        assert_eq!(list, json!({"items": [read], "next_cursor": null}));
        let remove = || call(shop.delete("/rules/at_most"));
        remove().send().await.expect(428);
        let stale = remove().header("if-match", "\"1\"").send();
        stale.await.expect(412);
        let known = remove().header("if-match", "\"2\"").send();
        known.await.expect(204);
        call(shop.get("/rules/at_most")).send().await.expect(404);
    });
}

#[test]
fn a_rule_and_a_changed_expression_are_tried_on_a_sample() {
    run_local(async {
        let shop = Shop::start(Setup::default()).await;
        let admin = shop.admin().await;
        let call = |call: Call| call.bearer(&admin.token);
        let rule = put(&shop, "at_most", None, &at_most("400.00")).await;
        rule.expect(201);
        let sample = json!({"order": {"lines": [
            {"quantity": 3, "unit_price": money("150.00")},
        ]}});
        let tried = call(shop.post("/rules/at_most/test"))
            .json(&sample)
            .send()
            .await;
        check(
            &tried,
            expect![[r#"
            200
            content-type: application/json
            {
              "code": "too_large",
              "message": "an order is at most 400.00",
              "rule": "at_most",
              "valid": false
            }
        "#]],
        );
        let mut change = sample;
        change["expression"] = json!(total_is_at_most("450.00"));
        let tried = call(shop.post("/rules/at_most/test"))
            .json(&change)
            .send()
            .await;
        assert_eq!(tried.expect(200).json()["valid"], true);
    });
}

#[test]
fn a_rule_rejects_orders_until_it_is_changed() {
    run_local(async {
        let shop = Shop::start(Setup::default()).await;
        let customer = shop.customer().await;
        let product = shop.product("19.90", 100).await;
        put(&shop, "at_most", None, &at_most("30.00"))
            .await
            .expect(201);
        let (_, small) = outcome(&shop, &customer, &product, 1).await;
        assert_eq!(small["status"], "confirmed");
        let (id, large) = outcome(&shop, &customer, &product, 2).await;
        assert_eq!(large["status"], "failed");
        assert_eq!(
            large["failure"],
            json!({"code": "rule_failed", "detail": "an order is at most 30.00"})
        );
        // The change is tried on the order itself.
        let admin = shop.admin().await;
        let trial = json!({"order_id": id, "expression": total_is_at_most("39.80")});
        let trial = shop.post("/rules/at_most/test").json(&trial);
        let tried = trial.bearer(&admin.token).send().await.expect(200).json();
        assert_eq!(tried["valid"], true);
        put(&shop, "at_most", Some("\"1\""), &at_most("39.80"))
            .await
            .expect(200);
        let (_, large) = outcome(&shop, &customer, &product, 2).await;
        assert_eq!(large["status"], "confirmed");
    });
}

#[test]
fn a_rule_of_severity_review_holds_an_order_until_an_admin_approves_it() {
    run_local(async {
        let shop = Shop::start(Setup::default()).await;
        let admin = shop.admin().await;
        let customer = shop.customer().await;
        let product = shop.product("19.90", 100).await;
        let mut rule = at_most("30.00");
        rule["severity"] = json!("review");
        put(&shop, "at_most", None, &rule).await.expect(201);
        let order = order_of(&[(&product, 2)], "tok_ok");
        let placed = shop
            .place_with_key(&customer, &order, &unique("rule"))
            .await;
        let id = placed.expect(202).json()["id"].as_str().unwrap().to_owned();
        until("the order is held", async || {
            let held = shop.read(&customer, &id).await;
            let reasons = &held["review"]["reasons"];
            if reasons == "an order is at most 30.00" {
                Ok(())
            } else {
                Err(held.to_string())
            }
        })
        .await;
        shop.quiet().await;
        assert_eq!(shop.read(&customer, &id).await["status"], "pending");
        let review = shop.post(&format!("/orders/{id}/review"));
        let review = review.json(&json!({"decision": "approve"}));
        review.bearer(&admin.token).send().await.expect(200);
        shop.until_settled(&id).await;
        let approved = shop.read(&customer, &id).await;
        assert_eq!(approved["status"], "confirmed", "{approved}");
    });
}

#[test]
fn a_rule_may_read_everything_that_the_shop_knows() {
    run_local(async {
        let shop = Shop::start(Setup::default()).await;
        let customer = shop.customer().await;
        let product = shop.product("19.90", 100).await;
        let category = shop.get(&format!("/products/{product}")).send().await;
        let category = category.expect(200).json()["category"].clone();
        let all = format!(
            "order.lines.all(line, line.category == {category}) && \"customer\" in customer.roles \
             && customer.registered_at < order.created_at && customer.orders_placed == 0"
        );
        let rule = json!({"expression": all, "message": "not the first order", "code": "again"});
        put(&shop, "first", None, &rule).await.expect(201);
        let (id, first) = outcome(&shop, &customer, &product, 1).await;
        assert_eq!(first["status"], "confirmed", "{first}");
        let (_, second) = outcome(&shop, &customer, &product, 1).await;
        assert_eq!(second["failure"]["detail"], "not the first order");
        let admin = shop.admin().await;
        let trial = shop
            .post("/rules/first/test")
            .json(&json!({"order_id": id}));
        let tried = trial.bearer(&admin.token).send().await.expect(200).json();
        assert_eq!(tried["valid"], true);
    });
}

#[test]
fn a_limit_per_day_is_tried_on_samples_and_on_orders() {
    run_local(async {
        // With a manual clock, no midnight comes between two orders.
        let shop = Shop::start(Setup {
            manual_clock: true,
            ..Setup::default()
        })
        .await;
        let (admin, customer) = (shop.admin().await, shop.customer().await);
        let tried = async |trial: Value| {
            let call = shop.post("/rules/of_the_day/test").json(&trial);
            let verdict = call.bearer(&admin.token).send().await.expect(200).json();
            format!("{} {}", verdict["valid"], verdict["code"].as_str().unwrap())
        };
        let most = amount("500.00");
        let limits = [
            "customer.is_guest || customer.orders_today < 5",
            &format!(
                "customer.is_guest || customer.spent_today + order.total <= money(\"{most}\")"
            ),
            "customer.is_guest || order.lines.all(line, line.ordered_today + line.quantity <= 10)",
        ];
        for (orders, spent, pieces, expected) in [
            (4, "400.00", 8, "true ok"),
            (5, "400.01", 9, "false not_passed"),
        ] {
            let line =
                json!({"quantity": 2, "unit_price": money("50.00"), "ordered_today": pieces});
            let told = json!({"orders_today": orders, "spent_today": money(spent)});
            for limit in limits {
                let mut trial =
                    json!({"order": {"lines": [line]}, "customer": told, "expression": limit});
                assert_eq!(tried(trial.clone()).await, expected, "{limit}");
                trial["customer"] = json!({"is_guest": true});
                assert_eq!(tried(trial.clone()).await, "true ok", "{limit}");
                trial["customer"] = json!({});
                trial["order"]["lines"][0]["ordered_today"] = Value::Null;
                assert_eq!(tried(trial).await, "false rule_broken", "{limit}");
            }
        }
        let product = shop.product("19.90", 100).await;
        let mut orders = Vec::new();
        for _ in 0..2 {
            shop.advance(1).await;
            let order = shop.order(&customer, &product, "tok_ok").await;
            shop.run_until_settled(&order).await;
            orders.push(order);
        }
        let spent = amount("39.80");
        let counted = format!(
            "customer.orders_today == 1 && customer.spent_today == money(\"{spent}\") \
             && order.lines.all(line, line.ordered_today == 2)"
        );
        for (order, expected) in [(&orders[0], "false not_passed"), (&orders[1], "true ok")] {
            let trial = json!({"order_id": order, "expression": counted});
            assert_eq!(tried(trial).await, expected);
        }
    });
}

#[test]
fn a_customer_who_tries_card_after_card_is_stopped() {
    run_local(async {
        let shop = Shop::start(Setup::default()).await;
        let customer = shop.customer().await;
        let product = shop.product("19.90", 100).await;
        for _ in 0..6 {
            let order = shop.order(&customer, &product, "tok_declined").await;
            shop.until_settled(&order).await;
            let settled = shop.read(&customer, &order).await;
            assert_eq!(settled["failure"]["code"], "payment_declined", "{settled}");
        }
        let (_, stopped) = outcome(&shop, &customer, &product, 1).await;
        assert_eq!(
            stopped["failure"],
            json!({"code": "rule_failed", "detail": "too many payments were declined lately"})
        );
        let (_, other) = outcome(&shop, &shop.customer().await, &product, 1).await;
        assert_eq!(other["status"], "confirmed");
    });
}

#[test]
fn hostile_expressions_are_refused_with_their_place() {
    run_local(async {
        let shop = Shop::start(Setup::default()).await;
        let nest = "order.lines.all(a, order.lines.all(b, order.lines.all(c, true)))".to_owned();
        let grow = "[\"a\"].map(a, a + a).map(a, a + a).map(a, a + a).size() > 0".to_owned();
        let mut shown = String::new();
        for expression in [
            nest,
            grow,
            "(".repeat(1_900),
            "!".repeat(900) + &"(".repeat(99),
            "order.country.matches(\"(a+)+$\")".to_owned(),
            "0.1 + 0.2 == 0.3".to_owned(),
            "order.total > 50".to_owned(),
            "1 / 0 == 1".to_owned(),
            "customer.password == \"\"".to_owned(),
            "x".repeat(2_001),
        ] {
            let rule = json!({"expression": expression, "message": "no", "code": "no"});
            let answer = put(&shop, "hostile", None, &rule).await;
            let fault = &answer.expect(422).json()["errors"][0];
            let (pointer, detail) = (fault["pointer"].as_str(), fault["detail"].as_str());
            shown += &format!("{} {}\n", pointer.unwrap(), detail.unwrap());
        }
        expect![[r#"
            /expression line 1, column 16: this may take 640302 steps, more than 30000: a list within a list counts for each of its elements
            /expression line 1, column 16: + cannot be applied to a text and a text
            /expression line 1, column 101: an expression has at most 100 opening brackets
            /expression line 1, column 926: nested too deeply
            /expression line 1, column 22: regular expressions are not supported; use startsWith, endsWith or contains
            /expression line 1, column 1: numbers with a decimal point are not exact; write an amount as money("0.10"), and compare with a fraction by multiplying the other side: 10 * totals.discount > totals.subtotal
            /expression line 1, column 13: > cannot be applied to an amount and a whole number; an amount is written as money("10.00")
            /expression line 1, column 3: this divides by zero
            /expression line 1, column 9: customer has no field "password"; it has id, is_guest, roles, registered_at, orders_placed, orders_confirmed, orders_today, spent_today
            /expression this must have 1 to 2000 characters
        "#]].assert_eq(&shown);
        let admin = shop.admin().await;
        let list = shop.get("/rules").bearer(&admin.token).send().await;
        assert_eq!(list.expect(200).json()["items"], json!([]));
    });
}
