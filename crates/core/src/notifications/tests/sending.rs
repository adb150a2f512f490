//! What is sent to whom, and what is not sent.

use super::*;

#[tokio::test]
async fn a_customer_is_told_of_a_confirmed_order() {
    let shop = shop(&confirmed(), "en").await;
    shop.deliver(delivery("1", 1)).await.unwrap();
    let sent = shop.post.sent.lock().unwrap().clone();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].0, "Ana@example.com");
    assert_eq!(shop.status().await, Some(Status::Sent));
}

#[tokio::test]
async fn events_of_failed_and_cancelled_orders_send_messages() {
    let cancelled = order_rules::cancel(pending(), now(), None)
        .unwrap()
        .unwrap();
    for (order, event_type, subject) in [
        (failed(), "OrderFailed", "could not be completed"),
        (cancelled, "OrderCancelled", "has been cancelled"),
    ] {
        let shop = shop(&order, "en").await;
        shop.deliver(event(event_type)).await.unwrap();
        shop.deliver(event(event_type)).await.unwrap();
        let sent = shop.post.sent.lock().unwrap().clone();
        assert_eq!(sent.len(), 1, "{event_type}");
        assert!(sent[0].1.subject.contains(subject), "{:?}", sent[0].1);
    }
}

#[tokio::test]
async fn a_message_requested_twice_is_sent_once() {
    let shop = shop(&confirmed(), "en").await;
    for message in [
        delivery("1", 1),
        delivery("1", 2),
        delivery("2", 1),
        delivery("3", 5),
    ] {
        shop.deliver(message).await.unwrap();
    }
    assert_eq!(shop.sent(), 1);
}

#[tokio::test]
async fn a_message_that_is_no_longer_true_is_not_sent() {
    let cancelled = order_rules::cancel(confirmed(), now(), None)
        .unwrap()
        .unwrap();
    for order in [cancelled, failed(), pending()] {
        let shop = shop(&order, "en").await;
        shop.deliver(delivery("1", 1)).await.unwrap();
        assert_eq!((shop.sent(), shop.status().await), (0, None));
    }
}

#[tokio::test]
async fn a_delivery_that_requests_no_message_is_an_error_and_stores_nothing() {
    let shop = shop(&confirmed(), "en").await;
    let order_id = OrderId::derived(&["order"]);
    for body in [
        json!("x"),
        json!({}),
        json!({"template": "order_shipped", "order_id": order_id}),
        json!({"template": "order_confirmed", "order_id": "1"}),
        serde_json::from_str(&event("OrderCreated").body).unwrap(),
    ] {
        let mut message = delivery("1", 1);
        message.body = body.to_string();
        let ended = shop.deliver(message).await;
        assert!(
            matches!(ended, Err(NotificationError::Unreadable(_))),
            "{body}: {ended:?}"
        );
    }
    assert!(shop.engine.items(Setting::MessagesTable).is_empty());
}

#[tokio::test]
async fn a_delivery_about_an_unknown_order_or_customer_is_retried() {
    let shop = shop(&confirmed(), "en").await;
    let mut unknown = delivery("1", 1);
    unknown.body =
        json!({"template": "order_confirmed", "order_id": OrderId::derived(&["no"])}).to_string();
    let ended = shop.deliver(unknown).await;
    assert!(
        matches!(ended, Err(NotificationError::NoSuchOrder(_))),
        "{ended:?}"
    );
    let orphan = Order {
        id: OrderId::derived(&["orphan"]),
        number: None,
        customer_id: CustomerId::derived(&["nobody"]),
        ..confirmed()
    };
    shop.orders.create(&orphan).await.unwrap();
    let mut message = delivery("1", 1);
    message.body = json!({"template": "order_confirmed", "order_id": orphan.id}).to_string();
    let ended = shop.deliver(message).await;
    assert!(
        matches!(ended, Err(NotificationError::NoSuchCustomer(_))),
        "{ended:?}"
    );
    assert!(shop.engine.items(Setting::MessagesTable).is_empty());
}

#[tokio::test]
async fn the_record_of_a_message_contains_no_personal_data() {
    let shop = shop(&confirmed(), "en").await;
    shop.deliver(delivery("1", 1)).await.unwrap();
    let stored = Value::from(shop.engine.items(Setting::MessagesTable)).to_string();
    for personal in ["Ana", "example.com", "Wien", "Tea"] {
        assert!(!stored.contains(personal), "{stored}");
    }
}
