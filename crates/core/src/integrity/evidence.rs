//! The data that an audit reads: the other services' tables, through their own stores, and the event log.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{OrderCase, StockCase, Subject};
use crate::aws::Aws;
use crate::aws::dynamo::StoreError;
use crate::aws::settings::SettingError;
use crate::event_log::store::{EventLog, LoggedEvent};
use crate::inventory;
use crate::inventory::model::Place;
use crate::inventory::store::InventoryStore;
use crate::orders::store::OrderStore;
use crate::payments::model::Payment;
use crate::payments::store::PaymentStore;
use crate::values::clock::Time;
use crate::values::event::DomainEvent;
use crate::values::id::{OrderId, ProductId};

/// The quantities that all open reservations hold, by product and place.
pub type HeldQuantities = BTreeMap<(ProductId, Place), u64>;

/// The stores that an audit reads.
#[derive(Clone, Debug)]
pub struct Evidence {
    orders: OrderStore,
    inventory: InventoryStore,
    payments: PaymentStore,
    log: EventLog,
}

impl Evidence {
    /// Creates the stores from the settings.
    ///
    /// # Errors
    /// [`SettingError`] if a setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        Ok(Self {
            orders: OrderStore::new(aws)?,
            inventory: InventoryStore::new(aws)?,
            payments: PaymentStore::new(aws)?,
            log: EventLog::new(aws)?,
        })
    }

    /// Returns the subjects of at most `most` events from `from` to `until`, and the time up to which these are all:
    /// earlier than `until` if there are more events.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn changed_subjects(
        &self,
        from: Time,
        until: Time,
        most: usize,
    ) -> Result<(BTreeSet<Subject>, Time), StoreError> {
        let mut logged = self.log.between(from, until, most + 1).await?;
        let until = match logged.get(most) {
            Some(next) => next.timestamp,
            None => until,
        };
        logged.truncate(most);
        let mut subjects = BTreeSet::new();
        for event in logged {
            subjects.insert(self.subject(event).await?);
        }
        Ok((subjects, until))
    }

    async fn subject(&self, event: LoggedEvent) -> Result<Subject, StoreError> {
        let id = event.aggregate_id;
        let subject = match event.event_type.as_str() {
            "StockAdjusted" => inventory::model::product_of_stock(&id).map(Subject::Stock),
            "PaymentRefunded" => match id.parse() {
                Ok(payment) => {
                    let payment = self.payments.get(payment).await?;
                    payment.map(|payment| Subject::Order(payment.order_id))
                }
                Err(_) => None,
            },
            event_type if event_type.starts_with("Order") => id.parse().ok().map(Subject::Order),
            _ => None,
        };
        Ok(subject.unwrap_or(Subject::Aggregate(id)))
    }

    /// Returns the order with its reservation, its payment and their events, or `None` if there is no such order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn order(&self, id: OrderId) -> Result<Option<OrderCase>, StoreError> {
        let Some(order) = self.orders.get(id).await? else {
            return Ok(None);
        };
        let reservation_id = inventory::model::reservation_aggregate(id);
        let (reservation, payment, order_events, reservation_events, payment_events) = futures::try_join!(
            self.inventory.reservation(id),
            self.payments.of_order(id),
            self.log.history(id),
            self.log.history(reservation_id),
            self.log.history(Payment::id_of(id)),
        )?;
        Ok(Some(OrderCase {
            order,
            order_events,
            reservation,
            reservation_events,
            payment,
            payment_events,
        }))
    }

    /// Returns the product's stock at each of its places with its events, given what open reservations hold.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn stocks(
        &self,
        product: ProductId,
        held: &HeldQuantities,
    ) -> Result<Vec<StockCase>, StoreError> {
        let mut cases = Vec::new();
        for stock in self.inventory.stocks(product).await? {
            let aggregate = inventory::model::stock_aggregate(product, &stock.place);
            let events = self.log.history(aggregate).await?;
            let held = held.get(&(product, stock.place.clone()));
            cases.push(StockCase {
                held: held.copied().unwrap_or(0),
                stock,
                events,
            });
        }
        Ok(cases)
    }

    /// Returns the quantities that all open reservations hold.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn held_quantities(&self) -> Result<HeldQuantities, StoreError> {
        let mut held = HeldQuantities::new();
        let open = self.inventory.open_reservations().await?.into_iter();
        for line in open.flat_map(|reservation| reservation.lines) {
            let sum = held.entry((line.product_id, line.place)).or_default();
            *sum = sum.saturating_add(line.quantity);
        }
        Ok(held)
    }

    /// Returns the events of an aggregate, in their order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn events(&self, aggregate: &str) -> Result<Vec<DomainEvent>, StoreError> {
        self.log.history(aggregate).await
    }
}
