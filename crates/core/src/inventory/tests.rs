//! Tests of stock, reservations and the workflow's steps on an embedded DynamoDB.

mod imports;
mod laws;
mod messages;
mod routes;
mod steps;

use serde_json::{Value, json};

use super::model::ReservationStatus;
use super::store::InventoryStore;
use super::{api, rules};
use crate::aws::dynamo::Written;
use crate::aws::settings::Setting;
use crate::http::exchange::{Request, Response};
use crate::http::problem::Problem;
use crate::orders::details::Details;
use crate::orders::model::{Line, Order, PaymentStatus, Status};
use crate::orders::store::OrderStore;
use crate::pricing::breakdown::Breakdown;
use crate::runtime::Step;
use crate::testing::{self, Engine};
use crate::values::address::Address;
use crate::values::clock::Time;
use crate::values::event::Stamp;
use crate::values::id::{CustomerId, OrderId, VariantId};
use crate::values::money::Money;

#[derive(Clone)]
struct Shop {
    inventory: InventoryStore,
    orders: OrderStore,
    engine: Engine,
}

fn shop() -> Shop {
    let (aws, engine) = testing::aws();
    Shop {
        inventory: InventoryStore::new(&aws).unwrap(),
        orders: OrderStore::new(&aws).unwrap(),
        engine,
    }
}

/// Returns the time of minute `number`. Orders are placed in minute 0, and their deadline is in minute 15.
fn minute(number: i64) -> Time {
    Time::from_millis(1_750_000_000_000 + number * 60_000)
}

fn product(name: &str) -> VariantId {
    VariantId::derived(&[name])
}

fn order_id(number: u32) -> OrderId {
    OrderId::derived(&["order", &number.to_string()])
}

fn step(number: u32, now: Time) -> Step {
    let step = json!({"order_id": order_id(number), "now": now});
    serde_json::from_value(step).unwrap()
}

fn order(number: u32, lines: &[(&str, u32)]) -> Order {
    let id = order_id(number);
    let price = Money::parse("1.00", "EUR".parse().unwrap()).unwrap();
    let lines = lines.iter().map(|(name, quantity)| Line {
        product_id: product(name).as_product(),
        variant_id: product(name),
        sku: None,
        name: (*name).to_owned(),
        quantity: *quantity,
        unit_price: price,
        price_list: None,
    });
    let lines: Vec<Line> = lines.collect();
    Order {
        id,
        number: None,
        customer_id: CustomerId::derived(&["customer"]),
        guest: None,
        status: Status::Pending,
        payment_status: PaymentStatus::Pending,
        payment_version: 0,
        breakdown: Breakdown::plain(&lines),
        uses: Vec::new(),
        lines,
        total: price,
        is_shipped: true,
        shipping_address: Address {
            recipient: "Ada".to_owned(),
            company: None,
            line1: "1 Main Street".to_owned(),
            line2: None,
            city: "Graz".to_owned(),
            region: None,
            postal_code: Some("8010".to_owned()),
            country: "AT".to_owned(),
            phone: None,
            tax_number: None,
        },
        gift_cards: Vec::new(),
        details: Details::default(),
        erase_at: None,
        failure: None,
        review: None,
        version: 1,
        created_at: minute(0),
        updated_at: minute(0),
        deadline_at: minute(15),
        payment_token: None,
        cancelled_from: None,
        due_at: Some(minute(1)),
        due_attempts: 0,
        run: 0,
        request_hash: "hash".to_owned(),
        revision: 1,
        event: Stamp::new(id, 1, "OrderCreated", minute(0)),
    }
}

impl Shop {
    /// Lets `job` run before the next call of `operation`.
    fn meanwhile(&self, operation: &str, job: impl AsyncFnOnce(Self) + Send + 'static) {
        let shop = self.clone();
        self.engine
            .before_next(operation, async move || job(shop).await);
    }

    async fn stocked(&self, name: &str, on_hand: u64) {
        let stock = rules::first_stock(product(name), on_hand.into(), minute(0));
        assert_eq!(
            self.inventory.create_stock(&stock).await.unwrap(),
            Written::Done
        );
    }

    async fn placed(&self, number: u32, lines: &[(&str, u32)]) {
        let written = self.orders.create(&order(number, lines)).await.unwrap();
        assert_eq!(written, crate::orders::store::Created::Done);
    }

    /// Gives the order `status`.
    async fn set_status(&self, number: u32, status: Status) {
        let order = self.orders.get(order_id(number)).await.unwrap().unwrap();
        let order = Order { status, ..order };
        assert!(self.orders.replace(order, &[]).await.unwrap().is_some());
    }

    /// Runs `reserve-inventory`. Returns the name of its error, or `done`.
    async fn reserve(&self, number: u32) -> &'static str {
        self.reserve_at(number, minute(1)).await
    }

    async fn reserve_at(&self, number: u32, now: Time) -> &'static str {
        let step = step(number, now);
        super::steps::reserve_inventory(&self.inventory, &self.orders, step)
            .await
            .map_or_else(|error| error.name, |()| "done")
    }

    async fn commit(&self, number: u32) -> &'static str {
        super::steps::commit_inventory(&self.inventory, &self.orders, step(number, minute(2)))
            .await
            .map_or_else(|error| error.name, |()| "done")
    }

    async fn release(&self, number: u32) -> &'static str {
        super::steps::release_inventory(&self.inventory, &self.orders, step(number, minute(3)))
            .await
            .map_or_else(|error| error.name, |()| "done")
    }

    /// Returns how many are available, and how many are reserved.
    async fn counts(&self, name: &str) -> (u64, u64) {
        let stocks = self.inventory.stocks(product(name)).await.unwrap();
        assert_eq!(stocks.len(), 1);
        (stocks[0].available, stocks[0].reserved)
    }

    async fn reservation(&self, number: u32) -> Option<ReservationStatus> {
        let found = self.inventory.reservation(order_id(number)).await.unwrap();
        found.map(|found| found.status)
    }

    /// Returns the version of the order's reservation, which is the number of its events.
    async fn version(&self, number: u32) -> u64 {
        let found = self.inventory.reservation(order_id(number)).await.unwrap();
        found.unwrap().version
    }

    async fn get(&self, name: &str) -> Result<Response, Problem> {
        api::get_stock(&self.inventory, to(name, &json!({}))).await
    }

    /// Returns the status and the body of a `PUT` with `If-Match: tag`.
    async fn put(&self, name: &str, on_hand: u64, tag: &str) -> (u16, Value) {
        let request = to(name, &json!({"on_hand": on_hand})).with("if-match", tag);
        match api::set_stock(&self.inventory, request).await {
            Ok(response) => (response.status.as_u16(), json_of(&response)),
            Err(problem) => (problem.status().as_u16(), json!(problem.to_string())),
        }
    }

    /// Asserts that each product's reserved stock is the sum of its held and committed reservations.
    fn assert_balanced(&self) {
        let items = self.engine.items(Setting::InventoryTable);
        let is_kept = |item: &&Value| item["status"] == "held" || item["status"] == "committed";
        let kept: Vec<&Value> = items.iter().filter(is_kept).collect();
        for stock in items.iter().filter(|item| item["sk"] == "main#0") {
            let lines = kept
                .iter()
                .flat_map(|item| item["lines"].as_array().unwrap());
            let pk = |line: &Value| format!("stock#{}", line["product_id"].as_str().unwrap());
            let quantities = lines
                .filter(|line| pk(line) == stock["pk"])
                .map(|line| line["quantity"].as_u64().unwrap());
            let reserved: u64 = quantities.sum();
            assert_eq!(stock["reserved"].as_u64(), Some(reserved), "{items:#?}");
            assert!(stock["available"].as_u64().is_some(), "{stock}");
        }
    }
}

fn to(name: &str, body: &Value) -> Request {
    testing::request(minute(1), body).at("variant_id", product(name))
}

fn json_of(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap()
}

fn etag(response: &Response) -> &str {
    let tag = response.headers.iter().find(|(name, _)| *name == "ETag");
    &tag.unwrap().1
}
