//! Orders that wait for something: to be run, to lose their address, or to be claimed. Every query is bounded, and what
//! it leaves is found by the next one.

use serde::{Deserialize, Serialize};

use super::OrderStore;

use crate::aws::dynamo::{Key, Query, StoreError};
use crate::customers::model::Email;
use crate::http::page::Page;
use crate::orders::item::SHARDS;
use crate::orders::remaining::Remaining;
use crate::values::clock::Time;
use crate::values::id::{CustomerId, OrderId};

/// The key of the index of due orders under which the [`Remaining`] stand.
const ERASURE_SHARD: &str = "erasure";

#[derive(Deserialize)]
struct IdItem {
    order_id: OrderId,
}

#[derive(Deserialize)]
struct PositionItem {
    order_id: OrderId,
    position: String,
}

/// What is left of a deletion, as stored: `order_id` = `erasure#<customer_id>`, `part` = `erasure`.
#[derive(Debug, Serialize, Deserialize)]
struct RemainingItem {
    order_id: String,
    part: String,
    due_shard: String,
    due_at: Time,
    customer: CustomerId,
    erase_at: Time,
    after: String,
}

fn remaining_key(customer: CustomerId) -> Key {
    Key::new("order_id", format!("erasure#{customer}")).and("part", ERASURE_SHARD)
}

impl From<&Remaining> for RemainingItem {
    fn from(remaining: &Remaining) -> Self {
        Self {
            order_id: format!("erasure#{}", remaining.customer),
            part: ERASURE_SHARD.to_owned(),
            due_shard: ERASURE_SHARD.to_owned(),
            due_at: remaining.due_at,
            customer: remaining.customer,
            erase_at: remaining.erase_at,
            after: remaining.after.clone(),
        }
    }
}

impl From<RemainingItem> for Remaining {
    fn from(item: RemainingItem) -> Self {
        Self {
            customer: item.customer,
            erase_at: item.erase_at,
            after: item.after,
            due_at: item.due_at,
        }
    }
}

impl OrderStore {
    /// Returns the orders that are to be run, or to lose their address, by `now`: at most `most` of each shard, those
    /// that have been due longest. The index may lag by a moment.
    ///
    /// # Errors
    /// Returns [`StoreError`] if a request to DynamoDB fails.
    pub async fn due_orders(&self, now: Time, most: usize) -> Result<Vec<OrderId>, StoreError> {
        let shards =
            (0..SHARDS).map(async |shard| self.due_in(shard, now).first::<IdItem>(most).await);
        let shards = futures::future::try_join_all(shards).await?;
        let ids = shards.into_iter().flatten().map(|item| item.order_id);
        Ok(ids.collect())
    }

    /// Returns the query of what is due in `shard` by `now`.
    fn due_in(&self, shard: impl ToString, now: Time) -> Query {
        self.table
            .query("due_shard = :shard AND due_at <= :now")
            .index("by-due")
            .value(":shard", shard)
            .value(":now", now)
    }

    /// Returns the identifiers of at most `most` orders of `customer`, newest first, from after the position `after` on.
    /// The index may lag by a moment.
    ///
    /// # Errors
    /// Returns [`StoreError`] if a request to DynamoDB fails.
    pub async fn ids_of_customer(
        &self,
        customer: CustomerId,
        after: Option<&str>,
        most: usize,
    ) -> Result<Page<OrderId>, StoreError> {
        self.ids("by-customer", "customer_id", customer, after, most)
            .await
    }

    /// Returns the identifiers of at most `most` orders that guests placed with the address `email`, in upper or lower
    /// case, newest first, from after the position `after` on. The index may lag by a moment.
    ///
    /// # Errors
    /// Returns [`StoreError`] if a request to DynamoDB fails.
    pub async fn guest_orders(
        &self,
        email: &Email,
        after: Option<&str>,
        most: usize,
    ) -> Result<Page<OrderId>, StoreError> {
        self.ids("by-guest", "guest_email", email.lowercase(), after, most)
            .await
    }

    async fn ids(
        &self,
        index: &str,
        attribute: &str,
        value: impl ToString,
        after: Option<&str>,
        most: usize,
    ) -> Result<Page<OrderId>, StoreError> {
        let query = self.table.newest_first(index, attribute, value, after);
        let found: Vec<PositionItem> = query.first(most + 1).await?;
        let page = Page::cut(found, most, |item| item.position.clone());
        Ok(page.map(|item| item.order_id))
    }

    /// Stores what is left of a deletion for the first time. If something is stored already, that stays.
    ///
    /// # Errors
    /// Returns [`StoreError`] if a request to DynamoDB fails.
    pub async fn leave_erasure(&self, remaining: &Remaining) -> Result<(), StoreError> {
        let write = self.table.put(&RemainingItem::from(remaining))?;
        let write = write.when("attribute_not_exists(order_id)");
        self.table.write(write).await.map(drop)
    }

    /// Stores how far an erasure has got. An erasure that has ended meanwhile stays ended.
    ///
    /// # Errors
    /// Returns [`StoreError`] if a request to DynamoDB fails.
    pub async fn continue_erasure(&self, remaining: &Remaining) -> Result<(), StoreError> {
        let write = self.table.put(&RemainingItem::from(remaining))?;
        let write = write.when("attribute_exists(order_id)");
        self.table.write(write).await.map(drop)
    }

    /// Removes the record of the erasure of the orders of `customer`, which has come to its end.
    ///
    /// # Errors
    /// Returns [`StoreError`] if a request to DynamoDB fails.
    pub async fn end_erasure(&self, customer: CustomerId) -> Result<(), StoreError> {
        let write = self.table.delete(remaining_key(customer));
        self.table.write(write).await.map(drop)
    }

    /// Returns at most `most` erasures that are to be continued by `now`, those first that have waited longest. The
    /// index, which has only keys, may lag by a moment, so each is read from the table.
    ///
    /// # Errors
    /// Returns [`StoreError`] if a request to DynamoDB fails.
    pub async fn unfinished_erasures(
        &self,
        now: Time,
        most: usize,
    ) -> Result<Vec<Remaining>, StoreError> {
        #[derive(Deserialize)]
        struct Found {
            order_id: String,
        }
        let due = self.due_in(ERASURE_SHARD, now);
        let mut unfinished = Vec::new();
        for found in due.first::<Found>(most).await? {
            let key = Key::new("order_id", found.order_id).and("part", ERASURE_SHARD);
            let item: Option<RemainingItem> = self.table.get(key).await?;
            unfinished.extend(item.map(Remaining::from));
        }
        Ok(unfinished)
    }
}
