//! The table of stock and reservations.
//!
//! Stock: `pk` = `stock#<variant_id>`, `sk` = `<location>#<shard>`. Reservations: `pk` =
//! `reservation#<order_id>`, `sk` = `reservation`.

use serde::{Deserialize, Serialize};

use crate::aws::Aws;
use crate::aws::dynamo::{Key, StoreError, Table, Write, Written};
use crate::aws::settings::{Setting, SettingError};
use crate::values::id::{OrderId, VariantId};

use super::item::{OPEN_SHARDS, RESERVATION_SORT_KEY, ReservationItem};
use super::model::{Reservation, ReservedLine, Restock, reservation_aggregate};
use crate::stock::item::{StockItem, stock_key};
use crate::stock::model::Stock;

/// The outcome of [`InventoryStore::hold`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HoldOutcome {
    /// The stock is held.
    Held,
    /// Nothing is changed, because these variants are short, or the order has a reservation already, or both.
    Refused(Vec<VariantId>),
}

/// The outcome of [`InventoryStore::release`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReleaseOutcome {
    /// The stock is available again.
    Released,
    /// Nothing is changed, because the stored reservation has another version.
    Stale,
    /// Nothing is changed, because less of these variants is reserved than the reservation says.
    Unbalanced(Vec<VariantId>),
}

/// A position among the open reservations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenPosition {
    /// The shard of the index.
    shard: u32,
    /// The key of the last reservation of this shard that was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pk: Option<String>,
}

/// The table of stock and reservations.
#[derive(Clone, Debug)]
pub struct InventoryStore {
    table: Table,
}

impl InventoryStore {
    /// Creates the store of the table that the setting `INVENTORY_TABLE` names.
    ///
    /// # Errors
    /// [`SettingError`] if the setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        let table = Table::new(aws, Setting::InventoryTable)?;
        Ok(Self { table })
    }

    /// Returns the stock of a variant at all its places, read consistently.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn stocks(&self, variant_id: VariantId) -> Result<Vec<Stock>, StoreError> {
        let query = self.table.query("pk = :pk");
        let query = query.value(":pk", stock_key(variant_id)).consistent();
        let items: Vec<StockItem> = query.all().await?;
        let stocks: Result<Vec<Stock>, _> = items.into_iter().map(Stock::try_from).collect();
        Ok(stocks?)
    }

    /// Stores the first stock of a variant at a place. Refused if there is stock.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn create_stock(&self, stock: &Stock) -> Result<Written, StoreError> {
        let write = self.table.put(&StockItem::new(stock))?;
        self.table
            .write(write.when("attribute_not_exists(pk)"))
            .await
    }

    /// Sets what is on hand and on backorder to that of `stock`, however much is reserved by now, or only if `exactly` as
    /// much is reserved. Refused if the stored version is not the previous one, or more is reserved than could be sold. If
    /// it is refused although `stock.event` is stored, it was written and the response was
    /// lost.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn update_stock(
        &self,
        stock: &Stock,
        exactly: Option<u64>,
    ) -> Result<Written, StoreError> {
        let key = Key::new("pk", stock_key(stock.variant_id)).and("sk", &stock.place);
        let change = "SET available = :sellable - reserved, backorder = :backorder, \
                      version = :version, updated_at = :updated_at, event = :event";
        let write = self
            .table
            .update(key, change)
            .value(":sellable", &(stock.available + stock.reserved))?
            .value(":backorder", &stock.backorder)?
            .value(":version", &stock.version)?
            .value(":before", &stock.version.saturating_sub(1))?
            .value(":updated_at", &stock.updated_at)?
            .value(":event", &stock.event)?;
        let write = match exactly {
            None => write.when("version = :before AND reserved <= :sellable"),
            Some(reserved) => write
                .when("version = :before AND reserved = :reserved")
                .value(":reserved", &reserved)?,
        };
        self.table.write(write).await
    }

    /// Returns the reservation of an order, read consistently.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn reservation(&self, order_id: OrderId) -> Result<Option<Reservation>, StoreError> {
        let key = Key::new("pk", reservation_aggregate(order_id)).and("sk", RESERVATION_SORT_KEY);
        let item: Option<ReservationItem> = self.table.get(key).await?;
        Ok(item.map(Reservation::from))
    }

    /// Returns at most `most` of the reservations that are held or committed, from after the position `after` on, and the
    /// position after which the next begin, or `None` after the last. The index by which they are found may lag by a
    /// moment, and so may the reservations, which are read at half the price of a consistent read.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn open_reservations(
        &self,
        after: Option<&OpenPosition>,
        most: usize,
    ) -> Result<(Vec<Reservation>, Option<OpenPosition>), StoreError> {
        #[derive(Deserialize)]
        struct Open {
            pk: String,
        }
        let shard = after.map_or(0, |after| after.shard);
        let query = match after.and_then(|after| after.pk.as_ref()) {
            None => self.table.query("open_shard = :shard"),
            Some(pk) => self
                .table
                .query("open_shard = :shard AND pk > :after")
                .value(":after", pk),
        };
        let query = query.index("by-open").value(":shard", shard);
        let open: Vec<Open> = query.first(most).await?;
        let next = match open.last() {
            Some(last) if open.len() == most => Some(OpenPosition {
                shard,
                pk: Some(last.pk.clone()),
            }),
            Some(_) | None => Some(OpenPosition {
                shard: shard + 1,
                pk: None,
            }),
        };
        let keys = open.into_iter();
        let keys = keys.map(|open| Key::new("pk", open.pk).and("sk", RESERVATION_SORT_KEY));
        let items: Vec<ReservationItem> = self.table.get_many(keys.collect(), false).await?;
        let reservations = items.into_iter().map(Reservation::from);
        let open = reservations.filter(|found| found.status.is_open());
        Ok((open.collect(), next.filter(|next| next.shard < OPEN_SHARDS)))
    }

    /// Holds the stock of all lines of the new `reservation` and stores it, or changes nothing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn hold(&self, reservation: &Reservation) -> Result<HoldOutcome, StoreError> {
        let mut writes = vec![self.create_reservation_write(reservation)?];
        for line in &reservation.lines {
            let change = "SET available = available - :quantity, reserved = reserved + :quantity";
            let write = self.stock_write(line, line.quantity, change)?;
            writes.push(write.when("available >= :quantity"));
        }
        Ok(match self.table.transact(writes).await? {
            Written::Done => HoldOutcome::Held,
            Written::Refused(places) => HoldOutcome::Refused(variants_at(reservation, &places)),
        })
    }

    /// Stores the first version of a reservation without a change of stock. Refused if the order has one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn create_reservation(
        &self,
        reservation: &Reservation,
    ) -> Result<Written, StoreError> {
        let write = self.create_reservation_write(reservation)?;
        self.table.write(write).await
    }

    /// Replaces the previous version of `reservation`, without a change of stock. Refused if another version is
    /// stored.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn replace_reservation(
        &self,
        reservation: &Reservation,
    ) -> Result<Written, StoreError> {
        let write = self.replace_reservation_write(reservation)?;
        self.table.write(write).await
    }

    /// Replaces the previous version of `reservation` and makes the stock of its lines available again, or changes
    /// nothing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn release(&self, reservation: &Reservation) -> Result<ReleaseOutcome, StoreError> {
        let mut writes = vec![self.replace_reservation_write(reservation)?];
        for line in &reservation.lines {
            let change = "SET available = available + :quantity, reserved = reserved - :quantity";
            let write = self.stock_write(line, line.left(), change)?;
            writes.push(write.when("reserved >= :quantity"));
        }
        Ok(match self.table.transact(writes).await? {
            Written::Done => ReleaseOutcome::Released,
            Written::Refused(places) if places.contains(&0) => ReleaseOutcome::Stale,
            Written::Refused(places) => {
                ReleaseOutcome::Unbalanced(variants_at(reservation, &places))
            }
        })
    }

    /// Replaces the previous version of a reservation and makes its pieces that come back available, or changes nothing.
    /// Refused if the reservation has changed, or less is reserved than would come back.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn restock(&self, restock: &Restock) -> Result<Written, StoreError> {
        let reservation = &restock.reservation;
        let mut writes = vec![self.replace_reservation_write(reservation)?];
        for (line, pieces) in &restock.pieces {
            writes.push(if reservation.status.is_open() {
                let change =
                    "SET available = available + :quantity, reserved = reserved - :quantity";
                let write = self.stock_write(line, *pieces, change)?;
                write.when("reserved >= :quantity")
            } else {
                // What was shipped is not reserved any more.
                let write =
                    self.stock_write(line, *pieces, "SET available = available + :quantity")?;
                write.when("attribute_exists(pk)")
            });
        }
        self.table.transact(writes).await
    }

    fn create_reservation_write(&self, reservation: &Reservation) -> Result<Write, StoreError> {
        let write = self.table.put(&ReservationItem::new(reservation))?;
        Ok(write.when("attribute_not_exists(pk)"))
    }

    fn replace_reservation_write(&self, reservation: &Reservation) -> Result<Write, StoreError> {
        let before = reservation.version.saturating_sub(1);
        let write = self.table.put(&ReservationItem::new(reservation))?;
        write.when("version = :before").value(":before", &before)
    }

    fn stock_write(
        &self,
        line: &ReservedLine,
        quantity: u64,
        change: &str,
    ) -> Result<Write, StoreError> {
        let key = Key::new("pk", stock_key(line.variant_id)).and("sk", &line.place);
        let write = self.table.update(key, change);
        write.value(":quantity", &quantity)
    }
}

/// Returns the variants whose writes are at `places` of a transaction that begins with the reservation.
fn variants_at(reservation: &Reservation, places: &[usize]) -> Vec<VariantId> {
    let lines = places
        .iter()
        .filter_map(|place| reservation.lines.get(place.checked_sub(1)?));
    lines.map(|line| line.variant_id).collect()
}
