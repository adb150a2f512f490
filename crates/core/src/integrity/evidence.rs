//! The data that an audit reads: the other services' tables, through their own stores, and the event log.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _};

use super::model::{GiftCardCase, OrderCase, Subject};
use super::rules::LATEST_EVENTS;
use crate::aws::Aws;
use crate::aws::dynamo::StoreError;
use crate::aws::settings::SettingError;
use crate::event_log::store::{EventLog, LoggedEvent};
use crate::http::page::Page;
use crate::inventory;
use crate::inventory::model::Reservation;
use crate::inventory::store::{InventoryStore, OpenPosition};
use crate::orders::gift_cards::store::GiftCardStore;
use crate::orders::model::Order;
use crate::orders::store::OrderStore;
use crate::payments::ledger::store::LedgerStore;
use crate::payments::model::Payment;
use crate::payments::refunds::store::RefundStore;
use crate::stock::model::{Stock, stock_aggregate, variant_of_stock};
use crate::values::clock::Time;
use crate::values::event::DomainEvent;
use crate::values::id::{OrderId, VariantId};

/// How many subjects of events are looked up at the same time.
const AT_ONCE: usize = 16;

/// How many entries, and how many refunds, of a payment are read. Those of one that has more are not checked.
const MOST_OF_PAYMENT: usize = 500;

/// How many orders of a gift card are read. The balance of one that has more is not checked.
const MOST_OF_CARD: usize = 500;

/// Returns the items of `page`, if it is the only one.
fn whole<T>(page: Page<T>) -> Option<Vec<T>> {
    page.next.is_none().then_some(page.items)
}

/// The resolution of the times of events.
const MILLISECOND: Duration = Duration::from_millis(1);

/// The stores that an audit reads.
#[derive(Clone, Debug)]
pub struct Evidence {
    orders: OrderStore,
    gift_cards: GiftCardStore,
    inventory: InventoryStore,
    refunds: RefundStore,
    ledger: LedgerStore,
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
            gift_cards: GiftCardStore::new(aws)?,
            inventory: InventoryStore::new(aws)?,
            refunds: RefundStore::new(aws)?,
            ledger: LedgerStore::new(aws)?,
            log: EventLog::new(aws)?,
        })
    }

    /// Returns the subjects of the next at most `most` events from `from` to `until`, and the time at which the next begin:
    /// `until` if these are all, and always later than `from` otherwise.
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
        let next = match logged.get(most) {
            // More events of one millisecond than are read at once are left to the reading of all tables.
            Some(next) => next.timestamp.no_earlier_than(from.plus(MILLISECOND)),
            None => until,
        };
        logged.truncate(most);
        let subjects = logged.into_iter();
        let subjects = subjects.map(|event| Box::pin(self.subject(event)));
        let subjects = futures::stream::iter(subjects).buffer_unordered(AT_ONCE);
        Ok((subjects.try_collect().await?, next))
    }

    async fn subject(&self, event: LoggedEvent) -> Result<Subject, StoreError> {
        let id = event.aggregate_id;
        let subject = match event.event_type.as_str() {
            "StockAdjusted" => variant_of_stock(&id).map(Subject::Stock),
            "PaymentRefunded" | "PaymentRefundReturned" | "PaymentDisputed" => match id.parse() {
                Ok(payment) => {
                    let payment = self.refunds.payments().get(payment).await?;
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
        let gift_cards = self.gift_cards(&order).await?;
        let reservation_id = inventory::model::reservation_aggregate(id);
        let payment_id = Payment::id_of(id);
        let (
            reservation,
            payment,
            order_events,
            reservation_events,
            payment_events,
            entries,
            refunds,
        ) = futures::try_join!(
            self.inventory.reservation(id),
            self.refunds.payments().of_order(id),
            self.log.latest(id, LATEST_EVENTS),
            self.log.latest(reservation_id, LATEST_EVENTS),
            self.log.latest(payment_id, LATEST_EVENTS),
            self.ledger.of_payment(payment_id, MOST_OF_PAYMENT, None),
            self.refunds.of_payment(payment_id, MOST_OF_PAYMENT, None),
        )?;
        Ok(Some(OrderCase {
            order,
            order_events,
            reservation,
            reservation_events,
            payment,
            payment_events,
            entries: whole(entries),
            refunds: whole(refunds),
            gift_cards,
        }))
    }

    /// Returns the gift cards that `order` took from, as far as there are such cards.
    async fn gift_cards(&self, order: &Order) -> Result<Vec<GiftCardCase>, StoreError> {
        let mut cases = Vec::new();
        for redemption in &order.gift_cards {
            let card = self.gift_cards.with_orders(redemption.card, MOST_OF_CARD);
            if let Some((card, orders)) = card.await? {
                cases.push(GiftCardCase { card, orders });
            }
        }
        Ok(cases)
    }

    /// Returns the product's stock at each of its places.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn stocks(&self, product: VariantId) -> Result<Vec<Stock>, StoreError> {
        self.inventory.stocks(product).await
    }

    /// Returns the latest events of `stock`, in their order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn stock_events(&self, stock: &Stock) -> Result<Vec<DomainEvent>, StoreError> {
        let aggregate = stock_aggregate(stock.variant_id, &stock.place);
        self.events(&aggregate).await
    }

    /// Returns at most `most` open reservations from after the position `after` on, and the position after which the next
    /// begin, or `None` after the last.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn open_reservations(
        &self,
        after: Option<&OpenPosition>,
        most: usize,
    ) -> Result<(Vec<Reservation>, Option<OpenPosition>), StoreError> {
        self.inventory.open_reservations(after, most).await
    }

    /// Returns those of `events` that are not in the log.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn not_logged(
        &self,
        events: Vec<DomainEvent>,
    ) -> Result<Vec<DomainEvent>, StoreError> {
        self.log.missing(events).await
    }

    /// Returns the latest events of an aggregate, in their order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn events(&self, aggregate: &str) -> Result<Vec<DomainEvent>, StoreError> {
        self.log.latest(aggregate, LATEST_EVENTS).await
    }
}
