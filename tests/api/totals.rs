//! Tests of order totals with discounts, shipping and tax: as quoted, as placed and as charged.

use expect_test::expect;
use serde_json::{Value, json};

use crate::support::client::Answer;
use crate::support::people::{Person, order_of, unique};
use crate::support::prices::{money, percentage, written};
use crate::support::shop::{Setup, Shop};
use crate::support::{run, run_local};

/// Starts a shop with tax rates and shipping methods.
async fn shop(setup: Setup) -> Shop {
    let shop = Shop::start(setup).await;
    let vat = |rate: &str, category: Value| json!({"name": "USt.", "country": "DE", "category": category, "rate": rate, "included": true});
    let sales_tax = json!({"name": "Tax", "country": "US", "region": "CA", "rate": "0.0725", "included": false});
    let rates = json!([
        vat("0.19", Value::Null),
        vat("0.07", json!("books")),
        sales_tax
    ]);
    shop.replace_all("/tax-rates", rates).await;
    let standard = json!({
        "id": "standard", "name": "Standard", "countries": ["DE", "US"],
        "cost": {"type": "flat", "price": money("4.90")}, "free_from": money("100.00"),
    });
    let steps = json!([{"up_to": 2000, "price": money("9.90")}]);
    let express = json!({
        "id": "express", "name": "Express", "countries": ["DE"],
        "cost": {"type": "by_weight", "steps": steps},
    });
    shop.replace_all("/shipping-methods", json!([standard, express]))
        .await;
    shop
}

fn with_fields(mut body: Value, more: Value) -> Value {
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

/// Returns the body of a quote for `order`, which has no payment, no email and no quote.
fn quote_body(order: &Value) -> Value {
    let mut body = order.clone();
    let fields = body.as_object_mut().unwrap();
    fields.remove("payment");
    fields.remove("email");
    fields.remove("quote");
    body
}

async fn quote(shop: &Shop, person: &Person, order: &Value) -> Answer {
    let call = shop.post("/quotes").bearer(&person.token);
    call.json(&quote_body(order)).send().await
}

/// Lists the parts of the price of a quote or an order, one per line.
fn list_parts(body: &Value) -> String {
    let shares = |part: &Value| {
        let shares = part["discounts"].as_array().unwrap().iter();
        shares
            .map(|share| format!(" -{}", written(&share["amount"])))
            .collect::<String>()
    };
    let taxes = |part: &Value| {
        let taxes = part["taxes"].as_array().unwrap().iter();
        taxes
            .map(|tax| {
                let (base, amount) = (written(&tax["base"]), written(&tax["amount"]));
                format!(" tax {} of {base} {amount}", tax["rate"].as_str().unwrap())
            })
            .collect::<String>()
    };
    let mut text = String::new();
    for item in body["items"].as_array().unwrap() {
        text += &format!(
            "{} x {}: {}{}{}\n",
            item["quantity"],
            written(&item["unit_price"]),
            written(&item["subtotal"]),
            shares(item),
            taxes(item)
        );
    }
    let shipping = &body["shipping"];
    if !shipping.is_null() {
        text += &format!(
            "{}: {}{}{}\n",
            shipping["method"].as_str().unwrap(),
            written(&shipping["price"]),
            shares(shipping),
            taxes(shipping)
        );
    }
    for discount in body["discounts"].as_array().unwrap() {
        text += &format!(
            "{}: {}\n",
            discount["name"].as_str().unwrap(),
            written(&discount["amount"])
        );
    }
    let names = ["subtotal", "discount", "tax", "total_amount"];
    text + &names
        .map(|name| format!("{name} {}", written(&body[name])))
        .join(", ")
}

/// Describes a refusal by its status, its type, and the pointers and codes of its faults.
fn describe_refusal(response: &Answer) -> String {
    let body = response.json();
    let kind = body["type"].as_str().unwrap().rsplit(':').next().unwrap();
    let faults = body["errors"].as_array().into_iter().flatten();
    let faults = faults.map(|fault| {
        let part = |name: &str| fault[name].as_str().unwrap();
        format!(" {} {}", part("pointer"), part("code"))
    });
    format!("{} {kind}{}", response.status, faults.collect::<String>())
}

#[test]
fn the_price_that_was_quoted_is_the_price_that_is_charged() {
    run_local(async {
        let shop = shop(Setup::default()).await;
        let customer = shop.customer().await;
        let product = shop.product("20.00", 10).await;
        shop.discount(percentage("A tenth", "0.10"), json!({"code": "Tenth"}))
            .await;
        let automatic = json!({"name": "Free shipping", "benefit": {"type": "free_shipping"}, "minimum_amount": money("60.00"), "first_order": true, "usage_limit": 9, "condition": "order.country == 'DE'"});
        shop.discount(automatic, json!({"priority": 200})).await;
        let order = order_of(&[(&product, 3)], "tok_ok");
        let order = with_fields(
            order,
            json!({"shipping_method": "standard", "discount_code": "TENTH"}),
        );
        let promised = quote(&shop, &customer, &order).await.expect(200).json();
        expect![[r#"
            3 x 20.00: 60.00 -6.00 tax 0.19 of 45.38 8.62
            standard: 4.90 -4.90 tax 0.19 of 0.00 0.00
            A tenth: 6.00
            Free shipping: 4.90
            subtotal 60.00, discount 10.90, tax 8.62, total_amount 54.00"#]]
        .assert_eq(&list_parts(&promised));
        // The quote holds although the price and the tax rates have changed.
        shop.reprice(&product, "30.00").await;
        shop.replace_all("/tax-rates", json!([])).await;
        let with_quote = with_fields(order.clone(), json!({"quote": promised["quote"]}));
        let call = shop.post("/orders").bearer(&customer.token).key("quoted");
        let placed = call
            .header("prefer", "wait=20")
            .json(&with_quote)
            .send()
            .await;
        let placed = placed.expect(201).json();
        assert_eq!(list_parts(&placed), list_parts(&promised));
        assert_eq!(placed["status"], "confirmed", "{placed}");
        let id = placed["id"].as_str().unwrap();
        assert_eq!(
            shop.payment(&customer, id).await["captured"],
            promised["total_amount"]
        );
        shop.until_settled(id).await;
        assert_eq!(shop.balanced().await, Ok(()));
        // A repeated request returns the same order, even if the quote has expired.
        let again = shop.place_with_key(&customer, &with_quote, "quoted").await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        assert_eq!(again.json()["id"], placed["id"]);
        // Without the quote, current prices apply.
        let today = shop.place(&customer, &order).await.expect(202).json();
        assert_eq!(today["total_amount"], money("85.90"));
    });
}

#[test]
fn a_quote_is_for_one_customer_and_one_order_until_it_expires() {
    run_local(async {
        let shop = shop(Setup {
            manual_clock: true,
            ..Setup::default()
        })
        .await;
        let customer = shop.customer().await;
        let other = shop.customer().await;
        let product = shop.product("20.00", 10).await;
        let order = order_of(&[(&product, 1)], "tok_ok");
        let order = with_fields(order, json!({"shipping_method": "standard"}));
        let promised = quote(&shop, &customer, &order).await.expect(200).json();
        let token = promised["quote"].as_str().unwrap();
        let order = with_fields(order, json!({"quote": token}));
        let mut elsewhere = order.clone();
        elsewhere["shipping_address"]["region"] = json!("Bayern");
        let mut more = order.clone();
        more["items"][0]["quantity"] = json!(2);
        let mut tampered = token.to_owned();
        tampered.replace_range(token.len() - 2.., "00");
        let link = {
            let mut guest = order_of(&[(&product, 1)], "tok_ok");
            guest["email"] = json!("link@example.com");
            guest["shipping_method"] = json!("standard");
            let call = shop.post("/guest/orders").key("link").json(&guest);
            call.send().await.expect(202).json()["token"].clone()
        };
        for (person, order, expected) in [
            (&other, order.clone(), "422 invalid-body /quote other_order"),
            (&customer, elsewhere, "422 invalid-body /quote other_order"),
            (&customer, more, "422 invalid-body /quote other_order"),
            (
                &customer,
                with_fields(order.clone(), json!({"shipping_method": "express"})),
                "422 invalid-body /quote other_order",
            ),
            (
                &customer,
                with_fields(order.clone(), json!({"discount_code": "NEW"})),
                "422 invalid-body /quote other_order",
            ),
            (
                &customer,
                with_fields(order.clone(), json!({"quote": tampered})),
                "422 invalid-body /quote unknown_quote",
            ),
            // A token that the shop has signed for another purpose.
            (
                &customer,
                with_fields(order.clone(), json!({"quote": link})),
                "422 invalid-body /quote unknown_quote",
            ),
        ] {
            assert_eq!(
                describe_refusal(&shop.place(person, &order).await),
                expected
            );
        }
        // The order need not repeat the shipping method and the code of the quote.
        let mut shorter = order.clone();
        shorter.as_object_mut().unwrap().remove("shipping_method");
        let placed = shop.place(&customer, &shorter).await.expect(202).json();
        assert_eq!(placed["total_amount"], promised["total_amount"]);
        assert_eq!(
            describe_refusal(&shop.place(&customer, &order).await),
            "422 invalid-body /quote used"
        );
        let requoted = async || {
            let promised = quote(&shop, &customer, &order).await.expect(200).json();
            with_fields(order.clone(), json!({"quote": promised["quote"]}))
        };
        let (last, late) = (requoted().await, requoted().await);
        shop.advance(15 * 60 - 1).await;
        shop.place(&customer, &last).await.expect(202);
        shop.advance(1).await;
        assert_eq!(
            describe_refusal(&shop.place(&customer, &late).await),
            "409 quote-expired"
        );
    });
}

#[test]
fn an_order_with_another_expected_total_is_refused_with_the_new_total() {
    run(async {
        let shop = shop(Setup::default()).await;
        let customer = shop.customer().await;
        let product = shop.product("20.00", 10).await;
        let order = order_of(&[(&product, 2)], "tok_ok");
        let order = with_fields(order, json!({"shipping_method": "standard"}));
        let expecting =
            |amount: &str| with_fields(order.clone(), json!({"expected_total": money(amount)}));
        let refused = shop.place(&customer, &expecting("40.00")).await;
        assert_eq!(describe_refusal(&refused), "409 price-changed");
        assert_eq!(refused.json()["total_amount"], money("44.90"));
        let list = shop.get("/orders").bearer(&customer.token).send().await;
        assert_eq!(list.expect(200).json()["items"], json!([]));
        shop.place(&customer, &expecting("44.90")).await.expect(202);
    });
}

#[test]
fn a_shipping_method_is_required_and_must_suit_the_order() {
    run(async {
        let shop = shop(Setup::default()).await;
        let customer = shop.customer().await;
        let admin = shop.admin().await;
        let heavy = json!({"name": "Pot", "category": "books", "price": money("10.00"), "attributes": {"weight_grams": "1001"}});
        let call = shop.post("/products").bearer(&admin.token).json(&heavy);
        let heavy = call.send().await.expect(201).json()["id"]
            .as_str()
            .unwrap()
            .to_owned();
        let light = json!({"name": "Lid", "category": "toys", "price": money("50.00"), "weight_grams": 400});
        let call = shop.post("/products").bearer(&admin.token).json(&light);
        let light = call.send().await.expect(201).json()["id"]
            .as_str()
            .unwrap()
            .to_owned();
        for product in [&heavy, &light] {
            shop.set_stock(product, 10).await.expect(200);
        }
        let unweighed = shop.product("1.00", 10).await;
        let order =
            |lines: &[(&str, u32)], more: Value| with_fields(order_of(lines, "tok_ok"), more);
        let place = async |order: Value| describe_refusal(&quote(&shop, &customer, &order).await);
        assert_eq!(
            place(order(&[(&light, 1)], json!({}))).await,
            "422 invalid-body /shipping_method required"
        );
        let pigeon = json!({"shipping_method": "pigeon"});
        assert_eq!(
            place(order(&[(&light, 1)], pigeon)).await,
            "422 invalid-body /shipping_method unknown_method"
        );
        let express = json!({"shipping_method": "express"});
        assert_eq!(
            place(order(&[(&heavy, 2)], express.clone())).await,
            "422 invalid-body /shipping_method too_large"
        );
        assert_eq!(
            place(order(&[(&heavy, 1), (&unweighed, 1)], express.clone())).await,
            "422 invalid-body /shipping_method unknown_weight"
        );
        let mut abroad = order(&[(&heavy, 1)], express.clone());
        abroad["shipping_address"] = json!({"country": "AT"});
        assert_eq!(
            place(abroad).await,
            "422 invalid-body /shipping_method other_country"
        );
        let found = quote(
            &shop,
            &customer,
            &order(&[(&heavy, 1), (&light, 1)], express),
        )
        .await;
        expect![[r#"
            1 x 10.00: 10.00 tax 0.07 of 9.35 0.65
            1 x 50.00: 50.00 tax 0.19 of 42.02 7.98
            express: 9.90 tax 0.19 of 8.32 1.58
            subtotal 60.00, discount 0.00, tax 10.21, total_amount 69.90"#]]
        .assert_eq(&list_parts(&found.expect(200).json()));
        let free = order(&[(&light, 2)], json!({"shipping_method": "standard"}));
        let mut california = free.clone();
        california["shipping_address"] =
            json!({"country": "US", "region": "ca", "postal_code": "94103"});
        let found = quote(&shop, &customer, &california).await;
        expect![[r#"
            2 x 50.00: 100.00 tax 0.0725 of 100.00 7.25
            standard: 0.00 tax 0.0725 of 0.00 0.00
            subtotal 100.00, discount 0.00, tax 7.25, total_amount 107.25"#]]
        .assert_eq(&list_parts(&found.expect(200).json()));
    });
}

#[test]
fn a_code_that_cannot_be_applied_is_refused_with_the_reason() {
    run(async {
        let shop = Shop::start(Setup::default()).await;
        let customer = shop.customer().await;
        let product = shop.product("20.00", 10).await;
        let tenth = || percentage("A tenth", "0.10");
        for (code, more) in [
            ("EARLY", json!({"starts_at": "2100-01-01T00:00:00Z"})),
            ("LATE", json!({"ends_at": "2020-01-01T00:00:00Z"})),
            ("MUCH", json!({"minimum_amount": money("40.01")})),
            ("BOOKS", json!({"categories": ["books"]})),
            ("GUESTS", json!({"customer_group": "guest"})),
            ("MEMBERS", json!({"customer_group": "customer"})),
            ("FIRST", json!({"first_order": true})),
            ("MANY", json!({"condition": "order.item_count > 2"})),
            ("ALONE", json!({"stackable": false, "priority": 300})),
            ("ONCE", json!({"usage_limit": 1})),
            ("EACH", json!({"usage_limit_per_customer": 1})),
        ] {
            shop.discount(tenth(), with_fields(json!({"code": code}), more))
                .await;
        }
        let free = json!({"name": "Free", "benefit": {"type": "free_shipping"}});
        shop.discount(free, json!({"code": "SHIP"})).await;
        let order = |code: &str| {
            with_fields(
                order_of(&[(&product, 2)], "tok_ok"),
                json!({"discount_code": code}),
            )
        };
        let refusal =
            async |code: &str| describe_refusal(&shop.place(&customer, &order(code)).await);
        let mut guest = order("MEMBERS");
        guest["email"] = json!(format!("{}@example.com", unique("guest")));
        let as_guest = async |code: &str| {
            let order = with_fields(guest.clone(), json!({"discount_code": code}));
            let call = shop
                .post("/guest/orders")
                .key(&unique("guest"))
                .json(&order);
            describe_refusal(&call.send().await)
        };
        for code in ["FIRST", "EACH"] {
            let order = with_fields(guest.clone(), json!({"discount_code": code}));
            let call = shop.post("/guest/orders").key(&unique("guest"));
            call.json(&order).send().await.expect(202);
        }
        let mut quoted = quote_body(&with_fields(
            guest.clone(),
            json!({"discount_code": "FIRST"}),
        ));
        for (email, expected) in [
            (
                &guest["email"],
                "422 invalid-body /discount_code not_first_order",
            ),
            (
                &Value::Null,
                "422 invalid-body /discount_code account_needed",
            ),
        ] {
            quoted["email"] = email.clone();
            let call = shop.post("/guest/quotes").json(&quoted);
            assert_eq!(describe_refusal(&call.send().await), expected);
        }
        for code in [" FIRST", "once\u{a0}", "\tEach "] {
            let placed = shop.place(&customer, &order(code)).await.expect(202).json();
            assert_eq!(placed["total_amount"], money("36.00"), "{code}");
        }
        shop.discount(percentage("Always", "0.01"), json!({})).await;
        let mut shown = String::new();
        for code in [
            "NONE", "EARLY", "LATE", "MUCH", "BOOKS", "GUESTS", "FIRST", "MANY", "ALONE", "SHIP",
            "ONCE", "EACH",
        ] {
            shown += &format!("{code}: {}\n", refusal(code).await);
        }
        for code in ["MEMBERS", "FIRST", "EACH"] {
            shown += &format!("{code} for a guest: {}\n", as_guest(code).await);
        }
        expect![[r#"
            NONE: 422 invalid-body /discount_code unknown_code
            EARLY: 422 invalid-body /discount_code not_started
            LATE: 422 invalid-body /discount_code expired
            MUCH: 422 invalid-body /discount_code below_minimum_amount
            BOOKS: 422 invalid-body /discount_code no_matching_items
            GUESTS: 422 invalid-body /discount_code other_customers
            FIRST: 422 invalid-body /discount_code not_first_order
            MANY: 422 invalid-body /discount_code condition_not_met
            ALONE: 422 invalid-body /discount_code not_combinable
            SHIP: 422 invalid-body /discount_code no_effect
            ONCE: 422 invalid-body /discount_code used_up
            EACH: 422 invalid-body /discount_code used_up
            MEMBERS for a guest: 422 invalid-body /discount_code account_needed
            FIRST for a guest: 422 invalid-body /discount_code not_first_order
            EACH for a guest: 422 invalid-body /discount_code used_up
        "#]]
        .assert_eq(&shown);
    });
}

#[test]
fn guests_have_their_quotes_and_their_discounts() {
    run(async {
        let shop = shop(Setup::default()).await;
        let customer = shop.customer().await;
        let product = shop.product("20.00", 10).await;
        shop.discount(percentage("Five", "0.05"), json!({"usage_limit": 2}))
            .await;
        let code = json!({"code": "NEW", "customer_group": "guest"});
        shop.discount(percentage("Welcome", "0.50"), code).await;
        let order = with_fields(
            order_of(&[(&product, 1)], "tok_ok"),
            json!({"email": format!("{}@example.com", unique("guest")), "shipping_method": "standard", "discount_code": "NEW"}),
        );
        let call = shop.post("/guest/quotes").json(&quote_body(&order));
        let promised = call.send().await.expect(200).json();
        expect![[r#"
            1 x 20.00: 20.00 -1.00 -9.50 tax 0.19 of 7.98 1.52
            standard: 4.90 tax 0.19 of 4.12 0.78
            Five: 1.00
            Welcome: 9.50
            subtotal 20.00, discount 10.50, tax 2.30, total_amount 14.40"#]]
        .assert_eq(&list_parts(&promised));
        let order = with_fields(order, json!({"quote": promised["quote"]}));
        let place = |order: Value| {
            let call = shop.post("/guest/orders").key(&unique("guest"));
            async move { call.json(&order).send().await }
        };
        let placed = place(order.clone()).await.expect(202).json();
        assert_eq!(list_parts(&placed), list_parts(&promised));
        // A customer cannot use a guest's quote.
        let mut mine = order.clone();
        mine.as_object_mut().unwrap().remove("email");
        assert_eq!(
            describe_refusal(&shop.place(&customer, &mine).await),
            "422 invalid-body /quote other_order"
        );
        assert_eq!(
            describe_refusal(&place(order.clone()).await),
            "422 invalid-body /quote used"
        );
        // A quote for a guest's address serves only this guest.
        let requoted = async || {
            let mut body = quote_body(&order);
            body["email"] = order["email"].clone();
            let answer = shop.post("/guest/quotes").json(&body).send().await;
            let quote = answer.expect(200).json()["quote"].clone();
            with_fields(order.clone(), json!({"quote": quote}))
        };
        let (second, third) = (requoted().await, requoted().await);
        let theirs = with_fields(second.clone(), json!({"email": "eve@example.com"}));
        assert_eq!(
            describe_refusal(&place(theirs).await),
            "422 invalid-body /quote other_order"
        );
        // A quote does not reserve a use of the discount: once the uses are gone, the order is refused.
        place(second).await.expect(202);
        assert_eq!(
            describe_refusal(&place(third).await),
            "422 invalid-body /quote used_up"
        );
        // An automatic discount that is used up is left out without an error.
        let today = with_fields(order, json!({"quote": null}));
        let placed = place(today).await.expect(202).json();
        assert_eq!(placed["discounts"].as_array().unwrap().len(), 1);
    });
}
