//! Orders of a customer who has gone, on the embedded DynamoDB.

use serde_json::json;

use super::super::fixtures::{Shop, address, after, customer, lines, order_of, placed_at, step};
use super::super::model::{Order, Status};
use super::super::workflow::close_order;
use super::*;
use crate::events::{DomainEvent, Stamp};
use crate::settings::Setting;

/// The event that Ana has gone, as a rule brings it.
fn gone() -> Message {
    let ana = customer("ana");
    let stamp = Stamp::new(ana, 3, "CustomerDeleted", after(60));
    let event = DomainEvent::new(ana, stamp, json!({}));
    Message {
        id: "1".to_owned(),
        body: json!({"time": "2026-03-01T09:31:00Z", "detail": event}).to_string(),
        sent_at: after(60),
        receive_count: 1,
    }
}

/// An order of `name`, placed so many seconds after the first, in `status`; over, or with something
/// left to do.
fn order_in(name: &str, seconds: u64, status: Status, over: bool) -> Order {
    let placed = order_of(name, lines(2), after(seconds));
    Order {
        status,
        due_at: placed.due_at.filter(|_| !over),
        ..placed
    }
}

async fn recipient(shop: &Shop, order: &Order) -> String {
    shop.stored(order).await.shipping_address.recipient
}

#[tokio::test]
async fn orders_that_are_over_lose_their_address_and_others_keep_it_until_then() {
    let shop = Shop::open();
    let over = [
        order_in("ana", 0, Status::Failed, true),
        order_in("ana", 1, Status::Cancelled, true),
        order_in("ana", 2, Status::Completed, true),
        order_in("ana", 3, Status::Returned, true),
    ];
    let open = [
        order_in("ana", 4, Status::Confirmed, true),
        order_in("ana", 5, Status::Shipped, true),
        order_in("ana", 6, Status::Delivered, true),
        order_in("ana", 7, Status::Pending, false),
    ];
    let others = order_in("bob", 8, Status::Failed, true);
    for order in over.iter().chain(&open).chain([&others]) {
        shop.store(order).await;
    }
    for _ in 0..2 {
        on_customer_deleted(&shop.orders, gone()).await.unwrap();
    }
    for order in &over {
        let erased = shop.stored(order).await.shipping_address;
        assert_eq!(erased, rules::erased(&address()), "{}", order.status);
        assert_eq!((erased.country.as_str(), erased.phone), ("AT", None));
    }
    for order in &open {
        let stored = shop.stored(order).await;
        assert_eq!(stored.shipping_address, address(), "{}", order.status);
        assert!(stored.erase_address, "{}", order.status);
    }
    assert_eq!(shop.stored(&others).await.shipping_address, address());
    let text = serde_json::Value::from(shop.engine.items(Setting::OrdersTable)).to_string();
    let addresses = text.matches("Lindenstraße").count();
    assert_eq!(addresses, open.len() + 1, "nowhere else");
}

#[tokio::test]
async fn an_order_that_was_open_loses_its_address_when_it_is_closed() {
    let pending = order_of("ana", lines(2), placed_at());
    let shop = Shop::with(&pending).await;
    on_customer_deleted(&shop.orders, gone()).await.unwrap();
    assert_eq!(recipient(&shop, &pending).await, "Ana Müller");
    let cancelled = rules::cancel(shop.stored(&pending).await, after(90), None)
        .unwrap()
        .unwrap();
    shop.orders.replace(cancelled).await.unwrap().unwrap();
    close_order(&shop.orders, step(&pending, after(91)))
        .await
        .unwrap();
    let stored = shop.stored(&pending).await;
    assert_eq!(
        (stored.shipping_address.recipient.as_str(), stored.due_at),
        ("", None)
    );
    assert!(!stored.erase_address);
}

#[tokio::test]
async fn an_order_that_is_just_being_closed_is_looked_at_again() {
    let closing = order_in("ana", 0, Status::Failed, false);
    let shop = Shop::with(&closing).await;
    let answer = on_customer_deleted(&shop.orders, gone()).await;
    assert!(
        matches!(answer, Err(ErasureError::Closing(1))),
        "{answer:?}"
    );
    close_order(&shop.orders, step(&closing, after(91)))
        .await
        .unwrap();
    on_customer_deleted(&shop.orders, gone()).await.unwrap();
    assert_eq!(recipient(&shop, &closing).await, "");
}

#[tokio::test]
async fn more_orders_than_a_page_are_all_found() {
    let shop = Shop::open();
    let orders: Vec<Order> = (0..101)
        .map(|seconds| order_in("ana", seconds, Status::Failed, true))
        .collect();
    for order in &orders {
        shop.store(order).await;
    }
    on_customer_deleted(&shop.orders, gone()).await.unwrap();
    let text = serde_json::Value::from(shop.engine.items(Setting::OrdersTable)).to_string();
    assert!(!text.contains("Lindenstraße"));
}

#[tokio::test]
async fn what_is_no_such_event_is_delivered_again() {
    let shop = Shop::open();
    let mut other = gone();
    other.body = other.body.replace("CustomerDeleted", "CustomerRegistered");
    let answer = on_customer_deleted(&shop.orders, other).await;
    assert!(matches!(answer, Err(ErasureError::Type(_))), "{answer:?}");
    let mut nonsense = gone();
    nonsense.body = "{}".to_owned();
    let answer = on_customer_deleted(&shop.orders, nonsense).await;
    assert!(
        matches!(answer, Err(ErasureError::Unreadable(_))),
        "{answer:?}"
    );
}
