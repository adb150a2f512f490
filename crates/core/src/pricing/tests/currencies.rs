//! Discounts and shipping methods in another currency than the shop's.

use serde_json::{Value, json};

use super::{faults, json_of, noon, store};
use crate::pricing::api::{self, collections};
use crate::testing;
use crate::values::money::Currency;

fn euro() -> Currency {
    "EUR".parse().unwrap()
}

fn amount(amount: &str, currency: &str) -> Value {
    json!({"amount": amount, "currency": currency})
}

#[tokio::test]
async fn the_amounts_of_a_discount_are_in_its_currency_which_never_changes() {
    let (pricing, _) = store();
    let body = |currency: Value, of_amounts: &str| {
        json!({
            "name": "Spring", "currency": currency, "code": "SPRING",
            "benefit": {"type": "amount", "amount": amount("5.50", of_amounts)},
            "minimum_amount": amount("20.50", of_amounts),
            "condition": "totals.subtotal > money('1.50')",
        })
    };
    let create = async |body: Value| {
        api::create_discount(&pricing, euro(), testing::request(noon(), &body)).await
    };
    let wrong = ["/benefit/amount/currency", "/minimum_amount/currency"];
    let wrong = wrong.map(|pointer| (pointer.to_owned(), "currency"));
    assert_eq!(faults(create(body(json!(null), "USD")).await), wrong);
    assert_eq!(faults(create(body(json!("USD"), "EUR")).await), wrong);
    let yen = faults(create(body(json!("JPY"), "JPY")).await);
    let pointers: Vec<&str> = yen.iter().map(|(pointer, _)| pointer.as_str()).collect();
    let decimals = [
        "/benefit/amount/amount",
        "/minimum_amount/amount",
        "/condition",
    ];
    assert_eq!(pointers, decimals);
    let made = json_of(&create(body(json!("USD"), "USD")).await.unwrap());
    assert_eq!(made["currency"], "USD");
    let id = made["id"].as_str().unwrap();
    let patch = async |patch: Value| {
        let request = testing::request(noon(), &patch).at("discount_id", id);
        api::update_discount(&pricing, euro(), request.with("if-match", "*")).await
    };
    let in_euros = json!({"max_amount": amount("9.00", "EUR")});
    assert_eq!(
        faults(patch(in_euros).await),
        [("/max_amount/currency".to_owned(), "currency")]
    );
    let moved = json!({"currency": "EUR"});
    assert_eq!(
        faults(patch(moved).await),
        [("/currency".to_owned(), "unknown_field")]
    );
    let in_dollars = json!({"max_amount": amount("9.00", "USD")});
    let changed = json_of(&patch(in_dollars).await.unwrap());
    assert_eq!(changed["max_amount"], amount("9.00", "USD"));
    assert_eq!(changed["currency"], "USD");
}

#[tokio::test]
async fn the_amounts_of_a_shipping_method_are_in_its_currency() {
    let (pricing, _) = store();
    let method = |currency: Option<&str>, of_amounts: &str| {
        let mut method = json!({
            "id": "parcel", "name": "Parcel",
            "zones": [{"country": "US", "surcharge": amount("3.00", of_amounts)}],
            "cost": {"type": "by_amount", "steps": [
                {"up_to": amount("50.00", of_amounts), "price": amount("5.00", of_amounts)},
                {"price": amount("0.00", of_amounts)},
            ]},
            "free_from": amount("99.00", of_amounts),
        });
        if let Some(currency) = currency {
            method["currency"] = json!(currency);
        }
        method
    };
    let put = async |method: Value| {
        let request = testing::request(noon(), &json!({ "items": [method] }));
        collections::replace_shipping_methods(&pricing, euro(), request.with("if-match", "*")).await
    };
    let wrong = [
        "zones/0/surcharge",
        "cost/steps/0/up_to",
        "cost/steps/0/price",
        "cost/steps/1/price",
        "free_from",
    ];
    let wrong = wrong.map(|field| (format!("/items/0/{field}/currency"), "currency"));
    assert_eq!(faults(put(method(None, "USD")).await), wrong);
    assert_eq!(faults(put(method(Some("USD"), "EUR")).await), wrong);
    for (currency, of_amounts) in [(None, "EUR"), (Some("USD"), "USD")] {
        let method = method(currency, of_amounts);
        let shown = json_of(&put(method.clone()).await.unwrap());
        assert_eq!(shown["items"], json!([method]), "as it was put");
    }
}
