//! Customers and admins, and their requests.

use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::hmac;
use futures::StreamExt;
use reqwest::Method;
use serde_json::{Value, json};

use super::client::{Answer, Call};
use super::prices::money;
use super::shop::Shop;
use super::until;

/// The password of everybody in the tests.
pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// A person who is signed in.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) id: String,
    pub(crate) email: String,
    pub(crate) token: String,
}

/// A text that no other test uses, in this run or another.
pub(crate) fn unique(what: &str) -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("{what}-{}-{number}", std::process::id())
}

/// The body of an order of `lines`, product and quantity, paid with `token`.
pub(crate) fn order_of(lines: &[(&str, u32)], token: &str) -> Value {
    let items: Vec<Value> = lines
        .iter()
        .map(|(product, quantity)| json!({"product_id": product, "quantity": quantity}))
        .collect();
    json!({
        "items": items,
        "shipping_address": {
            "recipient": "Erika Mustermann",
            "line1": "Heidestraße 17",
            "city": "Köln",
            "postal_code": "51147",
            "country": "DE",
        },
        "payment": {"token": token},
    })
}

/// A product that can be bought.
pub(crate) fn product(name: &str, amount: &str) -> Value {
    json!({
        "name": name,
        "category": "testing",
        "price": money(amount),
    })
}

impl Shop {
    /// Opens an account and signs in.
    pub(crate) async fn customer(&self) -> Person {
        let email = format!("{}@example.com", unique("customer"));
        self.register(&email).await
    }

    /// Opens `count` accounts and signs in, a few at a time: hashing a password takes a processor for a while, and what
    /// the tests hurry is what the customers do afterwards.
    pub(crate) async fn customers(&self, count: usize) -> Vec<Person> {
        let opened = futures::stream::iter((0..count).map(|_| self.customer()));
        opened.buffered(8).collect().await
    }

    /// Opens an account with this address and signs in.
    pub(crate) async fn register(&self, email: &str) -> Person {
        let body = json!({"email": email, "password": PASSWORD, "name": "Erika Mustermann", "locale": "en"});
        let made = self.post("/customers").json(&body).send().await.expect(201);
        Person {
            id: made.json()["id"].as_str().unwrap().to_owned(),
            email: email.to_owned(),
            token: self.login(email).await,
        }
    }

    /// Signs in and returns the access token.
    pub(crate) async fn login(&self, email: &str) -> String {
        self.login_with(email, PASSWORD).await
    }

    pub(crate) async fn login_with(&self, email: &str, password: &str) -> String {
        let body = json!({"email": email, "password": password});
        let answer = self
            .post("/auth/login")
            .json(&body)
            .send()
            .await
            .expect(200);
        answer.json()["access_token"].as_str().unwrap().to_owned()
    }

    /// Opens an account that an operator makes an admin.
    pub(crate) async fn new_admin(&self) -> Person {
        let person = self.customer().await;
        self.grant_admin(&person.email).await;
        let token = self.login(&person.email).await;
        Person { token, ..person }
    }

    pub(crate) fn get(&self, path: &str) -> Call {
        self.call(Method::GET, path)
    }

    pub(crate) fn post(&self, path: &str) -> Call {
        self.call(Method::POST, path)
    }

    pub(crate) fn put(&self, path: &str) -> Call {
        self.call(Method::PUT, path)
    }

    pub(crate) fn patch(&self, path: &str) -> Call {
        self.call(Method::PATCH, path)
    }

    pub(crate) fn delete(&self, path: &str) -> Call {
        self.call(Method::DELETE, path)
    }

    /// Puts a product on sale at `amount`, as [`amount`](super::prices::amount) reads it, with `on_hand` in stock, and returns its id.
    pub(crate) async fn product(&self, amount: &str, on_hand: u32) -> String {
        self.named_product(&unique("Teapot"), amount, on_hand).await
    }

    /// As [`Shop::product`], with a name.
    pub(crate) async fn named_product(&self, name: &str, amount: &str, on_hand: u32) -> String {
        let admin = self.admin().await;
        let made = self
            .post("/products")
            .bearer(&admin.token)
            .json(&product(name, amount))
            .send()
            .await
            .expect(201);
        let id = made.json()["id"].as_str().unwrap().to_owned();
        self.set_stock(&id, on_hand).await.expect(200);
        self.note_on_hand(&id, on_hand.into());
        id
    }

    /// Sets what is on hand, regardless of what it was.
    pub(crate) async fn set_stock(&self, product: &str, on_hand: u32) -> Answer {
        self.set_level(product, &json!({"on_hand": on_hand})).await
    }

    /// Sets what is on hand and on backorder, regardless of what it was.
    pub(crate) async fn set_level(&self, product: &str, level: &Value) -> Answer {
        let admin = self.admin().await;
        self.put(&format!("/inventory/{product}"))
            .bearer(&admin.token)
            .header("if-match", "*")
            .json(level)
            .send()
            .await
    }

    /// `(on_hand, reserved, available)` of a product.
    pub(crate) async fn stock(&self, product: &str) -> (u64, u64, u64) {
        let admin = self.admin().await;
        let path = format!("/inventory/{product}");
        let stock = self
            .get(&path)
            .bearer(&admin.token)
            .send()
            .await
            .expect(200);
        let stock = stock.json();
        let count = |name: &str| stock[name].as_u64().unwrap();
        (count("on_hand"), count("reserved"), count("available"))
    }

    /// Places an order under a key of its own.
    pub(crate) async fn place(&self, person: &Person, order: &Value) -> Answer {
        self.place_with_key(person, order, &unique("order")).await
    }

    /// Places an order under `key`.
    pub(crate) async fn place_with_key(&self, person: &Person, order: &Value, key: &str) -> Answer {
        self.post("/orders")
            .bearer(&person.token)
            .key(key)
            .json(order)
            .send()
            .await
    }

    /// Returns the payment of an order.
    pub(crate) async fn payment_of(&self, order: &str) -> String {
        let call = self.get(&format!("/orders/{order}/payments"));
        let call = call.bearer(&self.admin().await.token);
        let payments = call.send().await.expect(200).json();
        payments["items"][0]["id"].as_str().unwrap().to_owned()
    }

    /// Returns the request with which the sandbox tells `kind` about the first charge of `order`.
    pub(crate) async fn payment_event(&self, kind: &str, order: &str) -> Call {
        let event = json!({"type": kind, "charge": format!("{order}:1")});
        self.signed_event(&event, "whsec_sandbox").await
    }

    /// Returns the request with which the sandbox sends `event`, signed with `secret` at the shop's time.
    pub(crate) async fn signed_event(&self, event: &Value, secret: &str) -> Call {
        self.event_of("sandbox", event, secret).await
    }

    /// Returns the request with which `provider` sends `event`, signed with `secret` at the shop's time.
    pub(crate) async fn event_of(&self, provider: &str, event: &Value, secret: &str) -> Call {
        let now: jiff::Timestamp = self.now().await.parse().unwrap();
        let seconds = now.as_second();
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let tag = hmac::sign(&key, format!("{seconds}.{event}").as_bytes());
        let hex: String = tag
            .as_ref()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let call = self.post(&format!("/webhooks/payments/{provider}"));
        let call = call.header("stripe-signature", &format!("t={seconds},v1={hex}"));
        call.json(event)
    }

    /// Places an order of one product and returns the order's id.
    pub(crate) async fn order(&self, person: &Person, product: &str, token: &str) -> String {
        let order = order_of(&[(product, 2)], token);
        let placed = self.place(person, &order).await.expect(202).json();
        placed["id"].as_str().unwrap().to_owned()
    }

    /// The order as its customer sees it.
    pub(crate) async fn read(&self, person: &Person, order: &str) -> Value {
        let path = format!("/orders/{order}");
        let answer = self.get(&path).bearer(&person.token).send().await;
        answer.expect(200).json()
    }

    /// Cancels an order.
    pub(crate) async fn cancel(&self, person: &Person, order: &str) -> Answer {
        let path = format!("/orders/{order}/cancel");
        self.post(&path).bearer(&person.token).send().await
    }

    /// The order's only payment, as its customer sees it; null before there is one.
    pub(crate) async fn payment(&self, person: &Person, order: &str) -> Value {
        let path = format!("/orders/{order}/payments");
        let answer = self.get(&path).bearer(&person.token).send().await;
        let payments = answer.expect(200).json();
        let payments = payments["items"].as_array().unwrap();
        assert!(payments.len() <= 1, "one payment per order: {payments:?}");
        payments.first().cloned().unwrap_or_default()
    }

    /// Waits until the order has `status`.
    pub(crate) async fn until_status(&self, person: &Person, order: &str, status: &str) -> Value {
        until(status, async || {
            let order = self.read(person, order).await;
            if order["status"] == status {
                Ok(order)
            } else {
                Err(order.to_string())
            }
        })
        .await
    }

    /// Waits until the order has `status` for its payment.
    pub(crate) async fn until_payment_status(&self, person: &Person, order: &str, status: &str) {
        until(status, async || {
            let order = self.read(person, order).await;
            if order["payment_status"] == status {
                Ok(())
            } else {
                Err(order.to_string())
            }
        })
        .await;
    }

    /// Waits until the order's history is `events`, and returns it.
    pub(crate) async fn until_history(
        &self,
        person: &Person,
        order: &str,
        events: &[&str],
    ) -> Value {
        until("history", async || {
            self.history_is(person, order, events).await
        })
        .await
    }

    /// The order's history, if it is `events` by now.
    pub(crate) async fn history_is(
        &self,
        person: &Person,
        order: &str,
        events: &[&str],
    ) -> Result<Value, String> {
        let path = format!("/orders/{order}/history");
        let history = self.get(&path).bearer(&person.token).send().await;
        let history = history.expect(200).json();
        let items = history["items"].as_array().unwrap();
        let found = items
            .iter()
            .map(|event| event["event_type"].as_str().unwrap());
        if found.eq(events.iter().copied()) {
            Ok(history)
        } else {
            Err(history.to_string())
        }
    }
}
