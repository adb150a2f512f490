//! Sending once, whatever repeats, crashes or refuses. SES is another system: the tests stand in for
//! it; the database is the embedded one.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::Notify;

use super::mail::{Mail, MailError, MailSender, SesSender};
use super::model::{NotificationError, Status, Template, Wanted};
use super::send::{Messenger, send_messages};
use super::store::MessageStore;
use crate::clock::Time;
use crate::customers::rules::{Registration, register};
use crate::customers::{Customer, CustomerStore, Email, password};
use crate::events::{DomainEvent, Stamp};
use crate::id::{CustomerId, OrderId, ProductId};
use crate::lambda::Message;
use crate::money::Money;
use crate::orders::rules::{self as order_rules, Placement};
use crate::orders::{Address, Failure, FailureCode, Line, Order, OrderStore};
use crate::settings::Setting;
use crate::testing::{self, Engine, Fault};

/// What the stand-in for SES does with one message instead of taking it.
#[derive(Clone, Copy, Debug)]
enum Ending {
    Refused,
    LostBefore,
    LostAfter,
    /// The function ends before, or after, the message is taken.
    CrashBefore,
    CrashAfter,
}

/// Notes what is sent.
#[derive(Clone, Debug, Default)]
struct Post {
    sent: Arc<Mutex<Vec<(String, Mail)>>>,
    endings: Arc<Mutex<VecDeque<Ending>>>,
    crashed: Arc<Notify>,
}

impl Post {
    fn take(&self, to: &Email, mail: &Mail) {
        let mut sent = self.sent.lock().unwrap();
        sent.push((to.as_str().to_owned(), mail.clone()));
    }
}

impl MailSender for Post {
    async fn send(&self, to: &Email, mail: &Mail) -> Result<(), MailError> {
        let ending = self.endings.lock().unwrap().pop_front();
        match ending {
            None => self.take(to, mail),
            Some(Ending::Refused) => return Err(MailError::Refused("Throttled".to_owned())),
            Some(Ending::LostBefore) => return Err(MailError::Unknown("timeout".to_owned())),
            Some(Ending::LostAfter) => {
                self.take(to, mail);
                return Err(MailError::Unknown("timeout".to_owned()));
            }
            Some(Ending::CrashBefore) => {
                self.crashed.notify_one();
                std::future::pending::<()>().await;
            }
            Some(Ending::CrashAfter) => {
                self.take(to, mail);
                self.crashed.notify_one();
                std::future::pending::<()>().await;
            }
        }
        Ok(())
    }
}

struct Shop {
    engine: Engine,
    orders: OrderStore,
    messages: MessageStore,
    messenger: Messenger<Post>,
    post: Post,
}

fn now() -> Time {
    "2026-03-01T09:30:00Z".parse().unwrap()
}

pub(super) fn customer(locale: &str) -> Customer {
    let id = CustomerId::derived(&["ana"]);
    let registration = Registration {
        email: "Ana@example.com".parse().unwrap(),
        password: "correct horse".to_owned(),
        name: "Ana <Li>".to_owned(),
        locale: locale.parse().unwrap(),
    };
    let hash = password::hash(&registration.password).unwrap();
    register(&registration, id, hash, None, now()).0.customer
}

fn eur(amount: &str) -> Money {
    Money::parse(amount, "EUR".parse().unwrap()).unwrap()
}

pub(super) fn pending() -> Order {
    let line = |name: &str, quantity, price| Line {
        product_id: ProductId::derived(&[name]),
        name: name.to_owned(),
        quantity,
        unit_price: eur(price),
    };
    order_rules::place(Placement {
        id: OrderId::derived(&["order"]),
        customer_id: CustomerId::derived(&["ana"]),
        lines: vec![line("Tea & {{total}}", 2, "9.99"), line("Cup", 1, "5.02")],
        total: eur("25.00"),
        shipping_address: Address {
            recipient: "Ana Li".to_owned(),
            line1: "Hauptstraße 1".to_owned(),
            line2: None,
            city: "Wien".to_owned(),
            region: None,
            postal_code: "1010".to_owned(),
            country: "AT".to_owned(),
            phone: None,
        },
        payment_token: "tok_ok".to_owned(),
        request_hash: "hash".to_owned(),
        now: now(),
        deadline: Duration::from_mins(15),
        traceparent: None,
    })
}

pub(super) fn confirmed() -> Order {
    order_rules::confirm(pending(), now()).unwrap().unwrap()
}

pub(super) fn failed() -> Order {
    let failure = Failure::new(FailureCode::OutOfStock, "of 2 Tea none is left");
    order_rules::fail(pending(), failure, now())
        .unwrap()
        .unwrap()
}

async fn shop(order: &Order, locale: &str) -> Shop {
    let (aws, engine) = testing::aws();
    let post = Post::default();
    let shop = Shop {
        orders: OrderStore::new(&aws).unwrap(),
        messages: MessageStore::new(&aws).unwrap(),
        messenger: Messenger::new(&aws, post.clone())
            .unwrap()
            .looking_every(Duration::from_millis(1)),
        engine,
        post,
    };
    let customer = customer(locale);
    let hash = password::hash("correct horse").unwrap();
    let stamp = Stamp::new(customer.id, 1, "CustomerRegistered", now());
    let account = crate::customers::Account {
        customer,
        password_hash: hash,
        request_hash: None,
    };
    let customers = CustomerStore::new(&aws).unwrap();
    customers.create(account, stamp).await.unwrap();
    shop.orders.create(order).await.unwrap();
    shop
}

fn delivery(id: &str, receive_count: u32) -> Message {
    let order_id = OrderId::derived(&["order"]);
    Message {
        id: id.to_owned(),
        body: json!({"template": "order_confirmed", "order_id": order_id}).to_string(),
        sent_at: now(),
        receive_count,
    }
}

/// The event `event_type` of the order, as a rule brings it.
fn event(event_type: &str) -> Message {
    let order_id = OrderId::derived(&["order"]);
    let event = DomainEvent::new(
        order_id,
        Stamp::new(order_id, 2, event_type, now()),
        json!({"customer_id": CustomerId::derived(&["ana"])}),
    );
    let body = json!({
        "version": "0",
        "id": "1",
        "detail-type": event_type,
        "source": "oxcart.orders",
        "time": "2026-03-01T09:30:00Z",
        "detail": event,
    });
    Message {
        id: "event".to_owned(),
        body: body.to_string(),
        sent_at: now(),
        receive_count: 1,
    }
}

impl Shop {
    fn ends(&self, endings: impl IntoIterator<Item = Ending>) {
        self.post.endings.lock().unwrap().extend(endings);
    }

    async fn deliver(&self, message: Message) -> Result<(), NotificationError> {
        send_messages(&self.messenger, message).await
    }

    /// Delivers `message` to a function that ends in the middle.
    async fn deliver_to_the_dying(&self, message: Message) {
        tokio::select! {
            ended = self.deliver(message) => panic!("it should have died: {ended:?}"),
            () = self.post.crashed.notified() => {}
        }
    }

    fn sent(&self) -> usize {
        self.post.sent.lock().unwrap().len()
    }

    async fn status(&self) -> Option<Status> {
        let wanted = Wanted {
            template: Template::OrderConfirmed,
            order_id: OrderId::derived(&["order"]),
        };
        let stored = self.messages.get(wanted.message_id()).await.unwrap();
        stored.map(|message| message.status)
    }
}

#[tokio::test]
async fn a_confirmed_order_is_told_to_its_customer() {
    let shop = shop(&confirmed(), "en").await;
    shop.deliver(delivery("1", 1)).await.unwrap();
    let sent = shop.post.sent.lock().unwrap().clone();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].0, "Ana@example.com");
    assert_eq!(shop.status().await, Some(Status::Sent));
}

#[tokio::test]
async fn failed_and_cancelled_orders_are_told_by_their_events() {
    let cancelled = order_rules::cancel(pending(), now(), None)
        .unwrap()
        .unwrap();
    for (order, event_type, subject) in [
        (failed(), "OrderFailed", "could not be completed"),
        (cancelled, "OrderCancelled", "is cancelled"),
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
async fn what_is_asked_for_twice_is_sent_once() {
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

#[test]
fn what_is_asked_for_eight_times_at_once_is_sent_once() {
    let shop = testing::at_once([async || shop(&confirmed(), "en").await]).remove(0);
    let jobs = (0..8).map(|n| {
        let messenger = shop.messenger.clone();
        async move || send_messages(&messenger, delivery(&n.to_string(), 1)).await
    });
    let ended = testing::at_once(jobs);
    // Whoever finds the message being sent may also come again; nobody sends it a second time.
    let well = |ended: &Result<(), _>| matches!(ended, Ok(()) | Err(NotificationError::Elsewhere));
    assert!(ended.iter().all(well), "{ended:?}");
    assert_eq!(shop.sent(), 1);
}

#[tokio::test]
async fn what_ses_refuses_is_sent_by_the_next_delivery_whichever_it_is() {
    for next in [delivery("1", 2), delivery("2", 1)] {
        let shop = shop(&confirmed(), "en").await;
        shop.ends([Ending::Refused]);
        let ended = shop.deliver(delivery("1", 1)).await;
        assert!(matches!(ended, Err(NotificationError::Refused(_))));
        assert_eq!(shop.status().await, Some(Status::Failed));
        shop.deliver(next).await.unwrap();
        assert_eq!((shop.sent(), shop.status().await), (1, Some(Status::Sent)));
    }
}

#[tokio::test]
async fn an_attempt_whose_end_is_unknown_is_made_again_by_its_own_delivery() {
    for (ending, sent) in [(Ending::LostBefore, 1), (Ending::LostAfter, 2)] {
        let shop = shop(&confirmed(), "en").await;
        shop.ends([ending]);
        let ended = shop.deliver(delivery("1", 1)).await;
        assert!(matches!(ended, Err(NotificationError::Unknown(_))));
        assert_eq!(shop.status().await, Some(Status::Sending));
        shop.deliver(delivery("1", 2)).await.unwrap();
        // Rather twice than not at all.
        assert_eq!(
            (shop.sent(), shop.status().await),
            (sent, Some(Status::Sent))
        );
    }
}

#[tokio::test]
async fn a_function_that_dies_while_sending_loses_no_message() {
    for (ending, sent) in [(Ending::CrashBefore, 1), (Ending::CrashAfter, 2)] {
        let shop = shop(&confirmed(), "en").await;
        shop.ends([ending]);
        shop.deliver_to_the_dying(delivery("1", 1)).await;
        assert_eq!(shop.status().await, Some(Status::Sending), "{ending:?}");
        shop.deliver(delivery("1", 2)).await.unwrap();
        assert_eq!(shop.sent(), sent, "{ending:?}");
        assert_eq!(shop.status().await, Some(Status::Sent), "{ending:?}");
    }
}

#[tokio::test]
async fn another_delivery_takes_over_only_when_it_has_come_again() {
    let shop = shop(&confirmed(), "en").await;
    shop.ends([Ending::CrashBefore]);
    shop.deliver_to_the_dying(delivery("1", 1)).await;
    // The queue may hand out a message twice: the same count is no sign that the first is gone.
    for early in [delivery("2", 1), delivery("1", 1)] {
        let ended = shop.deliver(early).await;
        assert!(
            matches!(ended, Err(NotificationError::Elsewhere)),
            "{ended:?}"
        );
        assert_eq!(shop.sent(), 0);
    }
    shop.deliver(delivery("2", 2)).await.unwrap();
    assert_eq!((shop.sent(), shop.status().await), (1, Some(Status::Sent)));
}

#[tokio::test]
async fn a_late_refusal_does_not_undo_what_another_attempt_sent() {
    let shop = shop(&confirmed(), "en").await;
    shop.ends([Ending::CrashBefore]);
    shop.deliver_to_the_dying(delivery("1", 1)).await;
    let wanted = Wanted {
        template: Template::OrderConfirmed,
        order_id: OrderId::derived(&["order"]),
    };
    let first = shop
        .messages
        .get(wanted.message_id())
        .await
        .unwrap()
        .unwrap();
    shop.deliver(delivery("1", 2)).await.unwrap();
    shop.messages.end(&first, Status::Failed).await.unwrap();
    assert_eq!(shop.status().await, Some(Status::Sent));
}

#[tokio::test]
async fn what_is_sent_but_cannot_be_stored_as_sent_is_not_asked_for_again() {
    let shop = shop(&confirmed(), "en").await;
    // As often as the SDK tries.
    for _ in 0..3 {
        shop.engine.fail_next("UpdateItem", Fault::Failed);
    }
    shop.deliver(delivery("1", 1)).await.unwrap();
    assert_eq!(
        (shop.sent(), shop.status().await),
        (1, Some(Status::Sending))
    );
}

#[tokio::test]
async fn a_lost_answer_of_the_database_sends_nothing_twice() {
    for operation in ["PutItem", "UpdateItem"] {
        let shop = shop(&confirmed(), "en").await;
        shop.engine.fail_next(operation, Fault::LostAnswer);
        // The claim's lost answer looks like another delivery's claim, until this one comes again.
        for receive_count in 1..=2 {
            let _ = shop.deliver(delivery("1", receive_count)).await;
        }
        assert_eq!(
            (shop.sent(), shop.status().await),
            (1, Some(Status::Sent)),
            "{operation}"
        );
    }
}

#[tokio::test]
async fn nobody_is_told_what_is_no_longer_so() {
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
async fn a_delivery_that_asks_for_no_message_is_an_error_and_leaves_no_trace() {
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
async fn without_order_or_customer_the_delivery_comes_again() {
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
async fn what_is_remembered_of_a_message_holds_nothing_personal() {
    let shop = shop(&confirmed(), "en").await;
    shop.deliver(delivery("1", 1)).await.unwrap();
    let stored = Value::from(shop.engine.items(Setting::MessagesTable)).to_string();
    for personal in ["Ana", "example.com", "Wien", "Tea"] {
        assert!(!stored.contains(personal), "{stored}");
    }
}

#[tokio::test]
async fn ses_is_asked_for_one_message_with_both_forms() {
    let (aws, engine) = testing::aws();
    let asked = Arc::new(Mutex::new(Value::Null));
    let noted = Arc::clone(&asked);
    // SES names no operation in a header: its calls are told apart by their path.
    engine.answer_others("", move |request| {
        *noted.lock().unwrap() = request;
        (200, json!({"MessageId": "1"}))
    });
    let mail = Mail {
        subject: "Größe".to_owned(),
        text: "text".to_owned(),
        html: "<p>html</p>".to_owned(),
    };
    let to: Email = "ana@example.com".parse().unwrap();
    SesSender::new(&aws)
        .unwrap()
        .send(&to, &mail)
        .await
        .unwrap();
    let part = |text: &str| json!({"Charset": "UTF-8", "Data": text});
    let expected = json!({
        "FromEmailAddress": Setting::MailFrom.name(),
        "Destination": {"ToAddresses": ["ana@example.com"]},
        "Content": {"Simple": {
            "Subject": part("Größe"),
            "Body": {"Text": part("text"), "Html": part("<p>html</p>")},
        }},
    });
    assert_eq!(*asked.lock().unwrap(), expected);
}

#[tokio::test]
async fn only_what_ses_refuses_by_name_is_certainly_not_sent() {
    let (aws, engine) = testing::aws();
    let mail = Mail {
        subject: "s".to_owned(),
        text: "t".to_owned(),
        html: "h".to_owned(),
    };
    let to: Email = "ana@example.com".parse().unwrap();
    let sender = SesSender::new(&aws).unwrap();
    for (status, code, refused) in [
        (400, "MessageRejected", true),
        (400, "MailFromDomainNotVerifiedException", true),
        (429, "TooManyRequestsException", true),
        (500, "InternalServiceErrorException", false),
        (503, "", false),
    ] {
        engine.answer_others("", move |_| {
            let text = "Email address is not verified: ana@example.com";
            (status, json!({"__type": code, "message": text}))
        });
        let error = sender.send(&to, &mail).await.unwrap_err();
        assert_eq!(
            matches!(error, MailError::Refused(_)),
            refused,
            "{code}: {error:?}"
        );
        assert!(!format!("{error}{error:?}").contains("ana@"), "{error:?}");
    }
}
