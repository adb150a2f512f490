//! Fixtures for the tests of orders.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

use super::details::Details;
use super::executions::OrderWorkflow;
use super::gift_cards::preview::Preview;
use super::gift_cards::store::GiftCardStore;
use super::messages::MessageQueue;
use super::model::{Guest, Line, Order};
use super::number::OrderNumber;
use super::rules::{self, Placement};
use super::store::{Created, OrderStore};
use crate::aws::Aws;
use crate::catalog::content::ContentChange;
use crate::catalog::model::Status;
use crate::catalog::rules::{Draft, Sold, create};
use crate::catalog::store::ProductStore;
use crate::catalog::variants::VariantChange;
use crate::customers::model::{Account, Customer, Role};
use crate::customers::password;
use crate::customers::store::CustomerStore;
use crate::http::exchange::{Caller, Identity, IfMatch, Request, Response};
use crate::inventory::rules::{Adjustment, set_level};
use crate::inventory::store::InventoryStore;
use crate::pricing::breakdown::Breakdown;
use crate::runtime::{Step, StepFailure};
use crate::testing::{self, Engine};
use crate::values::address::Address;
use crate::values::clock::Time;
use crate::values::event::Stamp;
use crate::values::id::{CustomerId, OrderId, ProductId};
use crate::values::money::Money;

/// The time at which the tests' orders are placed.
pub(crate) fn placed_at() -> Time {
    "2026-03-01T09:30:00Z".parse().unwrap()
}

/// The time so many seconds after [`placed_at`].
pub(super) fn after(seconds: u64) -> Time {
    placed_at().plus(Duration::from_secs(seconds))
}

pub(super) fn eur(amount: &str) -> Money {
    Money::parse(amount, "EUR".parse().unwrap()).unwrap()
}

pub(super) fn customer(name: &str) -> CustomerId {
    CustomerId::derived(&[name])
}

pub(crate) fn product(name: &str) -> ProductId {
    ProductId::derived(&[name])
}

pub(super) fn address() -> Address {
    Address {
        recipient: "Ana Müller".to_owned(),
        company: None,
        line1: "Lindenstraße 12".to_owned(),
        line2: None,
        city: "Wien".to_owned(),
        region: None,
        postal_code: Some("1070".to_owned()),
        country: "AT".to_owned(),
        phone: Some("+43 1 234567".to_owned()),
        tax_number: None,
    }
}

/// What a new product is that is sold for `euros`.
pub(crate) fn sold_at(euros: &str) -> Sold {
    Sold::One(VariantChange {
        price: Some(eur(euros)),
        ..VariantChange::default()
    })
}

pub(crate) fn lines(count: usize) -> Vec<Line> {
    let line = |number| Line {
        product_id: product(&format!("product {number}")),
        variant_id: product(&format!("product {number}")).into(),
        sku: None,
        name: format!("Sencha, 100 g, No. {number}"),
        quantity: 2,
        unit_price: eur("12.90"),
        price_list: None,
    };
    (0..count).map(line).collect()
}

/// A new order of `lines` by `name`.
pub(crate) fn order_of(name: &str, lines: Vec<Line>, now: Time) -> Order {
    let total = super::lines::total("EUR".parse().unwrap(), &lines).unwrap();
    let id = OrderId::derived(&[name, &now.to_string()]);
    rules::place(Placement {
        id,
        number: OrderNumber::derived(id, 0),
        customer_id: customer(name),
        guest: None,
        breakdown: Breakdown::plain(&lines),
        uses: Vec::new(),
        lines,
        total,
        shipping_address: address(),
        details: Details::default(),
        is_shipped: true,
        gift_cards: Vec::new(),
        payment_token: Some("tok_ok".to_owned()),
        request_hash: "0".repeat(64),
        now,
        deadline: Duration::from_mins(15),
        traceparent: None,
    })
}

/// A new order of two lines.
pub(super) fn order() -> Order {
    order_of("ana", lines(2), placed_at())
}

/// The orders service of a shop, and its requests to other services.
#[derive(Clone)]
pub(super) struct Shop {
    pub(super) aws: Aws,
    pub(super) engine: Engine,
    pub(super) orders: OrderStore,
    pub(super) gift_cards: GiftCardStore,
    pub(super) workflow: OrderWorkflow,
    pub(super) messages: MessageQueue,
    started: Arc<Mutex<Vec<String>>>,
    queued: Arc<Mutex<Vec<Value>>>,
}

impl Shop {
    pub(super) fn open() -> Self {
        let (aws, engine) = testing::aws();
        let started: Arc<Mutex<Vec<String>>> = Arc::default();
        let queued: Arc<Mutex<Vec<Value>>> = Arc::default();
        let names = started.clone();
        engine.answer_others("StartExecution", move |request| {
            let name = request["name"].as_str().unwrap().to_owned();
            let input: Value = serde_json::from_str(request["input"].as_str().unwrap()).unwrap();
            assert!(name.starts_with(input["order_id"].as_str().unwrap()));
            let mut names = names.lock().unwrap();
            let exists = names.contains(&name);
            names.push(name);
            if exists {
                (400, json!({"__type": "ExecutionAlreadyExists"}))
            } else {
                (200, json!({"executionArn": "arn:test", "startDate": 0}))
            }
        });
        let messages = queued.clone();
        engine.answer_others("SendMessage", move |request| {
            let body = request["MessageBody"].as_str().unwrap();
            messages
                .lock()
                .unwrap()
                .push(serde_json::from_str(body).unwrap());
            (200, json!({"MessageId": "m"}))
        });
        Self {
            orders: OrderStore::new(&aws).unwrap(),
            gift_cards: GiftCardStore::new(&aws).unwrap(),
            workflow: OrderWorkflow::new(&aws).unwrap(),
            messages: MessageQueue::new(&aws).unwrap(),
            aws,
            engine,
            started,
            queued,
        }
    }

    /// A shop that signs links and sells Sencha at 12.90 EUR, of which it has plenty.
    pub(super) async fn selling_sencha() -> Self {
        let shop = Shop::open();
        shop.sign_links();
        let draft = Draft {
            name: "Sencha".to_owned(),
            description: String::new(),
            category: "tea".parse().unwrap(),
            shipped: true,
            attributes: BTreeMap::new(),
            status: Status::Active,
            sold: sold_at("12.90"),
            content: ContentChange::default(),
        };
        let sencha = create(product("sencha"), draft, None, placed_at()).unwrap();
        let products = ProductStore::new(&shop.aws).unwrap();
        products.create(sencha).await.unwrap();
        shop.stocked("sencha", 10_000).await;
        shop
    }

    /// Gives the shop the key with which it signs links and quotes.
    pub(super) fn sign_links(&self) {
        let secret = json!({"kid": "1", "key": "a text of the tests that is long enough"});
        let secret = secret.to_string();
        self.engine.answer_others("GetSecretValue", move |_| {
            (200, json!({"SecretString": secret}))
        });
    }

    /// Returns what quotes look gift cards up with.
    pub(super) fn preview(&self) -> Preview {
        Preview::new(&self.aws).unwrap()
    }

    /// Sets how many of the product `name` are on hand.
    pub(super) async fn stocked(&self, name: &str, on_hand: u64) {
        let inventory = InventoryStore::new(&self.aws).unwrap();
        let id = product(name).into();
        let stocks = inventory.stocks(id).await.unwrap();
        let any = IfMatch::Any;
        match set_level(id, &stocks, on_hand.into(), &any, placed_at()).unwrap() {
            Adjustment::Unchanged => {}
            Adjustment::Create(stock) => drop(inventory.create_stock(&stock).await.unwrap()),
            Adjustment::Update(stock) => drop(inventory.update_stock(&stock, None).await.unwrap()),
        }
    }

    /// A shop in which `order` is placed.
    pub(super) async fn with(order: &Order) -> Self {
        let shop = Self::open();
        shop.store(order).await;
        shop
    }

    /// Lets `job` run before the next header is written.
    pub(super) fn meanwhile(&self, job: impl AsyncFnOnce(Self) + Send + 'static) {
        let shop = self.clone();
        self.engine
            .before_next("PutItem", async move || job(shop).await);
    }

    pub(super) async fn store(&self, order: &Order) {
        assert_eq!(self.orders.create(order).await.unwrap(), Created::Done);
    }

    pub(super) async fn stored(&self, order: &Order) -> Order {
        self.orders.get(order.id).await.unwrap().unwrap()
    }

    /// Makes every start of a run fail.
    pub(super) fn refuse_starts(&self) {
        self.engine.answer_others("StartExecution", |_| {
            (400, json!({"__type": "InvalidName"}))
        });
    }

    /// Counts the calls that start a run from now on, which all succeed.
    pub(super) fn count_starts(&self) -> impl Fn() -> usize {
        let count: Arc<Mutex<usize>> = Arc::default();
        let counter = count.clone();
        self.engine.answer_others("StartExecution", move |_| {
            *counter.lock().unwrap() += 1;
            (200, json!({"executionArn": "arn:test", "startDate": 0}))
        });
        move || *count.lock().unwrap()
    }

    /// Returns the runs started since the last call, without the order's identifier.
    pub(super) fn started(&self, order: &Order) -> Vec<String> {
        let names = std::mem::take(&mut *self.started.lock().unwrap());
        let id = format!("{}-", order.id);
        names.iter().map(|name| name.replace(&id, "")).collect()
    }

    /// Returns the messages queued since the last call.
    pub(super) fn queued(&self) -> Vec<Value> {
        std::mem::take(&mut *self.queued.lock().unwrap())
    }
}

/// Stores the account of Ana, `Ana@Example.com`.
pub(super) async fn account(shop: &Shop, confirmed: bool, disabled: bool) -> CustomerStore {
    let customers = CustomerStore::new(&shop.aws).unwrap();
    let id = customer("ana");
    let account = Account {
        customer: Customer {
            id,
            email: "Ana@Example.com".parse().unwrap(),
            name: "Ana".to_owned(),
            locale: "en".parse().unwrap(),
            phone: None,
            email_confirmed_at: confirmed.then_some(placed_at()),
            disabled,
            roles: vec![Role::Customer],
            group: None,
            version: 2,
            created_at: placed_at(),
            updated_at: placed_at(),
        },
        password_hash: password::hash("correct horse").unwrap(),
        password_version: 0,
        email_change: None,
        request_hash: None,
    };
    let stamp = Stamp::new(id, 2, "EmailConfirmed", placed_at());
    customers.create(account, stamp).await.unwrap();
    customers
}

/// A new order of a guest with the address `email`.
pub(super) fn guests_order(email: &str) -> Order {
    Order {
        guest: Some(Guest {
            email: email.parse().unwrap(),
            locale: "en".parse().unwrap(),
        }),
        ..order_of(email, lines(1), placed_at())
    }
}

/// A step of the workflow of `order` at `now`.
pub(super) fn step(order: &Order, now: Time) -> Step {
    Step {
        order_id: order.id,
        now,
        error: None,
        payment_status: None,
    }
}

/// A step that `error` led to.
pub(super) fn step_after(error: &str, order: &Order, now: Time) -> Step {
    let cause = json!({"errorType": error, "errorMessage": "the reason", "trace": []});
    Step {
        error: Some(StepFailure {
            error: error.to_owned(),
            cause: cause.to_string(),
        }),
        ..step(order, now)
    }
}

/// A request of the customer `name`; `admin` is one.
pub(super) fn request(name: &str, now: Time) -> Request {
    Request {
        now,
        request_id: "MJy3ZgkZFiAEJ8Q=".to_owned(),
        path: "/orders".to_owned(),
        source_ip: "192.0.2.1".to_owned(),
        headers: HeaderMap::new(),
        body: Vec::new(),
        path_parameters: HashMap::new(),
        query: Vec::new(),
        identity: Some(Identity {
            caller: Caller {
                customer_id: customer(name),
                admin: name == "admin",
                group: None,
                locale: None,
            },
            expires_at_seconds: now.as_seconds() + 60,
        }),
    }
}

/// A request about `order`.
pub(super) fn request_about(order: &Order, name: &str, now: Time) -> Request {
    let mut request = request(name, now);
    let id = order.id.to_string();
    request.path_parameters.insert("order_id".to_owned(), id);
    request
}

pub(super) fn with_header(mut request: Request, name: &'static str, value: &str) -> Request {
    let value = HeaderValue::from_str(value).unwrap();
    request.headers.insert(HeaderName::from_static(name), value);
    request
}

pub(super) fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    let found = response.headers.iter().find(|(given, _)| *given == name);
    found.map(|(_, value)| value.as_str())
}

pub(super) fn json_of(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap()
}
