//! Orders in another currency than the shop's.

use serde_json::{Value, json};

use super::{Selling, code, outcome, quote_of, selling};
use crate::http::problem::Problem;
use crate::orders::fixtures::{eur, json_of, product};
use crate::pricing::model::{Benefit, Terms};
use crate::values::money::Money;

fn dollars(amount: &str) -> Money {
    Money::parse(amount, "USD".parse().unwrap()).unwrap()
}

/// A shop in euros in which sencha, at 12.90 EUR, costs 15.00 USD.
async fn selling_abroad() -> Selling {
    let selling = selling().await;
    selling
        .lists(json!([{"id": "us", "name": "America", "currency": "USD"}]))
        .await;
    selling
        .sencha_costs_money("us", [(1, dollars("15.00"))])
        .await;
    selling
}

fn in_dollars() -> Value {
    json!({"currency": "USD"})
}

fn with(mut fields: Value, name: &str, value: Value) -> Value {
    fields[name] = value;
    fields
}

#[tokio::test]
async fn an_order_in_another_currency_has_the_prices_of_its_lists() {
    let selling = selling_abroad().await;
    assert_eq!(selling.place("ana", json!({})).await, "129.00");
    let placed = selling.order("ana", in_dollars()).await.unwrap();
    let body = json_of(&placed);
    let total = json!({"amount": "150.00", "currency": "USD"});
    assert_eq!(body["total_amount"], total);
    assert_eq!(body["items"][0]["price_list"], "us");
    let id = body["id"].as_str().unwrap().parse().unwrap();
    let stored = selling.shop.orders.get(id).await.unwrap().unwrap();
    assert_eq!(stored.total, dollars("150.00"));
    assert_eq!(stored.breakdown.currency.code(), "USD");
    let guest = selling.place_as_guest("bo@example.com", in_dollars()).await;
    assert_eq!(guest, "150.00");
}

#[tokio::test]
async fn a_quote_keeps_its_currency() {
    let selling = selling_abroad().await;
    for (named, expected) in [
        (json!({}), "150.00"),
        (in_dollars(), "150.00"),
        (json!({"currency": "EUR"}), "/quote other_order"),
    ] {
        let quote = quote_of(selling.quote("ana", in_dollars()).await);
        let more = with(named, "quote", quote["quote"].clone());
        assert_eq!(selling.place("ana", more).await, expected);
    }
    let quoted = outcome(selling.guest_quote(in_dollars()).await);
    assert_eq!(quoted, "150.00");
}

#[tokio::test]
async fn an_order_in_a_currency_without_a_price_is_refused() {
    let selling = selling_abroad().await;
    let yen = json!({"currency": "JPY"});
    assert_eq!(
        selling.place("ana", yen.clone()).await,
        "/currency other_currency"
    );
    let Err(Problem::InvalidBody(faults)) = selling.quote("ana", yen).await else {
        panic!("a quote in yen");
    };
    assert_eq!(faults[0].detail, "the shop sells in EUR, USD");
    let euros = json!({"currency": "euros"});
    assert_eq!(selling.place("ana", euros).await, "/currency invalid");
    selling
        .sencha_costs_money("us", [(11, dollars("15.00"))])
        .await;
    assert_eq!(
        selling.place("ana", in_dollars()).await,
        "/items/0 no_price"
    );
    let Err(Problem::InvalidBody(faults)) = selling.quote("ana", in_dollars()).await else {
        panic!("a quote of ten pieces");
    };
    assert_eq!(faults[0].detail, "\"Sencha\" has no price in USD");
    let eleven = json!([{"product_id": product("sencha"), "quantity": 11}]);
    let eleven = with(in_dollars(), "items", eleven);
    assert_eq!(selling.place("ana", eleven).await, "165.00");
}

#[tokio::test]
async fn prices_of_the_time_before_a_list_changed_its_currency_do_not_count() {
    let selling = selling_abroad().await;
    selling
        .lists(json!([{"id": "us", "name": "America", "currency": "EUR"}]))
        .await;
    assert_eq!(selling.place("ana", json!({})).await, "129.00");
    assert_eq!(
        selling.place("ana", in_dollars()).await,
        "/currency other_currency"
    );
}

#[tokio::test]
async fn an_expected_total_in_another_currency_is_another_total() {
    let selling = selling_abroad().await;
    let expecting = |amount: &str, currency: &str| {
        let expected = json!({"amount": amount, "currency": currency});
        with(in_dollars(), "expected_total", expected)
    };
    assert_eq!(
        selling.place("ana", expecting("150.00", "USD")).await,
        "150.00"
    );
    for (amount, currency) in [("150.00", "EUR"), ("149.99", "USD")] {
        let placed = selling.order("ana", expecting(amount, currency)).await;
        let Err(Problem::PriceChanged { total_amount }) = placed else {
            panic!("{placed:?}");
        };
        assert_eq!(total_amount, dollars("150.00"));
    }
    for (amount, currency, expected) in [
        ("1.001", "USD", "/expected_total/amount decimals"),
        ("1.00", "dollars", "/expected_total/currency invalid"),
        (
            "-1",
            "dollars",
            "/expected_total/amount invalid, /expected_total/currency invalid",
        ),
    ] {
        assert_eq!(
            selling.place("ana", expecting(amount, currency)).await,
            expected
        );
    }
}

#[tokio::test]
async fn a_discount_with_amounts_is_for_orders_in_its_currency() {
    let selling = selling_abroad().await;
    let off = |amount: Money| move |terms: &mut Terms| terms.benefit = Benefit::Amount { amount };
    selling.half("HALF", |_| {}).await;
    selling.half("EUROS", off(eur("20.00"))).await;
    selling.half("DOLLARS", off(dollars("20.00"))).await;
    let named = |terms: &mut Terms| terms.currency = Some("EUR".parse().unwrap());
    selling.half("NAMED", named).await;
    for (name, euros, dollars) in [
        ("HALF", "64.50", "75.00"),
        ("EUROS", "109.00", "/discount_code other_currency"),
        ("DOLLARS", "/discount_code other_currency", "130.00"),
        ("NAMED", "64.50", "/discount_code other_currency"),
    ] {
        assert_eq!(selling.place("ana", code(name)).await, euros);
        let coded = with(code(name), "currency", json!("USD"));
        assert_eq!(selling.place("ana", coded).await, dollars);
    }
}

#[tokio::test]
async fn a_shipping_method_is_for_orders_in_its_currency() {
    let selling = selling_abroad().await;
    let method = |id: &str, currency: &str| {
        let price = json!({"amount": "5.00", "currency": currency});
        json!({"id": id, "name": id, "cost": {"type": "flat", "price": price}})
    };
    let parcel = with(method("parcel-us", "USD"), "currency", json!("USD"));
    selling
        .methods(json!([method("parcel", "EUR"), parcel]))
        .await;
    for (id, euros, dollars) in [
        ("parcel", "134.00", "/shipping_method other_currency"),
        ("parcel-us", "/shipping_method other_currency", "155.00"),
    ] {
        let by = json!({"shipping_method": id});
        assert_eq!(selling.place("ana", by.clone()).await, euros);
        let by = with(by, "currency", json!("USD"));
        assert_eq!(selling.place("ana", by).await, dollars);
    }
}

#[tokio::test]
async fn the_minimum_is_for_orders_in_the_currency_of_the_shop() {
    let selling = selling_abroad().await;
    selling
        .sencha_costs_money("us", [(1, dollars("0.05"))])
        .await;
    assert_eq!(selling.place("ana", in_dollars()).await, "0.50");
    let one = json!([{"product_id": product("sencha"), "quantity": 1}]);
    selling
        .lists(json!([{"id": "cheap", "name": "Cheap", "currency": "EUR"}]))
        .await;
    selling
        .sencha_costs_money("cheap", [(1, eur("9.99"))])
        .await;
    let one = json!({"items": one});
    assert_eq!(selling.place("ana", one).await, "/items below_minimum");
}

#[tokio::test]
async fn an_order_beyond_what_money_holds_is_refused() {
    let selling = selling_abroad().await;
    selling
        .sencha_costs_money("us", [(1, dollars("999999999999999.00"))])
        .await;
    assert_eq!(selling.place("ana", in_dollars()).await, "/items total");
}
