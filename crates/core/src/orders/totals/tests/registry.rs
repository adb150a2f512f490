//! Tests of what a registry says of tax numbers.

use serde_json::{Value, json};

use super::{order, outcome, selling, sent};
use crate::orders::checkout::place_order;
use crate::orders::fixtures::json_of;
use crate::orders::quotes::create_quote;
use crate::orders::totals::Totals;
use crate::pricing::tax::registry::{Check, Registry};
use crate::values::tax_number::TaxNumber;

/// A registry that says the same of every number.
struct Says(Check);

impl Registry for Says {
    async fn check(&self, _: &TaxNumber) -> Check {
        self.0
    }
}

fn with_number(number: Value) -> Value {
    let mut order = order(json!({}));
    order["shipping_address"]["tax_number"] = number;
    order
}

#[tokio::test]
async fn what_a_registry_says_of_a_tax_number_stands_on_the_quote_and_the_order() {
    let selling = selling().await;
    let quoted = async |check, number: Value| {
        let totals = Totals::with(&selling.shop.aws, Says(check)).unwrap();
        let mut body = with_number(number);
        body.as_object_mut().unwrap().remove("payment");
        let cards = selling.shop.preview();
        create_quote(&totals, &selling.links, &cards, sent("ana", &body)).await
    };
    let number = || json!("ATU13585627");
    for (check, text) in [
        (Check::NotChecked, "not_checked"),
        (Check::Unavailable, "unavailable"),
        (Check::Valid, "valid"),
    ] {
        let quote = json_of(&quoted(check, number()).await.unwrap());
        assert_eq!(quote["tax_number_check"], text);
        // The order keeps what its quote said; this shop asks no registry by itself.
        let mut order = with_number(number());
        order["quote"] = quote["quote"].clone();
        let mut request = sent("ana", &order);
        request = crate::orders::fixtures::with_header(request, "idempotency-key", text);
        let placed = place_order(&selling.checkout, request).await.unwrap();
        assert_eq!(json_of(&placed)["tax_number_check"], text);
        let id = json_of(&placed)["id"].as_str().unwrap().parse().unwrap();
        let stored = selling.shop.orders.get(id).await.unwrap().unwrap();
        assert_eq!(stored.breakdown.tax_number_check, Some(check));
    }
    let refused = outcome(quoted(Check::Invalid, number()).await);
    assert_eq!(refused, "/shipping_address/tax_number not_registered");
    let private = json_of(&quoted(Check::Invalid, Value::Null).await.unwrap());
    assert_eq!(private["tax_number_check"], Value::Null);
}
