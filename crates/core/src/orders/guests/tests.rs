use http::StatusCode;
use serde_json::{Value, json};

use super::*;
use crate::customers::model::Email;
use crate::orders::fixtures::{
    Shop, after, customer, header, json_of, placed_at, product, request, with_header,
};
use crate::orders::rules;

struct Guests {
    shop: Shop,
    checkout: Checkout,
    links: Links,
}

async fn guests() -> Guests {
    let shop = Shop::selling_sencha().await;
    Guests {
        checkout: Checkout::new(&shop.aws).unwrap(),
        links: Links::new(&shop.aws).unwrap(),
        shop,
    }
}

fn body() -> Value {
    json!({
        "email": "Gast@example.com",
        "items": [{"product_id": product("sencha"), "quantity": 2}],
        "shipping_address": {
            "recipient": "Ana", "line1": "Lindenstraße 12", "city": "Wien",
            "postal_code": "1070", "country": "AT",
        },
        "payment": {"token": "tok_ok"},
    })
}

fn placing(body: &Value) -> Request {
    let request = with_header(
        request("nobody", placed_at()),
        "content-type",
        "application/json",
    );
    let mut request = with_header(request, "idempotency-key", "click-1");
    request.identity = None;
    request.body = body.to_string().into_bytes();
    request
}

/// A request about the order `id` with the link that has `token`.
fn with_link(id: &str, token: &str, now: Time) -> Request {
    let mut request = request("nobody", now);
    request.identity = None;
    let parameters = &mut request.path_parameters;
    parameters.insert("order_id".to_owned(), id.to_owned());
    request.query.push(("token".to_owned(), token.to_owned()));
    request
}

impl Guests {
    async fn place(&self, body: &Value) -> Result<Response, Problem> {
        place_guest_order(&self.checkout, &self.links, placing(body)).await
    }

    async fn read(&self, id: &str, token: &str, now: Time) -> StatusCode {
        let request = with_link(id, token, now);
        match get_guest_order(&self.shop.orders, &self.links, request).await {
            Ok(answer) => answer.status,
            Err(problem) => problem.status(),
        }
    }
}

#[tokio::test]
async fn a_guest_cancels_with_the_link_until_an_account_has_claimed_the_order() {
    let guests = guests().await;
    let (id, token) = id_and_token(&guests.place(&body()).await.unwrap());
    let cancel = async |id: &str, token: &str| {
        let request = with_link(id, token, after(10));
        let Guests { shop, links, .. } = &guests;
        cancel_guest_order(&shop.orders, links, &shop.workflow, request).await
    };
    let another = OrderId::derived(&["another"]).to_string();
    for (id, token) in [(&id, ""), (&another, token.as_str())] {
        let refused = cancel(id, token).await;
        assert!(matches!(refused, Err(Problem::NotFound("order"))));
    }
    let order = guests.shop.orders.get(id.parse().unwrap()).await.unwrap();
    let order = order.unwrap();
    let cancelled = cancel(&id, &token).await.unwrap();
    assert_eq!(json_of(&cancelled)["status"], "cancelled");
    assert_eq!(guests.shop.started(&order), ["0", "1"]);
    let again = cancel(&id, &token).await.unwrap();
    assert_eq!(json_of(&again)["version"], 2);
    let order = guests.shop.stored(&order).await;
    let claimed = rules::claim(order, customer("ana"), after(20)).unwrap();
    guests
        .shop
        .orders
        .replace(claimed, &[])
        .await
        .unwrap()
        .unwrap();
    let refused = cancel(&id, &token).await;
    assert!(matches!(refused, Err(Problem::NotFound("order"))));
}

fn id_and_token(answer: &Response) -> (String, String) {
    let body = json_of(answer);
    let text = |name: &str| body[name].as_str().unwrap().to_owned();
    (text("id"), text("token"))
}

#[tokio::test]
async fn only_the_link_opens_a_guests_order() {
    let guests = guests().await;
    let answer = guests.place(&body()).await.unwrap();
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    let (id, token) = id_and_token(&answer);
    let expected = format!("/guest/orders/{id}?token={token}");
    assert_eq!(header(&answer, "Location"), Some(expected.as_str()));
    assert_eq!(guests.read(&id, &token, after(10)).await, StatusCode::OK);
    let day = 24 * 60 * 60;
    assert_eq!(
        guests.read(&id, &token, after(90 * day - 1)).await,
        StatusCode::OK
    );
    assert_eq!(
        guests.read(&id, &token, after(90 * day)).await,
        StatusCode::NOT_FOUND
    );
    for other in ["", "x", "a.b.c", &token[..token.len() - 2]] {
        assert_eq!(
            guests.read(&id, other, after(10)).await,
            StatusCode::NOT_FOUND
        );
    }
    let another = OrderId::derived(&["another"]).to_string();
    assert_eq!(
        guests.read(&another, &token, after(10)).await,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn a_customers_order_is_not_read_with_a_guests_link() {
    let guests = guests().await;
    let order = crate::orders::fixtures::order();
    guests.shop.orders.create(&order).await.unwrap();
    let token = token(&guests.links, order.id, placed_at()).await.unwrap();
    let id = order.id.to_string();
    assert_eq!(
        guests.read(&id, &token, after(10)).await,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn a_repeated_request_is_one_order_and_another_address_is_another() {
    let guests = guests().await;
    let first = id_and_token(&guests.place(&body()).await.unwrap()).0;
    let again = guests.place(&body()).await.unwrap();
    assert_eq!(id_and_token(&again).0, first);
    assert_eq!(header(&again, "Idempotent-Replayed"), Some("true"));
    let mut other = body();
    other["email"] = json!("other@example.com");
    assert_ne!(id_and_token(&guests.place(&other).await.unwrap()).0, first);
    let mut changed = body();
    changed["items"][0]["quantity"] = json!(3);
    let problem = guests.place(&changed).await.unwrap_err();
    assert!(matches!(problem, Problem::IdempotencyKeyReused));
}

#[tokio::test]
async fn every_fault_of_guest_and_order_is_reported_at_once() {
    let guests = guests().await;
    let mut wrong = body();
    wrong["email"] = json!("gast");
    wrong["items"][0]["quantity"] = json!(0);
    wrong["customer_id"] = json!("me");
    let Problem::InvalidBody(faults) = guests.place(&wrong).await.unwrap_err() else {
        panic!("it was taken");
    };
    let pointers: Vec<&str> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
    assert_eq!(pointers, ["/email", "/items/0/quantity", "/customer_id"]);
}

#[tokio::test]
async fn the_guests_address_is_in_no_response_and_no_event() {
    let guests = guests().await;
    let answer = guests.place(&body()).await.unwrap();
    let text = String::from_utf8(answer.body.clone()).unwrap();
    assert!(!text.to_lowercase().contains("gast"), "{text}");
    let id = id_and_token(&answer).0.parse().unwrap();
    let order = guests.shop.orders.get(id).await.unwrap().unwrap();
    let header =
        crate::orders::item::PartItem::Header(crate::orders::item::HeaderItem::from_order(&order));
    let image = serde_dynamo::to_item(header).unwrap();
    let event = crate::orders::events::published(image).unwrap().unwrap();
    let event = serde_json::to_string(&event).unwrap();
    assert!(!event.to_lowercase().contains("gast"), "{event}");
}

#[tokio::test]
async fn an_account_claims_the_orders_of_its_address_once() {
    let guests = guests().await;
    let (id, token) = id_and_token(&guests.place(&body()).await.unwrap());
    let email: Email = "GAST@example.com".parse().unwrap();
    let found = guests.shop.orders.guest_orders(&email, None, 10).await;
    let found = found.unwrap().items;
    assert_eq!(found, [id.parse().unwrap()]);
    let order = guests.shop.orders.get(found[0]).await.unwrap().unwrap();
    let claimed = rules::claim(order.clone(), customer("ana"), after(20)).unwrap();
    assert_eq!(claimed.customer_id, customer("ana"));
    assert_eq!(
        (claimed.version, claimed.event.event_type.as_str()),
        (2, "OrderClaimed")
    );
    let claimed = guests
        .shop
        .orders
        .replace(claimed, &[])
        .await
        .unwrap()
        .unwrap();
    assert_eq!(rules::claim(claimed, customer("eve"), after(30)), None);
    let left = guests.shop.orders.guest_orders(&email, None, 10).await;
    assert_eq!(left.unwrap().items, []);
    // Now its owner signs in to read it.
    assert_eq!(
        guests.read(&id, &token, after(30)).await,
        StatusCode::NOT_FOUND
    );
}
