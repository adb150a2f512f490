//! Prices of price lists, in quotes and orders.

use serde_json::{Value, json};

use super::{Selling, quote_of, selling, sent};
use crate::http::exchange::{IfMatch, Response};
use crate::http::problem::Problem;
use crate::orders::checkout::place_order;
use crate::orders::fixtures::{after, eur, json_of, product, with_header};
use crate::orders::quotes::create_quote;
use crate::pricing::collection::{self, Entry, NoTerms};
use crate::pricing::lists::{self, Break, PriceList};
use crate::pricing::shipping::ShippingMethod;
use crate::values::id::VariantId;
use crate::values::money::Money;

impl Selling {
    /// Replaces the price lists.
    pub(super) async fn lists(&self, lists: Value) {
        self.replace::<PriceList>(lists).await;
    }

    /// Replaces the shipping methods.
    pub(super) async fn methods(&self, methods: Value) {
        self.replace::<ShippingMethod>(methods).await;
    }

    async fn replace<T: Entry<Terms = NoTerms>>(&self, entries: Value) {
        let entries: Vec<T> = serde_json::from_value(entries).unwrap();
        let stored = self.pricing.collection().await.unwrap();
        let replaced = collection::replace(&stored, NoTerms {}, entries, &IfMatch::Any, after(0));
        let (next, event) = replaced.unwrap().unwrap();
        let replaced = self.pricing.replace_collection(next, event).await;
        assert!(replaced.unwrap().is_some());
    }

    /// Sets the prices of sencha in a list, in euros.
    async fn sencha_costs(&self, list: &str, breaks: &[(u32, &str)]) {
        let breaks = breaks
            .iter()
            .map(|(min_quantity, amount)| (*min_quantity, eur(amount)));
        self.sencha_costs_money(list, breaks).await;
    }

    pub(super) async fn sencha_costs_money(
        &self,
        list: &str,
        breaks: impl IntoIterator<Item = (u32, Money)>,
    ) {
        let breaks = breaks.into_iter();
        let breaks = breaks.map(|(min_quantity, price)| Break {
            min_quantity,
            price,
        });
        let sencha: VariantId = product("sencha").into();
        let stored = self.pricing.list_price(list, sencha).await.unwrap();
        let next = lists::set(stored.as_ref(), (list, sencha), breaks.collect(), after(0));
        let is_stored = self.pricing.replace_list_price(&next.unwrap()).await;
        assert!(is_stored.unwrap());
    }

    /// Quotes so many pieces for `ana`, who is in `group`.
    async fn quote_of(&self, group: Option<&str>, quantity: u32) -> Result<Response, Problem> {
        let mut body = super::order(json!({}));
        body["items"][0]["quantity"] = json!(quantity);
        body.as_object_mut().unwrap().remove("payment");
        let mut request = sent("ana", &body);
        let caller = &mut request.identity.as_mut().unwrap().caller;
        caller.group = group.map(|group| group.parse().unwrap());
        let cards = self.shop.preview();
        create_quote(&self.totals, &self.links, &cards, request).await
    }
}

/// Returns the price of a piece of the first line, and the list that gave it.
fn priced(response: Result<Response, Problem>) -> (String, Value) {
    let body = json_of(&response.unwrap());
    let line = &body["items"][0];
    let price = line["unit_price"]["amount"].as_str().unwrap().to_owned();
    (price, line["price_list"].clone())
}

fn wholesale() -> Value {
    json!([
        {"id": "wholesale", "name": "Wholesale", "currency": "EUR", "customer_group": "wholesale"},
        {"id": "alps", "name": "Alps", "currency": "EUR", "countries": ["CH", "AT"]},
    ])
}

#[tokio::test]
async fn a_line_has_the_price_of_the_first_list_that_has_one() {
    let selling = selling().await;
    let own = ("12.90".to_owned(), Value::Null);
    assert_eq!(priced(selling.quote_of(None, 1).await), own);
    selling.lists(wholesale()).await;
    assert_eq!(
        priced(selling.quote_of(None, 1).await),
        own,
        "no list has a price"
    );
    selling.sencha_costs("alps", &[(1, "13.90")]).await;
    selling
        .sencha_costs("wholesale", &[(10, "9.90"), (100, "7.90")])
        .await;
    let alps = ("13.90".to_owned(), json!("alps"));
    assert_eq!(priced(selling.quote_of(None, 10).await), alps);
    assert_eq!(priced(selling.quote_of(Some("retail"), 10).await), alps);
    let group = Some("wholesale");
    assert_eq!(
        priced(selling.quote_of(group, 9).await),
        alps,
        "too few for wholesale"
    );
    let wholesale = |price: &str| (price.to_owned(), json!("wholesale"));
    assert_eq!(priced(selling.quote_of(group, 10).await), wholesale("9.90"));
    assert_eq!(
        priced(selling.quote_of(group, 100).await),
        wholesale("7.90")
    );
    let guest = selling.guest_quote(json!({})).await;
    assert_eq!(priced(guest), alps);
    selling.sencha_costs("alps", &[]).await;
    assert_eq!(priced(selling.quote_of(None, 10).await), own);
}

#[tokio::test]
async fn an_order_keeps_the_list_and_its_quote_keeps_the_price() {
    let selling = selling().await;
    selling.lists(wholesale()).await;
    selling.sencha_costs("alps", &[(1, "11.00")]).await;
    let quote = quote_of(selling.quote_of(None, 10).await);
    selling.sencha_costs("alps", &[(1, "14.00")]).await;
    let quoted = selling.order("ana", quote).await.unwrap();
    let today = selling.order("ana", json!({})).await.unwrap();
    for (placed, price, total) in [(quoted, "11.00", "110.00"), (today, "14.00", "140.00")] {
        let id = json_of(&placed)["id"].as_str().unwrap().parse().unwrap();
        let stored = selling.shop.orders.get(id).await.unwrap().unwrap();
        assert_eq!(stored.lines[0].price_list.as_deref(), Some("alps"));
        assert_eq!(json_of(&placed)["total_amount"]["amount"], total);
        assert_eq!(priced(Ok(placed)), (price.to_owned(), json!("alps")));
    }
}

#[tokio::test]
async fn a_customer_orders_at_the_prices_of_the_group() {
    let selling = selling().await;
    selling.lists(wholesale()).await;
    selling.sencha_costs("wholesale", &[(1, "9.90")]).await;
    let mut request = with_header(
        sent("ana", &super::order(json!({}))),
        "idempotency-key",
        "one",
    );
    let caller = &mut request.identity.as_mut().unwrap().caller;
    caller.group = Some("wholesale".parse().unwrap());
    let placed = Box::pin(place_order(&selling.checkout, request)).await;
    assert_eq!(priced(placed), ("9.90".to_owned(), json!("wholesale")));
}
