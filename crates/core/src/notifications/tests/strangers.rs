//! What a stranger cannot make the shop's mails do.

use super::*;
use crate::orders::model::Guest;

/// Returns the `number`th order that a stranger places with the address `email`.
fn strangers_order(number: u32, email: &str) -> Order {
    let id = OrderId::derived(&[&number.to_string()]);
    Order {
        id,
        number: None,
        guest: Some(Guest {
            email: Email::stored(email.to_owned()),
            locale: "en".parse().unwrap(),
        }),
        shipping_address: Address {
            recipient: "Win 500 EUR: https://evil.example".to_owned(),
            line2: Some("www.evil.example".to_owned()),
            ..confirmed().shipping_address
        },
        event: Stamp::new(id, 2, "OrderConfirmed", now()),
        ..confirmed()
    }
}

impl Shop {
    /// Stores `order` and requests its confirmation at `then`.
    async fn confirm(&self, order: &Order, then: Time) {
        self.orders.create(order).await.unwrap();
        let request = json!({"template": "order_confirmed", "order_id": order.id});
        let message = Message {
            id: order.id.to_string(),
            body: request.to_string(),
            sent_at: then,
            receive_count: 1,
        };
        self.deliver(message).await.unwrap();
    }
}

/// Returns a shop in which links can be signed.
async fn open() -> Shop {
    let shop = shop(&confirmed(), "en").await;
    let secret = json!({"kid": "1", "key": "a text of the tests that is long enough"}).to_string();
    shop.engine.answer_others("GetSecretValue", move |_| {
        (200, json!({"SecretString": secret}))
    });
    shop
}

#[tokio::test]
async fn a_mailbox_gets_ten_mails_a_day_about_orders_of_strangers() {
    let shop = open().await;
    for number in 0..12 {
        let email = format!("Vic.Tim+{number}@example.com");
        shop.confirm(&strangers_order(number, &email), now()).await;
    }
    assert_eq!(shop.sent(), 10);
    let withheld = || {
        let items = shop.engine.items(Setting::MessagesTable);
        let withheld = items
            .iter()
            .filter(|item| item.get("status") == Some(&json!("withheld")));
        withheld.count()
    };
    assert_eq!(withheld(), 2);
    shop.confirm(&strangers_order(20, "other@example.com"), now())
        .await;
    assert_eq!(shop.sent(), 11);
    // The shop's customer, who has confirmed the address, is told of every order.
    shop.deliver(delivery("1", 1)).await.unwrap();
    assert_eq!(shop.sent(), 12);
    let tomorrow = now().plus(Duration::from_hours(24));
    shop.confirm(&strangers_order(21, "victim@example.com"), tomorrow)
        .await;
    assert_eq!(shop.sent(), 13);
    let items = Value::from(shop.engine.items(Setting::MessagesTable)).to_string();
    assert!(!items.to_lowercase().contains("tim"), "{items}");
}

#[tokio::test]
async fn a_mail_is_counted_once_however_often_it_is_delivered() {
    let shop = open().await;
    shop.ends([Ending::Refused, Ending::LostBefore]);
    let order = strangers_order(1, "victim@example.com");
    shop.orders.create(&order).await.unwrap();
    let body = json!({"template": "order_confirmed", "order_id": order.id}).to_string();
    for receive_count in 1..=4 {
        let message = Message {
            body: body.clone(),
            ..delivery("1", receive_count)
        };
        let _ = shop.deliver(message).await;
    }
    assert_eq!(shop.sent(), 1);
    let items = shop.engine.items(Setting::MessagesTable);
    let count = items.iter().find_map(|item| item.get("messages"));
    assert_eq!(count, Some(&json!(1)));
}

#[tokio::test]
async fn mails_do_not_repeat_the_words_of_strangers() {
    let shop = open().await;
    shop.confirm(&strangers_order(1, "victim@example.com"), now())
        .await;
    let sent = shop.post.sent.lock().unwrap().clone();
    let mail = &sent[0].1;
    assert!(mail.text.starts_with("Hello,\n"), "{}", mail.text);
    for form in [&mail.subject, &mail.text, &mail.html] {
        assert!(
            !form.contains("Win 500") && !form.contains("evil"),
            "{form}"
        );
    }
    assert!(mail.text.contains("Hauptstraße 1\n1010 Wien\nAT\n"));
}

#[tokio::test]
async fn a_customer_is_greeted_by_name_once_the_address_is_confirmed() {
    for (name, confirmed_at, greeting) in [
        ("Ana Li", Some(now()), "Hello Ana Li,"),
        ("Ana Li", None, "Hello,"),
        ("Ana evil.example", Some(now()), "Hello,"),
    ] {
        let customer = Customer {
            name: name.to_owned(),
            email_confirmed_at: confirmed_at,
            ..customer("en")
        };
        let shop = shop_of(&confirmed(), customer).await;
        shop.deliver(delivery("1", 1)).await.unwrap();
        let sent = shop.post.sent.lock().unwrap().clone();
        assert_eq!(sent[0].1.text.lines().next(), Some(greeting));
    }
}

#[tokio::test]
async fn mail_to_an_address_that_can_get_none_is_neither_sent_nor_retried() {
    let shop = open().await;
    shop.confirm(&strangers_order(1, "\"a b\"@example.com"), now())
        .await;
    assert_eq!(shop.sent(), 0);
    assert!(shop.engine.items(Setting::MessagesTable).is_empty());
}
