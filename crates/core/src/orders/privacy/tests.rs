use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::aws::settings::Setting;
use crate::orders::fixtures::{
    Shop, account, after, guests_order, json_of, lines, order_of, request, with_header,
};
use crate::orders::model::Status;

const EMAIL: &str = "Gast@example.com";

/// A shop that signs links, with as many orders of the guest that are over.
async fn shop(orders: usize) -> (Shop, Links, Vec<Order>) {
    let shop = Shop::selling_sencha().await;
    let mut placed = Vec::new();
    for number in 0..orders {
        let order = Order {
            id: OrderId::derived(&["guest", &number.to_string()]),
            number: None,
            status: Status::Completed,
            due_at: None,
            created_at: after(u64::try_from(number).unwrap()),
            ..guests_order(EMAIL)
        };
        shop.store(&order).await;
        placed.push(order);
    }
    let links = Links::new(&shop.aws).unwrap();
    (shop, links, placed)
}

fn with_token(token: &str, seconds: u64) -> Request {
    let mut request = request("nobody", after(seconds));
    request.identity = None;
    request.query.push(("token".to_owned(), token.to_owned()));
    request
}

async fn erase(shop: &Shop, links: &Links, token: &str) -> Result<Value, Problem> {
    let erasure = Erasure::for_tests(shop.orders.clone(), Duration::from_hours(30 * 24));
    let answer = erase_guest(&erasure, links, with_token(token, 60)).await;
    answer.map(|answer| json_of(&answer))
}

async fn asked(shop: &Shop, email: &str, seconds: u64) -> Value {
    let request = request("nobody", after(seconds));
    let mut request = with_header(request, "content-type", "application/json");
    request.identity = None;
    request.body = json!({ "email": email }).to_string().into_bytes();
    let answer = request_guest_access(&shop.orders, &shop.messages, request).await;
    assert_eq!(answer.unwrap().status, 202);
    let mut queued = shop.queued();
    assert_eq!(queued.len(), 1);
    queued.remove(0)
}

#[tokio::test]
async fn a_message_is_queued_whether_the_address_is_known_or_not() {
    let (shop, _, orders) = shop(2).await;
    let known = asked(&shop, "gast@EXAMPLE.com", 60).await;
    assert_eq!(known["template"], "guest_access");
    assert_eq!(known["order_id"], orders[1].id.to_string());
    assert!(!known.to_string().to_lowercase().contains("gast"));
    let unknown = asked(&shop, "nobody@example.com", 60).await;
    let names =
        |message: &Value| -> Vec<String> { message.as_object().unwrap().keys().cloned().collect() };
    assert_eq!(names(&unknown), names(&known));
    // A message is sent once within five minutes.
    assert_eq!(asked(&shop, EMAIL, 61).await, known);
    assert_ne!(asked(&shop, EMAIL, 400).await, known);
}

#[tokio::test]
async fn a_guest_sees_all_orders_with_the_mailed_link_and_with_no_other() {
    let (shop, links, orders) = shop(3).await;
    shop.store(&order_of("ana", lines(1), after(0))).await;
    shop.store(&guests_order("other@example.com")).await;
    let token = token(&links, orders[2].id, after(0)).await.unwrap();
    let read = async |token: &str, seconds| {
        get_guest_access(&shop.orders, &links, with_token(token, seconds)).await
    };
    let page = json_of(&read(&token, 60).await.unwrap());
    let ids: Vec<&str> = page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["id"].as_str().unwrap())
        .collect();
    let expected: Vec<String> = orders
        .iter()
        .rev()
        .map(|order| order.id.to_string())
        .collect();
    assert_eq!(ids, expected);
    let of_order = super::super::guests::token(&links, orders[2].id, after(0)).await;
    let day = u64::from(LINK_SECONDS);
    for (token, seconds) in [
        ("", 60),
        (token.as_str(), day),
        (of_order.unwrap().as_str(), 60),
    ] {
        let refused = read(token, seconds).await;
        assert!(
            matches!(refused, Err(Problem::NotFound("guest"))),
            "{token}"
        );
    }
}

#[tokio::test]
async fn a_guest_is_erased_with_the_mailed_link() {
    let (shop, links, orders) = shop(3).await;
    let open = Order {
        id: OrderId::derived(&["open"]),
        number: None,
        ..guests_order(EMAIL)
    };
    shop.store(&open).await;
    let token = token(&links, orders[2].id, after(0)).await.unwrap();
    let done = erase(&shop, &links, &token).await.unwrap();
    assert_eq!(done, json!({"erased": 3, "kept": 1, "more": false}));
    for order in &orders {
        let stored = shop.stored(order).await;
        assert!(stored.is_erased());
        assert_eq!(
            (stored.total, stored.lines),
            (order.total, order.lines.clone())
        );
    }
    let marked = shop.stored(&open).await;
    assert_eq!(marked.shipping_address, open.shipping_address);
    assert!(marked.erase_at.is_some());
    let email: Email = EMAIL.parse().unwrap();
    let found = shop.orders.guest_orders(&email, None, 10).await.unwrap();
    assert_eq!(found.items, [], "nobody can claim what is to be erased");
    let again = erase(&shop, &links, &token).await;
    assert!(matches!(again, Err(Problem::NotFound("guest"))));
}

#[tokio::test]
async fn an_erasure_of_many_orders_continues_with_the_same_link() {
    let (shop, links, orders) = shop(520).await;
    let latest = orders.last().unwrap().id;
    let token = token(&links, latest, after(0)).await.unwrap();
    let first = erase(&shop, &links, &token).await.unwrap();
    assert_eq!(first, json!({"erased": 499, "kept": 0, "more": true}));
    let second = erase(&shop, &links, &token).await.unwrap();
    assert_eq!(second, json!({"erased": 21, "kept": 0, "more": false}));
    let items = Value::from(shop.engine.items(Setting::OrdersTable)).to_string();
    assert!(!items.to_lowercase().contains("gast@"));
}

#[tokio::test]
async fn an_export_has_all_that_the_shop_knows_about_the_caller_and_nobody_else() {
    let shop = Shop::open();
    account(&shop, true, false).await;
    for second in 0..3 {
        shop.store(&order_of("ana", lines(1), after(second))).await;
        shop.store(&order_of("ben", lines(1), after(second))).await;
    }
    let export = Export::new(&shop.aws).unwrap();
    let page = async |query: &[(&str, &str)]| {
        let mut request = request("ana", after(60));
        let query = query.iter();
        request.query = query
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        json_of(&export_account(&export, request).await.unwrap())
    };
    let first = page(&[("limit", "2")]).await;
    assert_eq!(first["account"]["email"], "Ana@Example.com");
    assert_eq!(
        (&first["addresses"], &first["sessions"]),
        (&json!([]), &json!([]))
    );
    assert_eq!(first["items"].as_array().unwrap().len(), 2);
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = page(&[("limit", "2"), ("cursor", cursor)]).await;
    assert_eq!(second["items"].as_array().unwrap().len(), 1);
    assert_eq!(second["next_cursor"], Value::Null);
    let text = first.to_string() + &second.to_string();
    assert!(!text.contains("tok_ok") && !text.contains("argon2"));
    let unknown = export_account(&export, request("ben", after(60))).await;
    assert!(matches!(unknown, Err(Problem::NotFound("customer"))));
}
