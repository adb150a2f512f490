//! Tests of tax as a shopper meets it: in quotes and orders, in other countries, regions and at other rates.

use serde_json::{Value, json};

use crate::support::client::Answer;
use crate::support::prices::{money, written};
use crate::support::run;
use crate::support::shop::{Setup, Shop};

fn rate(name: &str, country: &str, rate: &str, more: &Value) -> Value {
    let mut body = json!({"name": name, "country": country, "rate": rate, "included": false});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

/// Replaces the tax settings: `terms` with the rates as `items`.
async fn put_tax_settings(shop: &Shop, terms: Value) -> Answer {
    let admin = shop.admin().await;
    let call = shop.put("/tax-rates").bearer(&admin.token);
    call.header("if-match", "*").json(&terms).send().await
}

/// Asks for a guest's quote of one piece of `product` to a place.
async fn quote(shop: &Shop, product: &str, address: Value) -> Answer {
    let body = json!({
        "items": [{"product_id": product, "quantity": 1}],
        "shipping_address": address,
        "shipping_method": "parcel",
    });
    shop.post("/guest/quotes").json(&body).send().await
}

async fn ship_for(shop: &Shop, price: &str) {
    let parcel =
        json!({"id": "parcel", "name": "Parcel", "cost": {"type": "flat", "price": money(price)}});
    shop.replace_all("/shipping-methods", json!([parcel])).await;
}

/// Returns the total and the taxes of a quote: `rate of base: amount`.
fn taxes(quote: &Answer) -> (String, Vec<String>) {
    let quote = quote.json();
    let taxes = quote["taxes"].as_array().unwrap().iter().map(|tax| {
        let (name, rate) = (tax["name"].as_str().unwrap(), tax["rate"].as_str().unwrap());
        format!(
            "{name} {rate} of {}: {}",
            written(&tax["base"]),
            written(&tax["amount"])
        )
    });
    (written(&quote["total_amount"]), taxes.collect())
}

#[test]
fn a_region_is_known_by_its_code_and_its_name_and_an_unknown_one_is_refused() {
    run(async {
        let shop = Shop::start(Setup::default()).await;
        ship_for(&shop, "0.00").await;
        let rates = json!([
            rate("Sales tax", "US", "0.0725", &json!({"region": "CA"})),
            rate("Sales tax", "US", "0.04", &json!({"region": "New York"})),
        ]);
        put_tax_settings(&shop, json!({"items": rates}))
            .await
            .expect(200);
        let product = shop.product("100.00", 5).await;
        let to = |region: Value| quote(&shop, &product, json!({"country": "US", "region": region}));
        for (region, tax, total) in [
            ("CA", "7.25", "107.25"),
            ("California", "7.25", "107.25"),
            ("us-ca", "7.25", "107.25"),
            ("NY", "4.00", "104.00"),
        ] {
            let quoted = to(json!(region)).await.expect(200);
            let rate = if tax == "7.25" { "0.0725" } else { "0.04" };
            let expected = vec![format!("Sales tax {rate} of 100.00: {tax}")];
            assert_eq!(taxes(&quoted), (total.to_owned(), expected), "{region}");
        }
        for (region, code) in [
            (json!("Texas"), "unknown_region"),
            (json!("Californai"), "unknown_region"),
            (Value::Null, "required"),
        ] {
            let refused = to(region).await.expect(422).json();
            let fault = &refused["errors"][0];
            assert_eq!(fault["pointer"], "/shipping_address/region");
            assert_eq!(fault["code"], code);
            let detail = fault["detail"].as_str().unwrap();
            assert!(detail.ends_with("give one of: CA, New York"), "{detail}");
        }
    });
}

#[test]
fn several_taxes_are_charged_and_shown_each() {
    run(async {
        let shop = Shop::start(Setup::default()).await;
        ship_for(&shop, "10.00").await;
        let rates = json!([
            rate("GST", "CA", "0.05", &json!({"component": "federal"})),
            rate(
                "PST",
                "CA",
                "0.07",
                &json!({"region": "BC", "component": "provincial"})
            ),
        ]);
        put_tax_settings(&shop, json!({"items": rates}))
            .await
            .expect(200);
        let product = shop.product("100.00", 5).await;
        let quoted = quote(
            &shop,
            &product,
            json!({"country": "CA", "region": "British Columbia"}),
        );
        let expected = vec![
            "GST 0.05 of 110.00: 5.50".to_owned(),
            "PST 0.07 of 110.00: 7.70".to_owned(),
        ];
        assert_eq!(
            taxes(&quoted.await.expect(200)),
            ("123.20".to_owned(), expected)
        );
    });
}

#[test]
fn a_gross_price_elsewhere_stays_or_its_net_price_does_by_setting() {
    run(async {
        let shop = Shop::start(Setup::default()).await;
        ship_for(&shop, "0.00").await;
        let product = shop.product("11.90", 5).await;
        let items = json!([rate("VAT", "DE", "0.19", &json!({"included": true}))]);
        for (elsewhere, abroad) in [("keep", "11.90"), ("net", "10.00")] {
            let terms =
                json!({"items": items, "home": {"country": "DE"}, "prices_elsewhere": elsewhere});
            put_tax_settings(&shop, terms).await.expect(200);
            let swiss = quote(&shop, &product, json!({"country": "CH"})).await;
            assert_eq!(taxes(&swiss.expect(200)), (abroad.to_owned(), vec![]));
            let german = quote(&shop, &product, json!({"country": "DE"})).await;
            let expected = vec!["VAT 0.19 of 10.00: 1.90".to_owned()];
            assert_eq!(taxes(&german.expect(200)), ("11.90".to_owned(), expected));
        }
    });
}

#[test]
fn invalid_terms_of_tax_are_refused() {
    run(async {
        let shop = Shop::start(Setup::default()).await;
        for (terms, fault) in [
            (
                json!({"items": [], "rounding": "none"}),
                "/rounding invalid",
            ),
            (
                json!({"items": [], "rounding_mode": "up"}),
                "/rounding_mode invalid",
            ),
            (
                json!({"items": [], "shipping_tax": "lowest"}),
                "/shipping_tax invalid",
            ),
            (
                json!({"items": [], "home": {"country": "XX"}}),
                "/home/country invalid",
            ),
            (
                json!({"items": [], "prices_elsewhere": "net"}),
                "/home required",
            ),
            (
                json!({"items": [], "reverse_charge": true}),
                "/home required",
            ),
        ] {
            let refused = put_tax_settings(&shop, terms).await.expect(422).json();
            let found = &refused["errors"][0];
            let found = format!(
                "{} {}",
                found["pointer"].as_str().unwrap(),
                found["code"].as_str().unwrap()
            );
            assert_eq!(found, fault);
        }
    });
}

#[test]
fn a_business_in_another_member_state_is_not_charged_tax() {
    run(async {
        let shop = Shop::start(Setup::default()).await;
        ship_for(&shop, "5.95").await;
        let product = shop.product("11.90", 5).await;
        let items = json!([
            rate("VAT", "DE", "0.19", &json!({"included": true})),
            rate("VAT", "AT", "0.20", &json!({"included": true})),
        ]);
        let terms = json!({"items": items, "home": {"country": "DE"}, "reverse_charge": true});
        put_tax_settings(&shop, terms).await.expect(200);
        let to = |number: Value| {
            quote(
                &shop,
                &product,
                json!({"country": "AT", "tax_number": number}),
            )
        };
        let business = to(json!("atu 135 856 27")).await.expect(200);
        assert_eq!(taxes(&business), ("15.00".to_owned(), vec![]));
        assert_eq!(business.json()["reverse_charge"], true);
        let private = to(Value::Null).await.expect(200);
        assert_eq!(private.json()["reverse_charge"], false);
        assert_eq!(taxes(&private).0, "17.85");
        let mistyped = to(json!("ATU13585628")).await.expect(422).json();
        assert_eq!(
            mistyped["errors"][0]["pointer"],
            "/shipping_address/tax_number"
        );
    });
}
