//! The ledger in DynamoDB: one item per entry, keyed by its payment or gift card and by the version and the movement, with an
//! index by day.

use serde::{Deserialize, Serialize};

use super::model::{Account, Entry};
use crate::aws::Aws;
use crate::aws::dynamo::{self, Query, StoreError, Table, unreadable};
use crate::aws::settings::{Setting, SettingError};
use crate::http::page::Page;
use crate::payments::days::{self, Part, Span, date};
use crate::values::clock::Time;
use crate::values::id::{EntryId, GiftCardId, OrderId, PaymentId, RefundId};
use crate::values::money::{Currency, Money};

/// The version of the shape of [`EntryItem`].
const SCHEMA: u32 = 1;

/// The number of shards of each day in the index by day. It must never be lowered: entries in a shard that is not read any
/// more would be missing.
const SHARDS: u32 = 4;

/// The table of entries.
#[derive(Clone, Debug)]
pub struct LedgerStore {
    table: Table,
}

/// An entry as stored; the amount is in the currency's smallest unit.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct EntryItem {
    /// `payment#<payment_id>`, or of entries about gift cards `gift-card#<gift_card_id>`.
    pk: String,
    /// `<version, twelve digits>#<movement>`, and behind that `#<order_id>` of a gift card's if an order took from it, and
    /// `#<movement_id>` of a fee.
    sk: String,
    /// `<date>#<shard>`.
    day_shard: String,
    /// `<at>#<payment_id or gift_card_id>#<sk>`: the sort key of a day.
    position: String,
    entry_id: EntryId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    order_id: Option<OrderId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payment_id: Option<PaymentId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    gift_card_id: Option<GiftCardId>,
    version: u64,
    of: String,
    at: Time,
    debit: String,
    credit: String,
    currency: Currency,
    amount: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refund_id: Option<RefundId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    movement_id: Option<String>,
    schema: u32,
}

impl EntryItem {
    fn new(entry: &Entry) -> Result<Self, serde_dynamo::Error> {
        let amount = entry.amount.minor_units();
        Ok(Self {
            pk: partition(entry),
            sk: change(entry),
            day_shard: day_shard(entry.at, shard(entry)),
            position: position(entry),
            entry_id: entry.id(),
            order_id: entry.order_id,
            payment_id: entry.payment_id,
            gift_card_id: entry.gift_card_id,
            version: entry.version,
            of: entry.of.as_str().to_owned(),
            at: entry.at,
            debit: entry.debit.to_string(),
            credit: entry.credit.to_string(),
            currency: entry.amount.currency(),
            amount: amount.ok_or_else(|| unreadable("an entry is of less than zero"))?,
            refund_id: entry.refund_id,
            movement_id: entry.movement_id.clone(),
            schema: SCHEMA,
        })
    }

    fn into_entry(self) -> Result<Entry, serde_dynamo::Error> {
        Ok(Entry {
            order_id: self.order_id,
            payment_id: self.payment_id,
            gift_card_id: self.gift_card_id,
            version: self.version,
            of: self.of.parse().map_err(unreadable)?,
            at: self.at,
            debit: Account(self.debit),
            credit: Account(self.credit),
            amount: Money::from_minor_units(self.amount, self.currency).map_err(unreadable)?,
            refund_id: self.refund_id,
            movement_id: self.movement_id,
        })
    }
}

/// Returns the key of all entries of a payment.
fn of_payment(payment: PaymentId) -> String {
    format!("payment#{payment}")
}

/// Returns the name of what `entry` is an entry of.
fn owner(entry: &Entry) -> String {
    let card = entry.gift_card_id.map(|id| id.to_string());
    let payment = entry.payment_id.map(|id| id.to_string());
    card.or(payment).unwrap_or_default()
}

/// Returns the key of all entries of what `entry` is an entry of.
fn partition(entry: &Entry) -> String {
    match entry.gift_card_id {
        Some(card) => format!("gift-card#{card}"),
        None => format!("payment#{}", owner(entry)),
    }
}

/// Returns the shard of its day that `entry` is in.
fn shard(entry: &Entry) -> u32 {
    let card = entry.gift_card_id.map(|id| id.shard(SHARDS));
    let payment = entry.payment_id.map(|id| id.shard(SHARDS));
    card.or(payment).unwrap_or(0)
}

/// Returns the sort key of `entry` among those of its payment or gift card.
fn change(entry: &Entry) -> String {
    let change = format!("{:012}#{}", entry.version, entry.of.as_str());
    let order = entry.gift_card_id.and(entry.order_id);
    match (order, &entry.movement_id) {
        (Some(order), _) => format!("{change}#{order}"),
        (None, Some(movement)) => format!("{change}#{movement}"),
        (None, None) => change,
    }
}

/// Returns the key of the index by day.
fn day_shard(at: Time, shard: u32) -> String {
    format!("{}#{shard}", date(at))
}

/// Returns the sort key of `entry` among all of its day.
fn position(entry: &Entry) -> String {
    format!("{}#{}#{}", entry.at, owner(entry), change(entry))
}

impl LedgerStore {
    /// Creates the store of the table that the setting `LEDGER_TABLE` names.
    ///
    /// # Errors
    /// [`SettingError`] if the setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        Ok(Self {
            table: Table::new(aws, Setting::LedgerTable)?,
        })
    }

    /// Stores `entry`. One with its key that is stored already stays as it is.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn record(&self, entry: &Entry) -> Result<(), StoreError> {
        let put = self.table.put(&EntryItem::new(entry)?)?;
        let put = put.when("attribute_not_exists(pk)");
        self.table.write(put).await.map(drop)
    }

    /// Returns at most `limit` entries of `payment`, in the order of its changes, from after the position `after` on, read
    /// consistently.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn of_payment(
        &self,
        payment: PaymentId,
        limit: usize,
        after: Option<&str>,
    ) -> Result<Page<Entry>, StoreError> {
        let query = self
            .table
            .query("pk = :payment AND sk > :after")
            .value(":payment", of_payment(payment))
            .value(":after", after.unwrap_or("0"))
            .consistent();
        let found = entries(query.first(limit + 1).await?)?;
        Ok(Page::cut(found, limit, change))
    }

    /// Returns at most `limit` entries of `span`, in the order of time, from after the position `after` on. The index may
    /// lag by a moment. A page that is not full is not the last one if it has a `next`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn between(
        &self,
        span: Span,
        limit: usize,
        after: Option<&str>,
    ) -> Result<Page<Entry>, StoreError> {
        days::page(span, limit, after, position, |part| self.of_day(part)).await
    }

    async fn of_day(&self, part: Part) -> Result<Vec<Entry>, StoreError> {
        let shards = (0..SHARDS).map(|shard| {
            self.table
                .query("day_shard = :day AND #position BETWEEN :from AND :to")
                .index("by-day")
                .name("#position", "position")
                .value(":day", day_shard(part.day, shard))
                .value(":from", &part.from)
                .value(":to", &part.to)
        });
        let position = |item: &EntryItem| item.position.clone();
        let shards: Vec<Query> = shards.collect();
        Ok(entries(
            dynamo::merged(shards, part.most, false, position).await?,
        )?)
    }
}

fn entries(items: Vec<EntryItem>) -> Result<Vec<Entry>, serde_dynamo::Error> {
    items.into_iter().map(EntryItem::into_entry).collect()
}
