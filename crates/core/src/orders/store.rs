//! Orders in DynamoDB.
//!
//! Items: `order_id`, `part` = `header` or `lines`. Every write of a header is conditional on its `revision`, so a
//! decision that was made on an old state is refused and made again.

use std::collections::HashMap;

use super::item::{HeaderItem, LinesItem, PartItem, SHARDS, status_shard};
use super::model::{Order, Status};
use super::uses::{QuoteUse, Use};
use crate::aws::Aws;
use crate::aws::dynamo::{self, Key, StoreError, Table, Written};
use crate::aws::settings::{Setting, SettingError};
use crate::customers::model::Email;
use crate::http::page::{Page, PageRequest};
use crate::values::address::AddressItem;
use crate::values::clock::Time;
use crate::values::id::{CustomerId, OrderId};

mod earlier;
mod uses;

/// The table of orders.
#[derive(Clone, Debug)]
pub struct OrderStore {
    table: Table,
}

/// How [`OrderStore::create`] ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Created {
    /// The order is stored.
    Done,
    /// Nothing is stored, because there is an order with the same identifier.
    Exists,
    /// Nothing is stored, because a discount has no use left.
    UsedUp,
    /// Nothing is stored, because the quote has been used for another order.
    QuoteUsed,
}

fn lines_key(id: OrderId) -> Key {
    Key::new("order_id", id).and("part", "lines")
}

impl OrderStore {
    /// Opens the table that the settings name.
    ///
    /// # Errors
    /// Returns [`SettingError`] if a setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        Ok(Self {
            table: Table::new(aws, Setting::OrdersTable)?,
        })
    }

    /// Returns the order `id`, or `None` if there is none. Both items are read in one consistent query.
    ///
    /// # Errors
    /// Returns [`StoreError`] if a request to DynamoDB fails.
    pub async fn get(&self, id: OrderId) -> Result<Option<Order>, StoreError> {
        let query = self.table.query("order_id = :order").value(":order", id);
        let (mut header, mut lines) = (None, None);
        for part in query.consistent().first(2).await? {
            match part {
                PartItem::Header(item) => header = Some(item),
                PartItem::Lines(item) => lines = Some(item),
                PartItem::Other => {}
            }
        }
        match (header, lines) {
            (Some(header), Some(lines)) => header.with(lines).map(Some),
            // A query is not isolated from a transaction: it may see one part while both are being written.
            (Some(_), None) | (None, Some(_) | None) => Ok(None),
        }
    }

    /// Stores a new order and takes its uses of discounts, all in one transaction.
    ///
    /// # Errors
    /// Returns [`StoreError`] if a request to DynamoDB fails.
    pub async fn create(&self, order: &Order) -> Result<Created, StoreError> {
        self.create_quoted(order, None).await
    }

    /// Stores a new order as [`OrderStore::create`] does, and uses its quote up in the same transaction.
    ///
    /// # Errors
    /// Returns [`StoreError`] if a request to DynamoDB fails.
    pub async fn create_quoted(
        &self,
        order: &Order,
        quote: Option<&QuoteUse>,
    ) -> Result<Created, StoreError> {
        let absent = "attribute_not_exists(order_id)";
        let header = PartItem::Header(HeaderItem::from_order(order));
        let lines = PartItem::Lines(LinesItem::from_order(order));
        let mut writes = vec![
            self.table.put(&header)?.when(absent),
            self.table.put(&lines)?.when(absent),
        ];
        for taken in &order.uses {
            writes.push(taken.take(&self.table)?);
        }
        let quote_at = writes.len();
        if let Some(quote) = quote {
            writes.push(uses::use_quote(&self.table, quote)?);
        }
        Ok(match self.table.transact(writes).await? {
            Written::Done => Created::Done,
            Written::Refused(places) if places.iter().any(|place| *place < 2) => Created::Exists,
            Written::Refused(places) if places.contains(&quote_at) => Created::QuoteUsed,
            Written::Refused(_) => Created::UsedUp,
        })
    }

    /// Returns those of `wanted` that have reached their limit.
    ///
    /// # Errors
    /// Returns [`StoreError`] if a request to DynamoDB fails.
    pub async fn used_up(&self, wanted: &[Use]) -> Result<Vec<Use>, StoreError> {
        uses::used_up(&self.table, wanted).await
    }

    /// Returns whether the customer has an order that is neither failed nor cancelled. The index may lag by a moment.
    ///
    /// # Errors
    /// Returns [`StoreError`] if a request to DynamoDB fails.
    pub async fn has_ordered(&self, customer: CustomerId) -> Result<bool, StoreError> {
        let query = self
            .table
            .newest_first("by-customer", "customer_id", customer, None);
        let headers: Vec<HeaderItem> = query.first(100).await?;
        let closed = [Status::Failed, Status::Cancelled];
        let counts = |header: &HeaderItem| !closed.iter().any(|of| header.has_status(*of));
        Ok(headers.iter().any(counts))
    }

    /// Replaces the header that has `order.revision`, gives back the uses `given_back` in the same transaction, and
    /// returns the order as it is then, with the next revision. The lines stay as they are. Returns `None` if the
    /// stored header has another revision: read and decide again, because the change may have been made already.
    ///
    /// # Errors
    /// Returns [`StoreError`] if a request to DynamoDB fails.
    pub async fn replace(
        &self,
        order: Order,
        given_back: &[Use],
    ) -> Result<Option<Order>, StoreError> {
        let read = order.revision;
        let order = Order {
            revision: read + 1,
            ..order
        };
        let header = PartItem::Header(HeaderItem::from_order(&order));
        let write = self.table.put(&header)?.when("revision = :revision");
        let write = write.value(":revision", &read)?;
        let written = if given_back.is_empty() {
            self.table.write(write).await?
        } else {
            let given_back = given_back.iter().map(|taken| taken.give_back(&self.table));
            let writes = std::iter::once(Ok(write)).chain(given_back);
            self.table
                .transact(writes.collect::<Result<_, _>>()?)
                .await?
        };
        match written {
            Written::Done => Ok(Some(order)),
            Written::Refused(_) => Ok(None),
        }
    }

    /// Removes the payment token from the lines of the order `id`, if it is still there.
    ///
    /// # Errors
    /// Returns [`StoreError`] if a request to DynamoDB fails.
    pub async fn forget_token(&self, id: OrderId) -> Result<(), StoreError> {
        let write = self
            .table
            .update(lines_key(id), "REMOVE payment_token")
            .when("attribute_exists(payment_token)");
        self.table.write(write).await?;
        Ok(())
    }

    /// Erases the address of `order`, except for its country.
    ///
    /// # Errors
    /// Returns [`StoreError`] if a request to DynamoDB fails.
    pub async fn erase_address(&self, order: &Order) -> Result<(), StoreError> {
        let erased = AddressItem::from(order.shipping_address.erased());
        let write = self
            .table
            .update(lines_key(order.id), "SET address = :erased")
            .value(":erased", &erased)?
            .when("attribute_exists(order_id)");
        self.table.write(write).await.map(drop)
    }

    /// Returns a page of the orders of `customer`, newest first, with `status` only those that have it. The index may
    /// lag by a moment and does not have what only the workflow needs (`due_at`, `erase_at`, `run`, `revision`), so
    /// these orders are to be shown, and to be read again before they are changed.
    ///
    /// # Errors
    /// Returns [`StoreError`] if a request to DynamoDB fails.
    pub async fn by_customer(
        &self,
        customer: CustomerId,
        status: Option<Status>,
        page: &PageRequest,
    ) -> Result<Page<Order>, StoreError> {
        let wanted = page.limit + 1;
        let mut after = page.after.clone();
        let mut found: Vec<HeaderItem> = Vec::new();
        loop {
            let query =
                self.table
                    .newest_first("by-customer", "customer_id", customer, after.as_deref());
            // DynamoDB would read as much if it did the filtering. A filtered page is read in larger steps.
            let step = if status.is_some() { 100 } else { wanted };
            let headers: Vec<HeaderItem> = query.first(step).await?;
            let last = headers.len() < step;
            after = headers.last().map(|header| header.position.clone());
            let matching = headers
                .into_iter()
                .filter(|header| status.is_none_or(|status| header.has_status(status)));
            found.extend(matching);
            if last || found.len() >= wanted {
                return self.page(found, page).await;
            }
        }
    }

    /// Returns a page of all orders with `status`, newest first, as [`OrderStore::by_customer`] does.
    ///
    /// # Errors
    /// Returns [`StoreError`] if a request to DynamoDB fails.
    pub async fn by_status(
        &self,
        status: Status,
        page: &PageRequest,
    ) -> Result<Page<Order>, StoreError> {
        let after = page.after.as_deref();
        let shards = (0..SHARDS).map(|shard| {
            let key = status_shard(status, shard);
            self.table
                .newest_first("by-status", "status_shard", key, after)
        });
        let position = |header: &HeaderItem| header.position.clone();
        let found = dynamo::merged(shards.collect(), page.limit + 1, true, position).await?;
        self.page(found, page).await
    }

    /// Returns the page that `found` begins with, after reading the lines of its orders.
    async fn page(
        &self,
        found: Vec<HeaderItem>,
        page: &PageRequest,
    ) -> Result<Page<Order>, StoreError> {
        let headers = Page::cut(found, page.limit, |header| header.position.clone());
        let keys = headers
            .items
            .iter()
            .map(|header| lines_key(header.order_id));
        // A consistent read has the lines of every order that the index has.
        let lines: Vec<LinesItem> = self.table.get_many(keys.collect(), true).await?;
        let mut lines: HashMap<OrderId, LinesItem> = lines
            .into_iter()
            .map(|item| (item.order_id, item))
            .collect();
        let mut items = Vec::with_capacity(headers.items.len());
        for header in headers.items {
            if let Some(lines) = lines.remove(&header.order_id) {
                items.push(header.with(lines)?);
            }
        }
        Ok(Page {
            items,
            next: headers.next,
        })
    }

    /// Returns the orders that guests placed with the address `email`, in upper or lower case. The index may lag by a
    /// moment.
    ///
    /// # Errors
    /// Returns [`StoreError`] if a request to DynamoDB fails.
    pub async fn guest_orders(&self, email: &Email) -> Result<Vec<OrderId>, StoreError> {
        let query = self
            .table
            .query("guest_email = :email")
            .index("by-guest")
            .value(":email", email.lowercase());
        let found: Vec<IdItem> = query.all().await?;
        Ok(found.into_iter().map(|item| item.order_id).collect())
    }

    /// Returns the orders that are to be run, or to lose their address, by `now`. The index may lag by a moment.
    ///
    /// # Errors
    /// Returns [`StoreError`] if a request to DynamoDB fails.
    pub async fn due(&self, now: Time) -> Result<Vec<OrderId>, StoreError> {
        let shards = (0..SHARDS).map(async |shard| {
            let query = self
                .table
                .query("due_shard = :shard AND due_at <= :now")
                .index("by-due")
                .value(":shard", shard)
                .value(":now", now);
            query.all::<IdItem>().await
        });
        let shards = futures::future::try_join_all(shards).await?;
        Ok(shards
            .into_iter()
            .flatten()
            .map(|item| item.order_id)
            .collect())
    }
}

#[derive(serde::Deserialize)]
struct IdItem {
    order_id: OrderId,
}

#[cfg(test)]
mod tests;
