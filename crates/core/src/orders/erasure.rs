//! Consumes `CustomerDeleted`: the addresses of a deleted customer's orders are erased.
//!
//! An order that is over loses its address at once: recipient, street, town and phone. The country stays for the
//! books. An order that is on its way keeps its address, because a parcel needs it, and is marked: the step that
//! closes the order erases the address then, and otherwise `run-due-orders` does when the time for a parcel is over
//! (`erase_if_due`).

use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _};

use super::change::{self, Change};
use super::events::{self, CustomerEvent};
use super::model::Order;
use super::remaining::Remaining;
use super::rules::erasure;
use super::store::OrderStore;
use crate::aws::dynamo::StoreError;
use crate::aws::settings::{Setting, SettingError};
use crate::aws::{Aws, telemetry};
use crate::customers::model::Email;
use crate::customers::store::CustomerStore;
use crate::runtime::{ConsumeError, Message};
use crate::values::clock::Time;
use crate::values::id::{CustomerId, OrderId};

/// A day, in hours.
const DAY: u64 = 24;

/// How many orders are read from the index at a time, and how many are erased at the same time.
const PAGE: usize = 100;
const AT_ONCE: usize = 8;

/// How many orders are erased when the event arrives. The others follow, minute by minute.
const AT_FIRST: usize = 500;

/// How many orders one run of `run-due-orders` erases of those that are left.
const IN_A_RUN: usize = 1_000;

/// How many deletions one run of `run-due-orders` continues.
const DELETIONS_IN_A_RUN: usize = 10;

/// The pause after which an erasure that failed is continued.
const PAUSE: Duration = Duration::from_mins(5);

/// Erases addresses, after the time that the shop has set.
#[derive(Clone, Debug)]
pub struct Erasure {
    pub(super) orders: OrderStore,
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

    /// Returns the erasure of a shop that gives a parcel as long as `patience`.
    #[cfg(test)]
    pub(super) fn for_tests(orders: OrderStore, patience: Duration) -> Self {
        Self { orders, patience }
    }

    /// Erases the orders of `customer`, whose account was deleted at `deleted_at`, as [`on_customer_deleted`] does.
    ///
    /// # Errors
    /// Returns [`StoreError`]; what is left has to be erased again.
    pub(super) async fn begin(
        &self,
        customer: CustomerId,
        deleted_at: Time,
        now: Time,
    ) -> Result<(), StoreError> {
        let erase_at = deleted_at.plus(self.patience);
        let mut after = None;
        for _ in 0..AT_FIRST / PAGE {
            let position = after.as_deref();
            after = erase_page(&self.orders, customer, position, erase_at, now).await?;
            if after.is_none() {
                return Ok(());
            }
        }
        let Some(after) = after else { return Ok(()) };
        let remaining = Remaining {
            customer,
            erase_at,
            after,
            due_at: now,
        };
        self.orders.leave_erasure(&remaining).await
    }
}

/// What became of the orders of a guest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct GuestErasure {
    /// How many were erased.
    pub(super) erased: usize,
    /// How many are on their way and will be erased.
    pub(super) marked: usize,
    /// Whether there may be more.
    pub(super) more: bool,
}

impl Erasure {
    /// Erases the orders that were placed with `email` as a guest, or marks those on their way to be erased as long after
    /// `asked_at` as the shop has set: at most [`AT_FIRST`] orders. Neither kind is found with the address afterwards. The
    /// order `last` comes last of all, so that it is there as long as any other is.
    ///
    /// # Errors
    /// Returns [`StoreError`]; what is left has to be erased again.
    pub(super) async fn erase_guest(
        &self,
        email: &Email,
        last: Option<OrderId>,
        asked_at: Time,
        now: Time,
    ) -> Result<GuestErasure, StoreError> {
        let erase_at = asked_at.plus(self.patience);
        let mut done = GuestErasure::default();
        let mut after = None;
        for _ in 0..AT_FIRST / PAGE {
            let page = self.orders.guest_orders(email, after.as_deref(), PAGE);
            let page = page.await?;
            let ids = page.items.into_iter().filter(|id| Some(*id) != last);
            done.count(&erase_all(&self.orders, ids, erase_at, now).await?);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        done.more = after.is_some();
        if let Some(last) = last.filter(|_| !done.more) {
            done.count(&erase_all(&self.orders, [last], erase_at, now).await?);
        }
        Ok(done)
    }
}

impl GuestErasure {
    fn count(&mut self, erased: &[bool]) {
        let count = erased.iter().filter(|erased| **erased).count();
        self.erased += count;
        self.marked += erased.len() - count;
    }
}

/// Erases the addresses of the customer's orders. Where a parcel may still need the address, the order is marked
/// instead, for as many days after the deletion as the shop has set. A repeated delivery changes nothing.
///
/// The first `AT_FIRST` orders are erased at once. If there are more, the position is stored, and `run-due-orders`
/// continues there. Then the orders that were placed as a guest with the account's confirmed address are erased or
/// marked, too, as many in each delivery.
///
/// # Errors
/// Returns [`ConsumeError`] if the message is to be delivered again.
pub async fn on_customer_deleted(
    erasure: &Erasure,
    customers: &CustomerStore,
    message: Message,
) -> Result<(), ConsumeError> {
    let CustomerEvent {
        customer,
        happened_at,
        now,
    } = events::of_customer(&message, "CustomerDeleted")?;
    erasure.begin(customer, happened_at, now).await?;
    let Some(email) = customers.left_address(customer).await? else {
        return Ok(());
    };
    let guest = erasure.erase_guest(&email, None, happened_at, now).await?;
    if guest.more {
        // What is erased or marked is no longer found, so the next delivery continues here.
        return Err(StoreError::Busy("there are more orders of the guest".into()).into());
    }
    Ok(())
}

/// Erases or marks the orders of one page. Returns the position after which the next page begins, or `None` after the
/// last.
async fn erase_page(
    orders: &OrderStore,
    customer: CustomerId,
    after: Option<&str>,
    erase_at: Time,
    now: Time,
) -> Result<Option<String>, StoreError> {
    let page = orders.ids_of_customer(customer, after, PAGE).await?;
    erase_all(orders, page.items, erase_at, now).await?;
    Ok(page.next)
}

/// Erases or marks the orders `ids`, a few at a time. Returns for each whether it is erased.
async fn erase_all(
    orders: &OrderStore,
    ids: impl IntoIterator<Item = OrderId>,
    erase_at: Time,
    now: Time,
) -> Result<Vec<bool>, StoreError> {
    let ids = ids.into_iter();
    let erased = ids.map(|id| Box::pin(erase_or_mark(orders, id, erase_at, now)));
    let erased = futures::stream::iter(erased).buffer_unordered(AT_ONCE);
    erased.try_collect().await
}

/// Continues the erasures that are not finished, as far as one run may go.
///
/// # Errors
/// Returns [`StoreError`]; what is left is erased by a later run. An erasure that fails waits for a few minutes, so that
/// it does not hold up the others.
pub(super) async fn continue_erasures(orders: &OrderStore, now: Time) -> Result<(), StoreError> {
    let unfinished = orders.unfinished_erasures(now, DELETIONS_IN_A_RUN).await?;
    let pages_each = IN_A_RUN / PAGE / unfinished.len().max(1);
    let mut outcome = Ok(());
    for remaining in unfinished {
        let customer = remaining.customer;
        let left = Remaining {
            due_at: now.plus(PAUSE),
            ..remaining.clone()
        };
        if let Err(error) = continue_erasure(orders, remaining, pages_each.max(1), now).await {
            orders.continue_erasure(&left).await?;
            let error_text = telemetry::chain(&error);
            tracing::error!(customer.id = %customer, error = error_text, "orders not erased");
            outcome = Err(error);
        }
    }
    outcome
}

/// Erases up to `pages` pages of what is `remaining`, and stores the position after each.
async fn continue_erasure(
    orders: &OrderStore,
    mut remaining: Remaining,
    pages: usize,
    now: Time,
) -> Result<(), StoreError> {
    for _ in 0..pages {
        let Remaining {
            customer, erase_at, ..
        } = remaining;
        let after = Some(remaining.after.as_str());
        match erase_page(orders, customer, after, erase_at, now).await? {
            Some(after) => remaining.after = after,
            None => return orders.end_erasure(customer).await,
        }
        remaining.due_at = now;
        orders.continue_erasure(&remaining).await?;
    }
    Ok(())
}

/// Erases the address of the order `id` now, or marks it to be erased at `erase_at` at the latest. Returns whether it is
/// erased.
async fn erase_or_mark(
    orders: &OrderStore,
    id: OrderId,
    erase_at: Time,
    now: Time,
) -> Result<bool, StoreError> {
    let mark = |order| Ok::<_, StoreError>(erasure::mark(order, erase_at, now));
    let marked = change::apply(orders, id, mark).await?;
    match marked {
        Some(Change::Unneeded(order)) if erasure::is_due(&order, erase_at, now) => {
            erase(orders, &order).await?;
            Ok(true)
        }
        Some(Change::Made(_) | Change::Unneeded(_)) | None => Ok(false),
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
    if order.erase_at.is_some() || order.guest.is_some() {
        let erased = order.with_erased_lines();
        let unmark = |order| Ok::<_, StoreError>(erasure::unmark(order));
        change::apply_to(orders, erased, unmark).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
