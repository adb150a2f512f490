//! Orders in DynamoDB.
//!
//! Items: `order_id`, `part` = `header` or `lines`. Every write of a header is conditional on its `revision`, so a
//! decision that was made on an old state is refused and made again.

use std::collections::HashMap;

use super::item::{HeaderItem, LinesItem, PartItem, SHARDS, status_shard};
use super::model::{Order, Status};
use super::uses::{QuoteUse, Use};
use crate::aws::Aws;
use crate::aws::dynamo::{self, Key, StoreError, Table, Write, Written};
use crate::aws::settings::{Setting, SettingError};
use crate::customers::model::Email;
use crate::http::page::{Page, PageRequest};
use crate::pricing::model::Code;
use crate::values::address::AddressItem;
use crate::values::id::{CustomerId, DiscountId, OrderId};

mod earlier;
mod numbers;
mod uses;
mod waiting;

/// How many of a customer's orders are looked at for one page of those with one status, and how many at a time.
const MOST_FILTERED: usize = 1_000;
const FILTER_STEP: usize = 100;

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
    /// Nothing is stored, because less is left on a gift card than the order takes.
    CardChanged,
}

fn header_key(id: OrderId) -> Key {
    Key::new("order_id", id).and("part", "header")
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
            (Some(header), Some(lines)) => header.into_order(lines).map(Some),
            // A query is not isolated from a transaction: it may see one part while both are being written.
            (Some(_), None) | (None, Some(_) | None) => Ok(None),
        }
    }

    /// Stores a new order and takes its uses of discounts, all in one transaction.
    ///
    /// # Errors
    /// Returns [`StoreError`] if a request to DynamoDB fails.
    pub async fn create(&self, order: &Order) -> Result<Created, StoreError> {
        self.create_paid(order, None, Vec::new()).await
    }

    /// Stores a new order as [`OrderStore::create`] does, uses its quote up, and makes the writes `from_cards`, by which it
    /// takes from gift cards, in the same transaction.
    ///
    /// # Errors
    /// Returns [`StoreError`] if a request to DynamoDB fails.
    pub async fn create_paid(
        &self,
        order: &Order,
        quote: Option<&QuoteUse>,
        from_cards: Vec<Write>,
    ) -> Result<Created, StoreError> {
        let header = PartItem::Header(HeaderItem::from_order(order));
        let lines = PartItem::Lines(LinesItem::from_order(order));
        // The lines are there if and only if the header is, so one condition is enough.
        let absent = "attribute_not_exists(order_id)";
        let header = self.table.put(&header)?.when(absent);
        let mut writes = vec![header, self.table.put(&lines)?];
        for taken in &order.uses {
            writes.push(taken.take(&self.table)?);
        }
        let quote_at = writes.len();
        if let Some(quote) = quote {
            writes.push(uses::use_quote(&self.table, quote)?);
        }
        let cards_at = writes.len();
        writes.extend(from_cards);
        Ok(match self.table.transact(writes).await? {
            Written::Done => Created::Done,
            Written::Refused(places) if places.contains(&0) => Created::Exists,
            Written::Refused(places) if quote.is_some() && places.contains(&quote_at) => {
                Created::QuoteUsed
            }
            Written::Refused(places) if places.iter().any(|place| *place >= cards_at) => {
                Created::CardChanged
            }
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

    /// Returns how many uses of `discount` were taken while it had no limit.
    ///
    /// # Errors
    /// Returns [`StoreError`] if a request to DynamoDB fails.
    pub async fn unlimited_uses(&self, discount: DiscountId) -> Result<u32, StoreError> {
        uses::unlimited(&self.table, discount).await
    }

    /// Returns those of `codes` of `discount` that an order has used. This may lag by a moment.
    ///
    /// # Errors
    /// Returns [`StoreError`] if a request to DynamoDB fails.
    pub async fn used_codes(
        &self,
        discount: DiscountId,
        codes: &[Code],
    ) -> Result<Vec<Code>, StoreError> {
        uses::used_codes(&self.table, discount, codes).await
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
        let (order, write) = self.next_header(order)?;
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

    /// Replaces the header that has `order.revision`, as [`OrderStore::replace`] does, and the address in the lines, in one
    /// transaction.
    ///
    /// # Errors
    /// Returns [`StoreError`] if a request to DynamoDB fails.
    pub async fn replace_with_address(&self, order: Order) -> Result<Option<Order>, StoreError> {
        let (order, header) = self.next_header(order)?;
        let address = AddressItem::from(order.shipping_address.clone());
        let lines = self
            .table
            .update(lines_key(order.id), "SET address = :address")
            .value(":address", &address)?;
        match self.table.transact(vec![header, lines]).await? {
            Written::Done => Ok(Some(order)),
            Written::Refused(_) => Ok(None),
        }
    }

    /// Returns `order` with the next revision, and the write of its header, which is refused if the stored one has another
    /// revision than `order`.
    fn next_header(&self, order: Order) -> Result<(Order, Write), StoreError> {
        let read = order.revision;
        let order = Order {
            revision: read + 1,
            ..order
        };
        let header = PartItem::Header(HeaderItem::from_order(&order));
        let write = self.table.put(&header)?.when("revision = :revision");
        Ok((order, write.value(":revision", &read)?))
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

    /// Erases the address of `order`, except for its country, and what its customer told about it.
    ///
    /// # Errors
    /// Returns [`StoreError`] if a request to DynamoDB fails.
    pub async fn erase_address(&self, order: &Order) -> Result<(), StoreError> {
        let erased = AddressItem::from(order.shipping_address.erased());
        let write = self
            .table
            .update(lines_key(order.id), "SET address = :erased REMOVE details")
            .value(":erased", &erased)?
            .when("attribute_exists(order_id)");
        self.table.write(write).await.map(drop)
    }

    /// Returns a page of the orders of `customer`, newest first, with `status` only those that have it. The index may
    /// lag by a moment and does not have what only the workflow needs (`due_at`, `erase_at`, `run`, `revision`), so
    /// these orders are to be shown, and to be read again before they are changed.
    ///
    /// At most `MOST_FILTERED` orders are looked at for one page. If the page is not full by then, it ends there, and
    /// the next one continues.
    ///
    /// # Errors
    /// Returns [`StoreError`] if a request to DynamoDB fails.
    pub async fn by_customer(
        &self,
        customer: CustomerId,
        status: Option<Status>,
        page: &PageRequest,
    ) -> Result<Page<Order>, StoreError> {
        let query = |after: Option<&str>| {
            self.table
                .newest_first("by-customer", "customer_id", customer, after)
        };
        let position = |header: &HeaderItem| header.position.clone();
        let Some(status) = status else {
            let query = query(page.after.as_deref());
            let found = query.first(page.limit + 1).await?;
            return self.page(Page::cut(found, page.limit, position)).await;
        };
        // DynamoDB would read as much if it did the filtering.
        let mut after = page.after.clone();
        let mut found: Vec<HeaderItem> = Vec::new();
        let mut seen = 0;
        while found.len() <= page.limit && seen < MOST_FILTERED {
            let headers: Vec<HeaderItem> = query(after.as_deref()).first(FILTER_STEP).await?;
            seen += FILTER_STEP;
            let next = headers.get(FILTER_STEP - 1).map(position);
            found.extend(
                headers
                    .into_iter()
                    .filter(|header| header.has_status(status)),
            );
            let Some(next) = next else {
                return self.page(Page::cut(found, page.limit, position)).await;
            };
            after = Some(next);
        }
        let mut cut = Page::cut(found, page.limit, position);
        cut.next = cut.next.or(after);
        self.page(cut).await
    }

    /// Returns a page of the orders that were placed with the address `email` as a guest, newest first. The index may lag
    /// by a moment.
    ///
    /// # Errors
    /// Returns [`StoreError`] if a request to DynamoDB fails.
    pub async fn by_guest(
        &self,
        email: &Email,
        page: &PageRequest,
    ) -> Result<Page<Order>, StoreError> {
        let found = self.guest_orders(email, page.after.as_deref(), page.limit);
        let found = found.await?;
        let keys = found.items.iter().map(|id| header_key(*id));
        // The index has only keys.
        let headers: Vec<HeaderItem> = self.table.get_many(keys.collect(), false).await?;
        let mut headers: HashMap<OrderId, HeaderItem> = headers
            .into_iter()
            .map(|header| (header.order_id, header))
            .collect();
        let items = found.items.iter();
        let headers = Page {
            items: items.filter_map(|id| headers.remove(id)).collect(),
            next: found.next,
        };
        self.page(headers).await
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
        self.page(Page::cut(found, page.limit, position)).await
    }

    /// Returns the page of the orders with these headers, after reading their lines.
    async fn page(&self, headers: Page<HeaderItem>) -> Result<Page<Order>, StoreError> {
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
                items.push(header.into_order(lines)?);
            }
        }
        Ok(Page {
            items,
            next: headers.next,
        })
    }
}

#[cfg(test)]
mod tests;
