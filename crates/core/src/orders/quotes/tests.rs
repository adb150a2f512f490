use serde_json::{Value, json};

use super::*;
use crate::aws::settings::Setting;
use crate::orders::checkout::{Checkout, place_order};
use crate::orders::fixtures::{Shop, after, eur, header, json_of, product, request, with_header};
use crate::orders::guests::place_guest_order;

struct Quoting {
    shop: Shop,
    totals: Totals,
    checkout: Checkout,
    links: Links,
    cards: Preview,
}

async fn quoting() -> Quoting {
    let shop = Shop::selling_sencha().await;
    Quoting {
        totals: Totals::new(&shop.aws).unwrap(),
        checkout: Checkout::new(&shop.aws).unwrap(),
        links: Links::new(&shop.aws).unwrap(),
        cards: shop.preview(),
        shop,
    }
}

fn cart() -> Value {
    json!({
        "items": [{"product_id": product("sencha"), "quantity": 2}],
        "shipping_address": {"country": "AT"},
    })
}

fn order(quote: &Value) -> Value {
    let mut order = cart();
    order["shipping_address"] = json!({
        "recipient": "Ana", "line1": "Lindenstraße 12", "city": "Wien", "postal_code": "1070",
        "country": "AT",
    });
    order["payment"] = json!({"token": "tok_ok"});
    order["quote"] = quote.clone();
    order
}

fn sent(name: &str, body: &Value) -> Request {
    let request = request(name, after(1));
    let mut request = with_header(request, "content-type", "application/json");
    request.body = body.to_string().into_bytes();
    request
}

fn as_guest(body: &Value) -> Request {
    Request {
        identity: None,
        ..sent("nobody", body)
    }
}

fn with_email(mut body: Value, email: &str) -> Value {
    body["email"] = json!(email);
    body
}

impl Quoting {
    /// Returns a quote for Ana.
    async fn quote(&self) -> Value {
        let answer =
            create_quote(&self.totals, &self.links, &self.cards, sent("ana", &cart())).await;
        json_of(&answer.unwrap())["quote"].clone()
    }

    /// Returns a quote for a guest.
    async fn guest_quote(&self, body: &Value) -> Value {
        let answer =
            create_guest_quote(&self.totals, &self.links, &self.cards, as_guest(body)).await;
        json_of(&answer.unwrap())["quote"].clone()
    }

    async fn place(&self, key: &str, body: &Value) -> Result<Response, Problem> {
        let request = with_header(sent("ana", body), "idempotency-key", key);
        Box::pin(place_order(&self.checkout, request)).await
    }

    async fn place_as_guest(&self, email: &str, quote: &Value) -> Result<Response, Problem> {
        let body = with_email(order(quote), email);
        let request = with_header(as_guest(&body), "idempotency-key", "click");
        Box::pin(place_guest_order(&self.checkout, &self.links, request)).await
    }

    /// Returns the number of stored orders.
    fn orders(&self) -> usize {
        let items = self.shop.engine.items(Setting::OrdersTable).into_iter();
        items.filter(|item| item["part"] == "header").count()
    }
}

#[track_caller]
fn refused(answer: Result<Response, Problem>, code: &str) {
    let Err(Problem::InvalidBody(faults)) = answer else {
        panic!("{answer:?}");
    };
    assert_eq!(
        (faults[0].pointer.as_str(), faults[0].code),
        ("/quote", code)
    );
}

#[tokio::test]
async fn a_quote_places_one_order() {
    let quoting = quoting().await;
    let quote = quoting.quote().await;
    let placed = quoting.place("one", &order(&quote)).await.unwrap();
    let again = quoting.place("one", &order(&quote)).await.unwrap();
    assert_eq!(header(&again, "Idempotent-Replayed"), Some("true"));
    assert_eq!(json_of(&again)["id"], json_of(&placed)["id"]);
    refused(quoting.place("two", &order(&quote)).await, "used");
    assert_eq!(quoting.orders(), 1);
    // A quote for the same is another quote.
    let other = quoting.quote().await;
    assert_ne!(other, quote);
    quoting.place("two", &order(&other)).await.unwrap();
    assert_eq!(quoting.orders(), 2);
}

#[tokio::test]
async fn a_quote_used_by_two_orders_at_once_places_one() {
    let quoting = quoting().await;
    let quote = quoting.quote().await;
    let (checkout, body) = (quoting.checkout.clone(), order(&quote));
    quoting
        .shop
        .engine
        .before_next("TransactWriteItems", async move || {
            let request = with_header(sent("ana", &body), "idempotency-key", "quicker");
            Box::pin(place_order(&checkout, request)).await.unwrap();
        });
    refused(quoting.place("slower", &order(&quote)).await, "used");
    assert_eq!(quoting.orders(), 1);
}

#[tokio::test]
async fn a_guests_quote_serves_nobody_else() {
    let quoting = quoting().await;
    let own = quoting
        .guest_quote(&with_email(cart(), "Gast@example.com"))
        .await;
    refused(
        quoting.place_as_guest("eve@example.com", &own).await,
        "other_order",
    );
    refused(quoting.place("k", &order(&own)).await, "other_order");
    quoting
        .place_as_guest("gast@example.com", &own)
        .await
        .unwrap();
    // Without an address, it is the first guest's who uses it.
    let open = quoting.guest_quote(&cart()).await;
    quoting
        .place_as_guest("eve@example.com", &open)
        .await
        .unwrap();
    refused(
        quoting.place_as_guest("bob@example.com", &open).await,
        "used",
    );
    assert_eq!(quoting.orders(), 2);
}

#[tokio::test]
async fn the_expected_total_is_compared_beside_a_quote() {
    let quoting = quoting().await;
    let quote = quoting.quote().await;
    let mut body = order(&quote);
    body["expected_total"] = json!({"amount": "25.79", "currency": "EUR"});
    let answer = quoting.place("k", &body).await;
    let Err(Problem::PriceChanged { total_amount }) = answer else {
        panic!("{answer:?}");
    };
    assert_eq!((total_amount, quoting.orders()), (eur("25.80"), 0));
    body["expected_total"] = json!({"amount": "25.80", "currency": "EUR"});
    quoting.place("k", &body).await.unwrap();
}
