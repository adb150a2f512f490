//! A shop of orders that are confirmed without a workflow, whose events are in the log.

use crate::aws::Aws;
use crate::aws::dynamo::{Key, Table};
use crate::aws::settings::Setting;
use crate::event_log::store::EventLog;
use crate::integrity::audit::{AuditRequest, audit_integrity};
use crate::integrity::pass::Outcome;
use crate::integrity::resources::Audit;
use crate::integrity::tables::{SOURCES, Tables};
use crate::inventory::model::ReservationStatus;
use crate::inventory::rules::{first_reservation, first_stock, next_reservation};
use crate::inventory::store::InventoryStore;
use crate::orders::fixtures::{lines, order_of, placed_at};
use crate::orders::model::Order;
use crate::orders::rules::{confirm, finish};
use crate::orders::store::OrderStore;
use crate::payments::ledger::rules::entries;
use crate::payments::ledger::store::LedgerStore;
use crate::payments::model::{Change, Payment, Provider};
use crate::payments::rules::apply;
use crate::payments::store::{PaymentImage, PaymentStore};
use crate::stock::model::Stock;
use crate::testing::{self, Engine};
use crate::values::clock::Time;
use crate::values::id::VariantId;

pub(super) struct World {
    pub(super) aws: Aws,
    pub(super) engine: Engine,
    pub(super) audit: Audit,
    pub(super) log: EventLog,
    pub(super) inventory: InventoryStore,
    orders: OrderStore,
    payments: PaymentStore,
    ledger: LedgerStore,
}

/// Returns the time so many minutes after the orders were placed.
pub(super) fn minutes(minutes: u64) -> Time {
    placed_at().plus(std::time::Duration::from_mins(minutes))
}

impl World {
    /// A shop with stock of the products of [`lines`], of which nothing is reserved.
    pub(super) async fn open(products: usize) -> Self {
        let (aws, engine) = testing::aws();
        let world = Self {
            audit: Audit::new(&aws).unwrap(),
            log: EventLog::new(&aws).unwrap(),
            inventory: InventoryStore::new(&aws).unwrap(),
            orders: OrderStore::new(&aws).unwrap(),
            payments: PaymentStore::new(&aws).unwrap(),
            ledger: LedgerStore::new(&aws).unwrap(),
            aws,
            engine,
        };
        for line in lines(products) {
            let stock = first_stock(line.variant_id, 1_000_000.into(), placed_at());
            world.inventory.create_stock(&stock).await.unwrap();
        }
        world
    }

    /// Places and confirms `count` orders of two lines, with nothing left to do, and publishes their events.
    pub(super) async fn with_orders(count: usize) -> (Self, Vec<Order>) {
        let world = Self::open(2).await;
        let mut orders = Vec::new();
        for number in 0..count {
            let order = order_of(&format!("customer {number}"), lines(2), placed_at());
            world.orders.create(&order).await.unwrap();
            let bought = order.lines.iter();
            let bought = bought.map(|line| (line.variant_id, line.quantity));
            let (held, now) = (ReservationStatus::Held, placed_at());
            let reservation = first_reservation(order.id, held, bought, now);
            world.inventory.hold(&reservation).await.unwrap();
            let payment = Payment::begin(order.id, order.total, Provider::Sandbox, now);
            world.payments.create(&payment).await.unwrap();
            orders.push(order);
        }
        world.publish().await;
        let mut confirmed = Vec::new();
        for order in orders {
            let now = minutes(1);
            let payment = world.payments.of_order(order.id).await.unwrap().unwrap();
            let captured = Change::Captured(order.total);
            let paid = apply(&payment, &captured, now).unwrap();
            world
                .payments
                .record(&payment, &paid, &captured)
                .await
                .unwrap();
            world.enter(payment, paid).await;
            let held = world
                .inventory
                .reservation(order.id)
                .await
                .unwrap()
                .unwrap();
            let committed = next_reservation(&held, ReservationStatus::Committed, now);
            world
                .inventory
                .replace_reservation(&committed)
                .await
                .unwrap();
            let order = confirm(order, crate::orders::model::PaymentStatus::Completed, now)
                .unwrap()
                .unwrap();
            let order = world.orders.replace(order, &[]).await.unwrap().unwrap();
            confirmed.push(order);
        }
        world.publish().await;
        let mut finished = Vec::new();
        for order in confirmed {
            let order = finish(order).unwrap().unwrap();
            finished.push(world.orders.replace(order, &[]).await.unwrap().unwrap());
        }
        (world, finished)
    }

    /// Writes the entries of the change of a payment into the ledger, as the stream does.
    async fn enter(&self, before: Payment, after: Payment) {
        let [before, after] = [before, after].map(|payment| PaymentImage {
            payment,
            last_refund: None,
        });
        for entry in entries(Some(&before), &after).unwrap() {
            self.ledger.record(&entry).await.unwrap();
        }
    }

    /// Appends the last events of all items to the log, as the streams do.
    pub(super) async fn publish(&self) {
        let tables = Tables::new(&self.aws).unwrap();
        for place in 0..SOURCES.len() {
            let mut after = None;
            loop {
                let piece = tables.read(place, after.as_deref(), 1_000).await.unwrap();
                for event in piece.items {
                    self.log.append(event).await.unwrap();
                }
                after = piece.next;
                if after.is_none() {
                    break;
                }
            }
        }
    }

    pub(super) async fn audit_at(&self, time: Time) -> Outcome {
        let request = AuditRequest { time, since: None };
        audit_integrity(&self.audit, request).await.unwrap()
    }

    /// Removes event number `version` of `aggregate` from the log.
    pub(super) async fn lose(&self, aggregate: impl ToString, version: u64) {
        let table = Table::new(&self.aws, Setting::EventLogTable).unwrap();
        let key = Key::new("aggregate_id", aggregate).and("version", format!("{version:012}"));
        table.write(table.delete(key)).await.unwrap();
    }

    /// Makes one more of the product reserved than its reservations hold.
    pub(super) async fn misplace(&self, product: VariantId) -> Stock {
        let stocks = self.inventory.stocks(product).await.unwrap();
        let table = Table::new(&self.aws, Setting::InventoryTable).unwrap();
        let key = Key::new("pk", format!("stock#{product}")).and("sk", "main#0");
        let change = "SET available = available - :one, reserved = reserved + :one";
        let write = table.update(key, change).value(":one", &1).unwrap();
        table.write(write).await.unwrap();
        stocks[0].clone()
    }

    /// Returns the open findings, each as `<subject>#<check>`.
    pub(super) fn open_findings(&self) -> Vec<String> {
        let items = self.engine.items(Setting::IntegrityTable);
        let open = items
            .iter()
            .filter(|item| item["pk"] == "finding" && item["resolved_at"].is_null());
        let mut open: Vec<String> = open
            .map(|item| item["sk"].as_str().unwrap().to_owned())
            .collect();
        open.sort();
        open
    }
}
