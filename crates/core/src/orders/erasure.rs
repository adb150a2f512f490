//! Consumes `CustomerDeleted`: the addresses of a deleted customer's orders are erased.
//!
//! An order that is over loses its address at once: recipient, street, town and phone. The country stays for the
//! books. An order that is on its way keeps its address, because a parcel needs it, and is marked: the step that
//! closes the order erases the address then, and otherwise `run-due-orders` does when the time for a parcel is over
//! (`erase_if_due`).

use std::time::Duration;

use super::change::{self, Change};
use super::events;
use super::model::Order;
use super::rules::erasure;
use super::store::OrderStore;
use crate::aws::Aws;
use crate::aws::dynamo::StoreError;
use crate::aws::settings::{Setting, SettingError};
use crate::http::page::PageRequest;
use crate::runtime::{ConsumeError, Message};
use crate::values::clock::Time;
use crate::values::id::OrderId;

/// A day, in hours.
const DAY: u64 = 24;

/// Erases addresses, after the time that the shop has set.
#[derive(Clone, Debug)]
pub struct Erasure {
    orders: OrderStore,
    patience: Duration,
}

impl Erasure {
    /// Reads the settings.
    ///
    /// # Errors
    /// Returns [`SettingError`] if a setting is missing or not valid.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        let days: u32 = aws.settings().read(Setting::ErasureDays)?;
        Ok(Self {
            orders: OrderStore::new(aws)?,
            patience: Duration::from_hours(DAY * u64::from(days)),
        })
    }
}

/// Erases the addresses of the customer's orders. Where a parcel may still need the address, the order is marked
/// instead, for as many days after the deletion as the shop has set. A repeated delivery changes nothing.
///
/// # Errors
/// Returns [`ConsumeError`] if the message is to be delivered again.
pub async fn on_customer_deleted(erasure: &Erasure, message: Message) -> Result<(), ConsumeError> {
    let event = events::of_customer(&message, "CustomerDeleted")?;
    let erase_at = event.happened_at.plus(erasure.patience);
    let mut page = PageRequest {
        limit: 100,
        after: None,
    };
    loop {
        let found = erasure
            .orders
            .by_customer(event.customer, None, &page)
            .await?;
        for order in found.items {
            erase_or_mark(&erasure.orders, order.id, erase_at, event.now).await?;
        }
        if found.next.is_none() {
            return Ok(());
        }
        page.after = found.next;
    }
}

/// Erases the address of the order `id` now, or marks it to be erased at `erase_at` at the latest.
async fn erase_or_mark(
    orders: &OrderStore,
    id: OrderId,
    erase_at: Time,
    now: Time,
) -> Result<(), StoreError> {
    let mark = |order| Ok::<_, StoreError>(erasure::mark(order, erase_at, now));
    let marked = change::apply(orders, id, mark).await?;
    match marked {
        Some(Change::Unneeded(order)) if erasure::is_due(&order, erase_at, now) => {
            erase(orders, &order).await
        }
        Some(Change::Made(_) | Change::Unneeded(_)) | None => Ok(()),
    }
}

/// Erases the address of `order` if it is marked and its time has come by `now`.
///
/// # Errors
/// Returns [`StoreError`]; the order is then still marked, and stays in the index of due orders.
pub(super) async fn erase_if_due(
    orders: &OrderStore,
    order: &Order,
    now: Time,
) -> Result<(), StoreError> {
    if order.erase_at.is_some_and(|erase_at| erase_at <= now) {
        erase(orders, order).await?;
        tracing::info!(order.id = %order.id, "address erased");
    }
    Ok(())
}

/// Erases the address first and then the mark, so that a run that dies in between is made again.
async fn erase(orders: &OrderStore, order: &Order) -> Result<(), StoreError> {
    orders.erase_address(order).await?;
    if order.erase_at.is_some() {
        let erased = Order {
            shipping_address: order.shipping_address.erased(),
            ..order.clone()
        };
        let unmark = |order| Ok::<_, StoreError>(erasure::unmark(order));
        change::apply_to(orders, erased, unmark).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
