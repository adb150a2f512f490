//! Messages are sent once, whatever is repeated, crashes or is refused. SES is another system, so a stand-in takes
//! its place; the database is the embedded one.

use std::collections::VecDeque;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::Notify;

use super::mail::{Mail, MailError, MailSender, SesSender};
use super::model::{About, MessageRequest, NotificationError, Status, Template};
use super::send::{Messenger, send_messages};
use super::store::MessageStore;
use crate::aws::settings::Setting;
use crate::customers::model::{Customer, Email, PasswordHash};
use crate::customers::password;
use crate::customers::rules::{Registration, register};
use crate::customers::store::CustomerStore;
use crate::orders::details::Details;
use crate::orders::model::{Failure, FailureCode, Line, Order};
use crate::orders::number::OrderNumber;
use crate::orders::rules::{self as order_rules, Placement};
use crate::orders::store::OrderStore;
use crate::pricing::breakdown::Breakdown;
use crate::runtime::Message;
use crate::testing::{self, Engine, Fault};
use crate::values::address::Address;
use crate::values::clock::Time;
use crate::values::event::{DomainEvent, Stamp};
use crate::values::id::{CustomerId, OrderId, ProductId};
use crate::values::money::Money;

mod endings;
mod sending;
mod ses;
mod strangers;

/// What the stand-in for SES does with one mail instead of accepting it.
#[derive(Clone, Copy, Debug)]
enum Ending {
    Refused,
    LostBefore,
    LostAfter,
    /// The function ends before, or after, SES accepts the mail.
    CrashBefore,
    CrashAfter,
}

/// The stand-in for SES, which records what is sent.
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

/// Made once, because hashing takes long.
static HASH: LazyLock<PasswordHash> = LazyLock::new(|| password::hash("correct horse").unwrap());

pub(super) fn customer(locale: &str) -> Customer {
    let id = CustomerId::derived(&["ana"]);
    let registration = Registration {
        email: "Ana@example.com".parse().unwrap(),
        password: "correct horse".to_owned(),
        name: "Ana <Li>".to_owned(),
        locale: locale.parse().unwrap(),
    };
    let hash = HASH.clone();
    let customer = register(&registration, id, hash, None, now()).0.customer;
    Customer {
        email_confirmed_at: Some(now()),
        ..customer
    }
}

fn eur(amount: &str) -> Money {
    Money::parse(amount, "EUR".parse().unwrap()).unwrap()
}

pub(super) fn pending() -> Order {
    let line = |name: &str, quantity, price| Line {
        product_id: ProductId::derived(&[name]),
        variant_id: ProductId::derived(&[name]).into(),
        sku: None,
        name: name.to_owned(),
        quantity,
        unit_price: eur(price),
        price_list: None,
    };
    let lines = vec![line("Tea & {{total}}", 2, "9.99"), line("Cup", 1, "5.02")];
    let id = OrderId::derived(&["order"]);
    order_rules::place(Placement {
        id,
        number: OrderNumber::derived(id, 0),
        customer_id: CustomerId::derived(&["ana"]),
        guest: None,
        breakdown: Breakdown::plain(&lines),
        uses: Vec::new(),
        lines,
        total: eur("25.00"),
        is_shipped: true,
        shipping_address: Address {
            recipient: "Ana Li".to_owned(),
            company: None,
            line1: "Hauptstraße 1".to_owned(),
            line2: None,
            city: "Wien".to_owned(),
            region: None,
            postal_code: Some("1010".to_owned()),
            country: "AT".to_owned(),
            phone: None,
            tax_number: None,
        },
        details: Details::default(),
        gift_cards: Vec::new(),
        payment_token: Some("tok_ok".to_owned()),
        request_hash: "hash".to_owned(),
        now: now(),
        deadline: Duration::from_mins(15),
        traceparent: None,
    })
}

pub(super) fn confirmed() -> Order {
    order_rules::confirm(
        pending(),
        crate::orders::model::PaymentStatus::Completed,
        now(),
    )
    .unwrap()
    .unwrap()
}

pub(super) fn failed() -> Order {
    let failure = Failure::new(FailureCode::OutOfStock, "of 2 Tea none is left");
    order_rules::fail(pending(), failure, now())
        .unwrap()
        .unwrap()
}

async fn shop(order: &Order, locale: &str) -> Shop {
    shop_of(order, customer(locale)).await
}

async fn shop_of(order: &Order, customer: Customer) -> Shop {
    let (aws, engine) = testing::aws();
    let post = Post::default();
    let shop = Shop {
        orders: OrderStore::new(&aws).unwrap(),
        messages: MessageStore::new(&aws).unwrap(),
        messenger: Messenger::new(&aws, post.clone())
            .unwrap()
            .polling_every(Duration::from_millis(1)),
        engine,
        post,
    };
    let stamp = Stamp::new(customer.id, 1, "CustomerRegistered", now());
    let account = crate::customers::model::Account {
        customer,
        password_hash: HASH.clone(),
        password_version: 0,
        email_change: None,
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

/// Returns the event `event_type` of the order, as a rule delivers it.
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

    /// Delivers `message` to a function that dies while it sends.
    async fn deliver_and_die(&self, message: Message) {
        tokio::select! {
            ended = self.deliver(message) => panic!("it should have died: {ended:?}"),
            () = self.post.crashed.notified() => {}
        }
    }

    fn sent(&self) -> usize {
        self.post.sent.lock().unwrap().len()
    }

    async fn status(&self) -> Option<Status> {
        let request = MessageRequest {
            template: Template::OrderConfirmed,
            about: About::Order(OrderId::derived(&["order"])),
        };
        let stored = self.messages.get(request.message_id()).await.unwrap();
        stored.map(|message| message.status)
    }
}
