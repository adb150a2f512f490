//! What an audit reads: the other services' tables, by their own stores, and the event log.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{OrderCase, StockCase, Subject};
use crate::aws::Aws;
use crate::aws::dynamo::StoreError;
use crate::aws::settings::SettingError;
use crate::event_log::store::{EventLog, Logged};
use crate::inventory;
use crate::inventory::model::Place;
use crate::inventory::store::InventoryStore;
use crate::orders::store::OrderStore;
use crate::payments::model::Payment;
use crate::payments::store::PaymentStore;
use crate::values::clock::Time;
use crate::values::event::DomainEvent;
use crate::values::id::{OrderId, ProductId};

/// What all open reservations hold, by product and place.
pub type Promised = BTreeMap<(ProductId, Place), u64>;

/// Where all that is read.
#[derive(Clone, Debug)]
pub struct Evidence {
    orders: OrderStore,
    inventory: InventoryStore,
    payments: PaymentStore,
    log: EventLog,
}

impl Evidence {
    /// With what the settings name.
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

    /// What had an event from `from` to `until`, and up to when that is all: earlier than `until` if
    /// there was more than one audit looks at.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn touched(
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

    async fn subject(&self, event: Logged) -> Result<Subject, StoreError> {
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

    /// The order and all that was done for it; `None` if there is no such order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn order(&self, id: OrderId) -> Result<Option<OrderCase>, StoreError> {
        let Some(order) = self.orders.get(id).await? else {
            return Ok(None);
        };
        let kept = inventory::model::reservation_aggregate(id);
        let (reservation, payment, order_events, reservation_events, payment_events) = futures::try_join!(
            self.inventory.reservation(id),
            self.payments.of_order(id),
            self.log.history(id),
            self.log.history(kept),
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

    /// The product's stock at each of its places, of which open reservations hold what `promised`
    /// says.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn stocks(
        &self,
        product: ProductId,
        promised: &Promised,
    ) -> Result<Vec<StockCase>, StoreError> {
        let mut cases = Vec::new();
        for stock in self.inventory.stocks(product).await? {
            let aggregate = inventory::model::stock_aggregate(product, &stock.place);
            let events = self.log.history(aggregate).await?;
            let promised = promised.get(&(product, stock.place.clone()));
            cases.push(StockCase {
                promised: promised.copied().unwrap_or(0),
                stock,
                events,
            });
        }
        Ok(cases)
    }

    /// What all open reservations hold now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn promised(&self) -> Result<Promised, StoreError> {
        let mut promised = Promised::new();
        let open = self.inventory.open_reservations().await?.into_iter();
        for line in open.flat_map(|reservation| reservation.lines) {
            let sum = promised.entry((line.product_id, line.place)).or_default();
            *sum = sum.saturating_add(line.quantity);
        }
        Ok(promised)
    }

    /// The events of an aggregate, in their order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn events(&self, aggregate: &str) -> Result<Vec<DomainEvent>, StoreError> {
        self.log.history(aggregate).await
    }
}
