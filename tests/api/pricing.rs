//! Tests of how admins manage discounts, tax rates and shipping methods.

use expect_test::expect;
use serde_json::{Value, json};

use super::check;
use crate::support::client::{Answer, Call};
use crate::support::people::{order_of, unique};
use crate::support::prices::{CURRENCY, money, too_exact};
use crate::support::shop::{Setup, Shop, shared};
use crate::support::{run, until};

fn tenth(name: &str) -> Value {
    json!({"name": name, "benefit": {"type": "percentage", "rate": "0.10"}})
}

async fn create(shop: &Shop, body: &Value) -> Answer {
    let admin = shop.admin().await;
    shop.post("/discounts")
        .bearer(&admin.token)
        .json(body)
        .send()
        .await
}

fn with_code(code: &str) -> Value {
    let mut body = tenth("Ten percent");
    body["code"] = json!(code);
    body
}

/// Returns the pointer and the code of each fault in a response, sorted.
fn faults(response: &Answer) -> Vec<String> {
    let body = response.json();
    let errors = body["errors"].as_array().unwrap().iter();
    let mut faults: Vec<String> = errors
        .map(|fault| {
            let part = |name: &str| fault[name].as_str().unwrap().to_owned();
            format!("{} {}", part("pointer"), part("code"))
        })
        .collect();
    faults.sort();
    faults
}

#[test]
fn a_created_discount_is_returned_unchanged() {
    run(async {
        let shop = shared().await;
        let admin = shop.admin().await;
        let body = json!({
            "name": "Tea for two",
            "code": unique("TEA"),
            "benefit": {"type": "buy_x_get_y", "buy": 1, "get": 1},
            "categories": ["tea"],
            "starts_at": "2026-03-01T00:00:00+01:00",
            "minimum_amount": money("20.00"),
            "usage_limit": 5,
        });
        let made = create(shop, &body).await;
        let mut shown = made.clone();
        shown.text = made.text.replace(body["code"].as_str().unwrap(), "<code>");
        check(
            &shown,
            expect![[r#"
                201
                content-type: application/json
                location: /discounts/<id-1>
                etag: "1"
                {
                  "benefit": {
                    "buy": 1,
                    "get": 1,
                    "type": "buy_x_get_y"
                  },
                  "categories": [
                    "tea"
                  ],
                  "code": "<code>",
                  "condition": null,
                  "created_at": "<time>",
                  "currency": null,
                  "customer_group": null,
                  "ended": false,
                  "ends_at": null,
                  "first_order": false,
                  "id": "<id-1>",
                  "max_amount": null,
                  "minimum_amount": {
                    "amount": "20.00",
                    "currency": "EUR"
                  },
                  "name": "Tea for two",
                  "priority": 100,
                  "products": [],
                  "single_use_codes": false,
                  "stackable": true,
                  "starts_at": "<time>",
                  "updated_at": "<time>",
                  "usage_limit": 5,
                  "usage_limit_per_customer": null,
                  "version": 1
                }
            "#]],
        );
        let path = made.header("location").unwrap();
        let read = shop.get(path).bearer(&admin.token).send().await;
        assert_eq!(read.expect(200).text, made.text);
        let list = shop.get("/discounts?limit=100").bearer(&admin.token);
        let list = list.send().await.expect(200).json();
        let mut items = list["items"].as_array().unwrap().iter();
        assert!(items.any(|item| *item == made.json()));
    });
}

#[test]
fn a_code_ignores_case_and_belongs_to_one_discount_until_the_discount_ends() {
    run(async {
        let shop = shared().await;
        let admin = shop.admin().await;
        let code = unique("code").replace(|c: char| !c.is_ascii_alphanumeric(), "-");
        let made = create(shop, &with_code(&code)).await.expect(201);
        let again = with_code(&code.to_uppercase());
        create(shop, &again).await.expect(409);
        let path = made.header("location").unwrap();
        let end = || shop.delete(path).bearer(&admin.token);
        end().send().await.expect(428);
        end().header("if-match", "\"7\"").send().await.expect(412);
        let ended = end().header("if-match", "\"1\"").send().await.expect(200);
        assert_eq!(ended.json()["ended"], true);
        // Ending it again returns the ended discount.
        let repeated = end().header("if-match", "\"1\"").send().await.expect(200);
        assert_eq!(repeated.text, ended.text);
        create(shop, &again).await.expect(201);
        let call = shop
            .patch(path)
            .bearer(&admin.token)
            .header("if-match", "*");
        call.json(&json!({"name": "Late"})).send().await.expect(409);
    });
}

#[test]
fn a_patch_changes_the_fields_it_names_and_null_clears_them() {
    run(async {
        let shop = shared().await;
        let admin = shop.admin().await;
        let mut body = with_code(&unique("PATCH"));
        body["usage_limit"] = json!(3);
        body["ends_at"] = json!("2030-01-01T00:00:00Z");
        let made = create(shop, &body).await.expect(201);
        let path = made.header("location").unwrap();
        let send = |tag: &str, body: Value| {
            let call = shop.patch(path).bearer(&admin.token);
            call.header("if-match", tag).json(&body).send()
        };
        let change = json!({"usage_limit": null, "priority": 7, "first_order": true});
        let changed = send("\"1\"", change).await.expect(200);
        assert_eq!(changed.header("etag"), Some("\"2\""));
        let mut expected = made.json();
        for (name, value) in [
            ("usage_limit", Value::Null),
            ("priority", json!(7)),
            ("first_order", json!(true)),
            ("version", json!(2)),
            ("updated_at", changed.json()["updated_at"].clone()),
        ] {
            expected[name] = value;
        }
        assert_eq!(changed.json(), expected);
        send("\"1\"", json!({"priority": 8})).await.expect(412);
        // A patch that changes nothing does not increment the version.
        let same = send("\"2\"", json!({"priority": 7})).await.expect(200);
        assert_eq!(same.text, changed.text);
        let refused = send("\"2\"", json!({"starts_at": "2031-01-01T00:00:00Z"})).await;
        assert_eq!(faults(&refused.expect(422)), ["/ends_at range"]);
        let refused = send("\"2\"", json!({"code": "OTHER", "name": null})).await;
        assert_eq!(
            faults(&refused.expect(422)),
            ["/code unknown_field", "/name type"]
        );
    });
}

#[test]
fn an_invalid_discount_is_refused_with_every_fault() {
    run(async {
        let shop = shared().await;
        let body = json!({
            "code": "no spaces",
            "benefit": {"type": "percentage", "rate": "1.5"},
            "minimum_amount": money("0.00"),
            "max_amount": {"amount": too_exact(), "currency": CURRENCY.code()},
            "categories": ["Tea"],
            "customer_group": "vip",
            "condition": "order.colour == 1",
            "starts_at": "tomorrow",
            "stackable": "yes",
            "usage_limit": 0,
        });
        let refused = create(shop, &body).await.expect(422);
        expect![[r#"
            /benefit/rate invalid
            /categories/0 invalid
            /code invalid
            /condition expression
            /customer_group invalid
            /max_amount/amount decimals
            /minimum_amount range
            /name required
            /stackable type
            /starts_at invalid
            /usage_limit range"#]]
        .assert_eq(&faults(&refused).join("\n"));
        let unknown = json!({"name": "x", "benefit": {"type": "gift"}});
        let refused = create(shop, &unknown).await.expect(422);
        assert_eq!(faults(&refused), ["/benefit/type invalid"]);
    });
}

#[test]
fn a_repeated_request_creates_one_discount() {
    run(async {
        let shop = shared().await;
        let admin = shop.admin().await;
        let key = unique("discount");
        let body = with_code(&unique("ONCE"));
        let call = |body: &Value| {
            let call = shop.post("/discounts").bearer(&admin.token).key(&key);
            call.json(body).send()
        };
        let made = call(&body).await.expect(201);
        let again = call(&body).await.expect(201);
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        assert_eq!(again.text, made.text);
        call(&tenth("Another")).await.expect(422);
    });
}

fn rate(country: &str, rate: &str) -> Value {
    json!({"name": "VAT", "country": country, "rate": rate, "included": true})
}

#[test]
fn tax_rates_and_shipping_methods_are_replaced_as_a_whole() {
    run(async {
        let shop = Shop::start(Setup::default()).await;
        let admin = shop.admin().await;
        let put = |path: &str, tag: &str, items: Value| {
            let call: Call = shop.put(path).bearer(&admin.token);
            let call = call.header("if-match", tag);
            call.json(&json!({"items": items})).send()
        };
        let none = shop.get("/tax-rates").bearer(&admin.token).send().await;
        let none = none.expect(200);
        let defaults = json!({
            "items": [], "version": 0, "rounding": "line", "rounding_mode": "half_even", "shipping_tax": "own",
            "prices_elsewhere": "keep",
        });
        assert_eq!(none.json(), defaults);
        let rates = json!([rate("DE", "0.19"), rate("AT", "0.20")]);
        let made = put("/tax-rates", none.header("etag").unwrap(), rates.clone()).await;
        assert_eq!(made.expect(200).json()["version"], 1);
        // Replacing the rates with the same rates changes nothing, whatever `If-Match` says.
        let again = put("/tax-rates", "\"0\"", rates).await.expect(200);
        assert_eq!(again.json()["version"], 1);
        put("/tax-rates", "\"0\"", json!([])).await.expect(412);
        let twice = json!([rate("DE", "0.19"), rate("DE", "0.07")]);
        let refused = put("/tax-rates", "*", twice).await.expect(422);
        assert_eq!(faults(&refused), ["/items/1 repeated"]);
        let wrong = json!([{"name": "VAT", "country": "Germany", "rate": "19", "included": 1}]);
        let refused = put("/tax-rates", "*", wrong).await.expect(422);
        let places = [
            "/items/0/country invalid",
            "/items/0/included type",
            "/items/0/rate invalid",
        ];
        assert_eq!(faults(&refused), places);
        let canadian = |name: &str, region: Value, rate: &str| json!({"name": name, "country": "CA", "region": region, "rate": rate, "included": false});
        let unclear = json!([
            canadian("GST", Value::Null, "0.05"),
            canadian("PST", json!("BC"), "0.07")
        ]);
        let refused = put("/tax-rates", "*", unclear).await.expect(422);
        assert_eq!(faults(&refused), ["/items/1/component ambiguous"]);
        let steps = |first: Value, second: Value| json!([{"up_to": first, "price": money("4.90")}, {"up_to": second, "price": money("6.90")}]);
        let method = |steps: Value| json!([{"id": "parcel", "name": "Parcel", "countries": ["DE"], "cost": {"type": "by_weight", "steps": steps}}]);
        let path = "/shipping-methods";
        let made = put(path, "\"0\"", method(steps(json!(1000), Value::Null))).await;
        let made = made.expect(200);
        // Anyone can read them.
        assert_eq!(shop.get(path).send().await.expect(200).text, made.text);
        let refused = put(path, "*", method(steps(json!(1000), json!(1000)))).await;
        assert_eq!(faults(&refused.expect(422)), ["/items/0/cost/steps order"]);
        put(path, "*", json!([])).await.expect(200);
        for event in ["TaxRatesChanged", "ShippingMethodsChanged"] {
            until("event", async || {
                let log = shop.items("EventLogTable").await;
                let logged = log.iter().any(|item| item["event_type"] == event);
                if logged {
                    Ok(())
                } else {
                    Err(format!("{log:?}"))
                }
            })
            .await;
        }
    });
}

#[test]
fn the_shop_decides_which_discounts_an_order_has() {
    run(async {
        let shop = Shop::start(Setup::default()).await;
        let admin = shop.admin().await;
        let path = "/discount-settings";
        let put = |tag: &str, choice: &str| {
            let call: Call = shop.put(path).bearer(&admin.token);
            let call = call.header("if-match", tag);
            call.json(&json!({"exclusive": choice})).send()
        };
        let first = shop.get(path).bearer(&admin.token).send().await.expect(200);
        assert_eq!(first.json(), json!({"exclusive": "priority", "version": 0}));
        let changed = put(first.header("etag").unwrap(), "best").await.expect(200);
        assert_eq!(changed.json(), json!({"exclusive": "best", "version": 1}));
        put("\"0\"", "priority").await.expect(412);
        let refused = put("*", "oldest").await.expect(422);
        assert_eq!(faults(&refused), ["/exclusive invalid"]);
        let customer = shop.customer().await;
        let product = shop.product("20.00", 10).await;
        for (rate, stackable) in [("0.1", false), ("0.2", true)] {
            let mut body = tenth("Exclusive");
            body["benefit"]["rate"] = json!(rate);
            body["stackable"] = json!(stackable);
            create(&shop, &body).await.expect(201);
        }
        let order = order_of(&[(&product, 1)], "tok_ok");
        let placed = shop.place(&customer, &order).await.expect(202).json();
        assert_eq!(placed["total_amount"], money("16.00"));
    });
}

#[test]
fn only_admins_manage_prices() {
    run(async {
        let shop = shared().await;
        let customer = shop.customer().await;
        let token = &customer.token;
        for call in [
            shop.post("/discounts").json(&tenth("Mine")),
            shop.get("/discounts"),
            shop.get("/discounts/0195a1c1-0a10-7e21-b3f8-2d4c6e8fb001"),
            shop.get("/tax-rates"),
            shop.put("/tax-rates").json(&json!({"items": []})),
            shop.put("/shipping-methods").json(&json!({"items": []})),
        ] {
            call.bearer(token).send().await.expect(403);
        }
    });
}
