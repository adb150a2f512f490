//! Tests of where and what shipping methods ship, what that costs, and of goods that are not shipped.

use expect_test::expect;
use serde_json::{Value, json};

use crate::support::client::Answer;
use crate::support::people::{Person, order_of, product, unique};
use crate::support::prices::{money, percentage, written};
use crate::support::shop::{Setup, Shop, shared};
use crate::support::{run, run_in_euros, run_local};

fn with_fields(mut body: Value, more: Value) -> Value {
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

/// Returns a method with a fixed price.
fn flat(id: &str, price: &str, more: Value) -> Value {
    let method = json!({"id": id, "name": id, "cost": {"type": "flat", "price": money(price)}});
    with_fields(method, more)
}

/// Puts a product on sale and returns its id.
async fn sold(shop: &Shop, name: &str, price: &str, more: Value) -> String {
    let admin = shop.admin().await;
    let body = with_fields(product(name, price), more);
    let call = shop.post("/products").bearer(&admin.token).json(&body);
    let made = call.send().await.expect(201).json();
    let id = made["id"].as_str().unwrap().to_owned();
    shop.set_stock(&id, 99).await.expect(200);
    shop.note_on_hand(&id, 99);
    id
}

/// Asks for a quote of `lines`, product and quantity, that are shipped by `method`.
async fn quote(
    shop: &Shop,
    person: &Person,
    lines: &[(&str, u32)],
    method: &str,
    to: Value,
) -> Answer {
    let mut body = order_of(lines, "tok_ok");
    body.as_object_mut().unwrap().remove("payment");
    let body = with_fields(
        body,
        json!({"shipping_method": method, "shipping_address": to}),
    );
    let call = shop.post("/quotes").bearer(&person.token);
    call.json(&body).send().await
}

/// Returns the price of shipping, or the pointer, code and detail of each fault.
fn outcome(answer: &Answer) -> String {
    let body = answer.json();
    if answer.status == 200 {
        let shipping = body["shipping"].as_object();
        return shipping.map_or_else(|| "not shipped".to_owned(), |it| written(&it["price"]));
    }
    let faults = body["errors"].as_array().unwrap().iter().map(|fault| {
        let part = |name: &str| fault[name].as_str().unwrap();
        format!("{} {}: {}", part("pointer"), part("code"), part("detail"))
    });
    faults.collect::<Vec<_>>().join("; ")
}

fn german(postal_code: &str) -> Value {
    json!({"country": "DE", "postal_code": postal_code})
}

#[test]
fn an_island_is_dearer_or_excluded_and_a_method_is_not_for_all_goods() {
    run_local(async {
        let shop = Shop::start(Setup::default()).await;
        let islands = json!(["27498", "25980..25999"]);
        let dearer = json!({"country": "DE", "postal_codes": islands, "surcharge": money("10.00")});
        let excluded = json!({"country": "DE", "postal_codes": islands, "excluded": true});
        let pot = sold(&shop, "Pot", "20.00", json!({"category": "pots"})).await;
        let cup = sold(&shop, "Cup", "5.00", json!({})).await;
        let lid = sold(&shop, "Lid", "5.00", json!({})).await;
        let days = json!({"min": 2, "max": 3});
        let methods = json!([
            flat(
                "parcel",
                "4.90",
                json!({"countries": ["DE"], "zones": [dearer], "delivery_days": days})
            ),
            flat(
                "express",
                "9.90",
                json!({
                    "countries": ["DE"], "zones": [excluded],
                    "not_for_products": [lid], "not_for_categories": ["pots"],
                })
            ),
        ]);
        shop.replace_all("/shipping-methods", methods.clone()).await;
        let listed = shop.get("/shipping-methods").send().await.expect(200);
        assert_eq!(listed.json()["items"], methods);
        let customer = shop.customer().await;
        let mut seen = String::new();
        for (lines, method, to) in [
            (&[(&*pot, 1)][..], "parcel", german("51147")),
            (&[(&pot, 1)], "parcel", german("27498")),
            (&[(&pot, 1)], "parcel", json!({"country": "DE"})),
            (&[(&cup, 1)], "express", german("51147")),
            (&[(&cup, 1)], "express", german("25 985")),
            (
                &[(&cup, 1), (&lid, 1), (&pot, 1)],
                "express",
                german("51147"),
            ),
            (&[(&cup, 1)], "express", json!({"country": "AT"})),
        ] {
            let answer = quote(&shop, &customer, lines, method, to).await;
            seen += &(outcome(&answer) + "\n");
        }
        expect![[r#"
            4.90
            14.90
            /shipping_address/postal_code required: the shipping method depends on the postal code here
            9.90
            /shipping_method outside_area: this method does not ship to this part of the country
            /shipping_method unsuitable_goods: this method does not ship "Lid", "Pot"
            /shipping_method other_country: this method does not ship to the country of the address
        "#]]
        .assert_eq(&seen);
        // Quote and order show how long the delivery takes.
        let quoted = quote(&shop, &customer, &[(&pot, 1)], "parcel", german("51147")).await;
        assert_eq!(quoted.expect(200).json()["shipping"]["delivery_days"], days);
        let order = with_fields(
            order_of(&[(&pot, 1)], "tok_ok"),
            json!({"shipping_method": "parcel"}),
        );
        let placed = shop.place(&customer, &order).await.expect(202).json();
        let id = placed["id"].as_str().unwrap();
        // The order keeps it when the method changes.
        shop.replace_all(
            "/shipping-methods",
            json!([flat("parcel", "4.90", json!({}))]),
        )
        .await;
        let read = shop.read(&customer, id).await;
        assert_eq!(read["shipping"]["delivery_days"], days);
        assert_eq!(read["shipping"]["price"], money("4.90"));
    });
}

#[test]
fn a_region_is_dearer_by_its_code_and_its_name() {
    run(async {
        let shop = Shop::start(Setup::default()).await;
        let canaries = json!({"country": "ES", "regions": ["ES-CN"], "surcharge": money("8.00")});
        let more = json!({"countries": ["ES"], "zones": [canaries]});
        shop.replace_all("/shipping-methods", json!([flat("parcel", "4.90", more)]))
            .await;
        let cup = sold(&shop, "Cup", "5.00", json!({})).await;
        let customer = shop.customer().await;
        let mut seen = String::new();
        for region in [
            json!("Canarias"),
            json!("cn"),
            json!("Madrid"),
            json!("Canaria"),
            Value::Null,
        ] {
            let to = json!({"country": "ES", "region": region});
            let answer = quote(&shop, &customer, &[(&cup, 1)], "parcel", to).await;
            seen += &(outcome(&answer) + "\n");
        }
        expect![[r#"
            12.90
            12.90
            4.90
            /shipping_address/region unknown_region: the shipping method depends on the region here, and this one is not known; give its name or its code in ISO 3166-2
            /shipping_address/region required: the shipping method depends on the region here
        "#]]
        .assert_eq(&seen);
    });
}

#[test]
fn shipping_costs_by_pieces_and_nothing_from_an_amount_after_discounts() {
    run(async {
        let shop = Shop::start(Setup::default()).await;
        let steps = json!([
            {"up_to": 3, "price": money("4.90")},
            {"up_to": 9, "price": money("6.90")},
        ]);
        let by_pieces = json!({
            "id": "parcel", "name": "Parcel",
            "cost": {"type": "by_quantity", "steps": steps},
        });
        let free = json!({"free_from": money("45.00")});
        let after = json!({"id": "late", "free_from": money("45.00"), "free_from_basis": "after_discounts"});
        let methods = json!([
            with_fields(by_pieces.clone(), free),
            with_fields(by_pieces, after)
        ]);
        shop.replace_all("/shipping-methods", methods.clone()).await;
        let listed = shop.get("/shipping-methods").send().await.expect(200);
        assert_eq!(listed.json()["items"], methods);
        // What the shop says of shipping is taxed as everything else.
        let vat = json!({"name": "VAT", "country": "DE", "rate": "0.19", "included": true});
        shop.replace_all("/tax-rates", json!([vat])).await;
        shop.discount(percentage("Tenth", "0.10"), json!({})).await;
        let cup = sold(&shop, "Cup", "10.00", json!({})).await;
        let customer = shop.customer().await;
        let mut seen = String::new();
        for (method, pieces) in [
            ("parcel", 3),
            ("parcel", 4),
            ("parcel", 5),
            ("parcel", 10),
            ("late", 4),
            ("late", 5),
        ] {
            let answer = quote(&shop, &customer, &[(&cup, pieces)], method, german("51147")).await;
            let taxes = answer.json()["shipping"]["taxes"].clone();
            let tax = taxes.get(0).map(|tax| written(&tax["amount"]));
            seen += &format!(
                "{method} {pieces}: {} tax {}\n",
                outcome(&answer),
                tax.as_deref().unwrap_or("none")
            );
        }
        expect![[r#"
            parcel 3: 4.90 tax 0.78
            parcel 4: 6.90 tax 1.10
            parcel 5: 0.00 tax 0.00
            parcel 10: /shipping_method too_large: this order is too large for this method tax none
            late 4: 6.90 tax 1.10
            late 5: 0.00 tax 0.00
        "#]]
        .assert_eq(&seen);
    });
}

#[test]
fn an_order_of_what_is_not_shipped_needs_no_method_and_only_a_country() {
    run_local(async {
        let shop = Shop::start(Setup::default()).await;
        let parcel = flat("parcel", "4.90", json!({"countries": ["DE"]}));
        shop.replace_all("/shipping-methods", json!([parcel])).await;
        let vat = json!({"name": "VAT", "country": "AT", "rate": "0.20", "included": true});
        let sales_tax = json!({"name": "Tax", "country": "US", "region": "CA", "rate": "0.0725", "included": false});
        shop.replace_all("/tax-rates", json!([vat, sales_tax]))
            .await;
        let voucher = sold(&shop, "Voucher", "50.00", json!({"shipped": false})).await;
        let cup = sold(&shop, "Cup", "5.00", json!({})).await;
        let customer = shop.customer().await;
        let to = |lines: &[(&str, u32)], address: Value| {
            with_fields(
                order_of(lines, "tok_ok"),
                json!({"shipping_address": address}),
            )
        };
        let order = to(&[(&voucher, 1)], json!({"country": "AT"}));
        let call = shop.post("/orders").bearer(&customer.token);
        let call = call.key(&unique("order")).header("prefer", "wait=20");
        let placed = call.json(&order).send().await.expect(201).json();
        assert_eq!(placed["status"], "confirmed", "{placed}");
        assert_eq!(placed["shipping"], Value::Null);
        assert_eq!(placed["tax"], money("8.33"));
        assert_eq!(placed["total_amount"], money("50.00"));
        assert_eq!(placed["shipping_address"]["line1"], "");
        shop.until_settled(placed["id"].as_str().unwrap()).await;
        assert_eq!(shop.balanced().await, Ok(()));
        let mut seen = String::new();
        for (lines, address) in [
            // The tax depends on the region there.
            (&[(&*voucher, 1)][..], json!({"country": "US"})),
            (&[(&voucher, 1)], json!({})),
            // With a cup, a parcel is sent.
            (&[(&voucher, 1), (&cup, 1)], json!({"country": "AT"})),
            (
                &[(&cup, 1)],
                json!({"country": "DE", "recipient": "Erika", "line1": "Heidestraße 17", "postal_code": "51147"}),
            ),
        ] {
            let refused = shop.place(&customer, &to(lines, address)).await;
            seen += &(outcome(&refused.expect(422)) + "\n");
        }
        expect![[r#"
            /shipping_address/region required: tax depends on the region here; give one of: CA
            /shipping_address/country required: this field is required
            /shipping_address/recipient required: this field is required, because goods of the order are shipped; /shipping_address/line1 required: this field is required, because goods of the order are shipped; /shipping_address/city required: this field is required, because goods of the order are shipped; /shipping_address/postal_code required: this field is required, because goods of the order are shipped
            /shipping_address/city required: this field is required, because goods of the order are shipped
        "#]]
        .assert_eq(&seen);
        let lines = [(&*voucher, 1), (&*cup, 1)];
        let priced = quote(&shop, &customer, &lines, "parcel", german("51147")).await;
        assert_eq!(outcome(&priced), "4.90");
    });
}

#[test]
fn shipping_methods_that_cannot_be_are_refused() {
    run(async {
        let shop = shared().await;
        let admin = shop.admin().await;
        let zone = |more: Value| json!({"zones": [with_fields(json!({"country": "DE"}), more)]});
        let mut seen = String::new();
        for more in [
            json!({"zones": vec![json!({"country": "DE"}); 101]}),
            json!({"zones": [{}]}),
            zone(json!({"country": "Germany"})),
            zone(json!({"regions": ["x".repeat(101)]})),
            zone(json!({"regions": vec!["BY"; 201]})),
            zone(json!({"postal_codes": vec!["1"; 201]})),
            zone(json!({"postal_codes": ["35**"]})),
            zone(json!({"postal_codes": ["100..1999"]})),
            zone(json!({"postal_codes": ["1999..1000"]})),
            zone(json!({"excluded": true, "surcharge": money("1.00")})),
            zone(json!({"surcharge": money("-1.00")})),
            zone(json!({"price": money("1.00")})),
            json!({"cost": {"type": "by_quantity", "steps": [{"up_to": 0, "price": money("1.00")}]}}),
            json!({"cost": {"type": "by_piece", "price": money("1.00")}}),
            json!({"free_from_basis": "sometimes"}),
            json!({"delivery_days": {"min": 3, "max": 2}}),
            json!({"delivery_days": {"min": 3, "max": 366}}),
            json!({"not_for_categories": ["Tea"]}),
            json!({"not_for_products": ["tea"]}),
        ] {
            let body = json!({"items": [flat("parcel", "4.90", more)]});
            let call = shop.put("/shipping-methods").bearer(&admin.token);
            let refused = call.header("if-match", "*").json(&body).send().await;
            seen += &(outcome(&refused.expect(422)) + "\n");
        }
        expect![[r#"
            /items/0/zones length: this must have 0 to 100 entries
            /items/0/zones/0/country required: this field is required
            /items/0/zones/0/country invalid: this must be a country's two capital letters, as in ISO 3166-1
            /items/0/zones/0/regions/0 length: this must have 1 to 100 characters
            /items/0/zones/0/regions length: this must have 0 to 200 entries
            /items/0/zones/0/postal_codes length: this must have 0 to 200 entries
            /items/0/zones/0/postal_codes/0 invalid: this must be a postal code such as "27498", a prefix such as "35*" or a range such as "1000..1999"
            /items/0/zones/0/postal_codes/0 invalid: both ends of a range must have the same number of letters and digits
            /items/0/zones/0/postal_codes/0 invalid: a range must not end before it starts
            /items/0/zones/0/surcharge contradiction: an excluded zone has no surcharge, because the method does not ship there
            /items/0/zones/0/surcharge range: this must be zero or more
            /items/0/zones/0/price unknown_field: there is no such field
            /items/0/cost/steps/0/up_to range: this must be from 1 to 1000000
            /items/0/cost/type invalid: this must be one of: flat, by_weight, by_amount, by_quantity; /items/0/cost/price unknown_field: there is no such field
            /items/0/free_from_basis invalid: this must be one of: before_discounts, after_discounts
            /items/0/delivery_days/max range: this must not be less than min
            /items/0/delivery_days/max range: this must be from 0 to 365
            /items/0/not_for_categories/0 invalid: this must be 1 to 100 of the characters a to z, 0 to 9 and -
            /items/0/not_for_products/0 invalid: this must be the id of a product
        "#]].assert_eq(&seen);
    });
}

#[test]
fn the_methods_of_the_page_about_shipping_are_taken() {
    run_in_euros(async {
        let shop = Shop::start(Setup::default()).await;
        let page = include_str!("../../docs/shipping.md");
        let body = page.split("```json\n").nth(1).unwrap();
        let body: Value = serde_json::from_str(body.split("```").next().unwrap()).unwrap();
        let items = body["items"].clone();
        shop.replace_all("/shipping-methods", items.clone()).await;
        let listed = shop.get("/shipping-methods").send().await.expect(200);
        assert_eq!(listed.json()["items"], items);
    });
}

#[test]
fn a_corrected_address_does_not_lead_to_another_price_of_shipping() {
    run_local(async {
        let shop = Shop::start(Setup::default()).await;
        shop.discount(percentage("A tenth", "0.10"), json!({}))
            .await;
        let islands = json!(["25980..25999"]);
        let dearer = json!({"country": "DE", "postal_codes": islands, "surcharge": money("10.00")});
        let zones = json!({"countries": ["DE"], "zones": [dearer]});
        let methods = json!([flat("parcel", "4.90", zones)]);
        shop.replace_all("/shipping-methods", methods).await;
        let customer = shop.customer().await;
        let pot = shop.product("20.00", 10).await;
        let mut order = order_of(&[(&pot, 1)], "tok_ok");
        order["shipping_method"] = json!("parcel");
        let placed = shop.place(&customer, &order).await.expect(202).json();
        let path = format!(
            "/orders/{}/shipping-address",
            placed["id"].as_str().unwrap()
        );
        let correct = async |code: &str| {
            let mut address = order["shipping_address"].clone();
            address["postal_code"] = json!(code);
            let call = shop.put(&path).bearer(&customer.token);
            call.header("if-match", "*").json(&address).send().await
        };
        let refused = correct("25 985").await.expect(422).json();
        let fault = &refused["errors"][0];
        assert_eq!(
            (&fault["pointer"], &fault["code"]),
            (&json!("/postal_code"), &json!("another_price"))
        );
        let corrected = correct("10115").await.expect(200).json();
        assert_eq!(corrected["shipping_address"]["postal_code"], "10115");
        assert_eq!(corrected["total_amount"], placed["total_amount"]);
    });
}
