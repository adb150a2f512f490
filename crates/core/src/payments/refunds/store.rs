//! Refunds in DynamoDB: one item each, keyed by its id, which follows from the idempotency key. What a refund takes of
//! its payment is written in the same transaction.

use serde::{Deserialize, Serialize};

use super::model::{Refund, RefundError, RefundStatus};
use crate::aws::Aws;
use crate::aws::dynamo::{Key, StoreError, Table, Write, Written, unreadable};
use crate::aws::settings::{Setting, SettingError};
use crate::http::page::Page;
use crate::payments::model::{Change, Payment, Units};
use crate::payments::store::PaymentStore;
use crate::values::clock::Time;
use crate::values::id::{OrderId, PaymentId, RefundId};
use crate::values::money::{Currency, Money};

/// The version of the shape of [`RefundItem`].
const SCHEMA: u32 = 1;

/// The only key of the index of pending refunds: there are few at a time.
const DUE: &str = "refund";

/// The refunds table, and the payments that refunds take from.
#[derive(Clone, Debug)]
pub struct RefundStore {
    table: Table,
    payments: PaymentStore,
}

/// A refund as stored; the amount is in the currency's smallest unit.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct RefundItem {
    refund_id: RefundId,
    payment_id: PaymentId,
    order_id: OrderId,
    /// The sort key of a payment's refunds.
    position: String,
    currency: Currency,
    amount: u64,
    /// How much of it goes to gift cards; absent if nothing does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    gift_cards: Option<u64>,
    #[serde(default, skip_serializing_if = "Units::is_empty")]
    units: Units,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    restock: bool,
    status: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
    attempts: u32,
    /// [`DUE`] while it is pending.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due_at: Option<Time>,
    request_hash: String,
    schema: u32,
    created_at: Time,
    updated_at: Time,
}

/// How the attempt to store a new refund ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Created {
    /// It is stored.
    Done,
    /// There is a refund with its id.
    Exists,
    /// The payment does not have what it takes, or has changed since it was read.
    Refused,
}

impl RefundItem {
    fn new(refund: &Refund) -> Result<Self, serde_dynamo::Error> {
        let amount = refund.amount.minor_units();
        let gift_cards = refund.gift_card_amount.minor_units();
        Ok(Self {
            refund_id: refund.id,
            payment_id: refund.payment_id,
            order_id: refund.order_id,
            position: position(refund),
            currency: refund.amount.currency(),
            amount: amount.ok_or_else(|| unreadable("a refund is less than zero"))?,
            gift_cards: gift_cards.filter(|units| *units > 0),
            units: refund.units.clone(),
            reason: refund.reason.clone(),
            restock: refund.restock,
            status: refund.status.as_str().to_owned(),
            failure: refund.failure.clone(),
            attempts: refund.attempts,
            due: refund.due_at.map(|_| DUE.to_owned()),
            due_at: refund.due_at,
            request_hash: refund.request_hash.clone(),
            schema: SCHEMA,
            created_at: refund.created_at,
            updated_at: refund.updated_at,
        })
    }

    fn into_refund(self) -> Result<Refund, serde_dynamo::Error> {
        let amount = Money::from_minor_units(self.amount, self.currency);
        let gift_cards = Money::from_minor_units(self.gift_cards.unwrap_or(0), self.currency);
        Ok(Refund {
            id: self.refund_id,
            payment_id: self.payment_id,
            order_id: self.order_id,
            amount: amount.map_err(unreadable)?,
            gift_card_amount: gift_cards.map_err(unreadable)?,
            units: self.units,
            reason: self.reason,
            restock: self.restock,
            status: self.status.parse().map_err(unreadable)?,
            failure: self.failure,
            attempts: self.attempts,
            due_at: self.due_at,
            request_hash: self.request_hash,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}

/// Returns the sort key of a payment's refunds.
fn position(refund: &Refund) -> String {
    format!("{}#{}", refund.created_at, refund.id)
}

impl RefundStore {
    /// Returns the store of the tables that the settings name (`REFUNDS_TABLE`, `PAYMENTS_TABLE`).
    ///
    /// # Errors
    /// [`SettingError`] if a setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        Ok(Self {
            table: Table::new(aws, Setting::RefundsTable)?,
            payments: PaymentStore::new(aws)?,
        })
    }

    /// Returns the payments that the refunds are of.
    #[must_use]
    pub fn payments(&self) -> &PaymentStore {
        &self.payments
    }

    /// Returns the refund with `id`, read consistently.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get(&self, id: RefundId) -> Result<Option<Refund>, StoreError> {
        let found: Option<RefundItem> = self.table.get(Key::new("refund_id", id)).await?;
        Ok(found.map(RefundItem::into_refund).transpose()?)
    }

    /// Returns at most `limit` refunds of `payment`, newest first, from after the position `after` on. The index may lag by
    /// a moment.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn of_payment(
        &self,
        payment: PaymentId,
        limit: usize,
        after: Option<&str>,
    ) -> Result<Page<Refund>, StoreError> {
        let query = self
            .table
            .newest_first("by-payment", "payment_id", payment, after);
        let found = query.first(limit + 1).await?;
        Ok(Page::cut(refunds(found)?, limit, position))
    }

    /// Returns at most `most` pending refunds that are due by `now`, those first that have been due longest. The index may
    /// lag by a moment.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn due(&self, now: Time, most: usize) -> Result<Vec<Refund>, StoreError> {
        let query = self
            .table
            .query("due = :due AND due_at <= :now")
            .index("by-due");
        let query = query.value(":due", DUE).value(":now", now);
        Ok(refunds(query.first(most).await?)?)
    }

    /// Stores a new `refund`, and takes its amount and pieces from `payment`.
    ///
    /// # Errors
    /// [`RefundError::Store`].
    pub async fn create(&self, payment: &Payment, refund: &Refund) -> Result<Created, RefundError> {
        let put = self.table.put(&RefundItem::new(refund)?)?;
        let put = put.when("attribute_not_exists(refund_id)");
        let units = refund.added_to(&payment.refunded_units);
        let take = self.payments.take_write(payment, parts(refund)?, &units)?;
        Ok(match self.table.transact(vec![put, take]).await? {
            Written::Done => Created::Done,
            Written::Refused(places) if places.contains(&0) => Created::Exists,
            Written::Refused(_) => Created::Refused,
        })
    }

    /// Stores that `refund` has succeeded, and that `payment` becomes `next` by it, with its event. Refused if one of them
    /// has changed since it was read.
    ///
    /// # Errors
    /// [`RefundError::Store`].
    pub async fn succeed(
        &self,
        payment: &Payment,
        next: &Payment,
        refund: &Refund,
    ) -> Result<Written, RefundError> {
        let record = self.record_write(payment, next, refund)?;
        let outcome = self.pending(refund)?;
        Ok(self.table.transact(vec![outcome, record]).await?)
    }

    /// Stores that `refund` has failed, and gives back to `payment` what it took. Refused if one of them has changed since
    /// it was read.
    ///
    /// # Errors
    /// [`RefundError::Store`].
    pub async fn fail(&self, payment: &Payment, refund: &Refund) -> Result<Written, RefundError> {
        let units = refund.taken_from(&payment.refunded_units);
        let give_back = self
            .payments
            .give_back_write(payment, parts(refund)?, &units)?;
        let outcome = self.pending(refund)?;
        Ok(self.table.transact(vec![outcome, give_back]).await?)
    }

    /// Stores `refund`, of which `amount` came back from the gateway, and that `payment` becomes `next` by it, with its event. Refused
    /// if one of them has changed since it was read.
    ///
    /// # Errors
    /// [`RefundError::Store`].
    pub async fn take_back(
        &self,
        payment: &Payment,
        next: &Payment,
        refund: &Refund,
        amount: Money,
    ) -> Result<Written, RefundError> {
        let payment = self
            .payments
            .return_write(payment, next, refund.id, amount)?;
        let outcome = self.instead_of(RefundStatus::Succeeded, refund)?;
        Ok(self.table.transact(vec![outcome, payment]).await?)
    }

    /// Stores when a pending refund is asked for again. Refused if its outcome is known.
    ///
    /// # Errors
    /// [`RefundError::Store`].
    pub async fn postpone(&self, refund: &Refund) -> Result<Written, RefundError> {
        Ok(self.table.write(self.pending(refund)?).await?)
    }

    /// Stores the refund of all that was left, by which `payment` becomes `next`, with its event. Refused if the payment has
    /// changed since it was read.
    ///
    /// # Errors
    /// [`RefundError::Store`].
    pub async fn record_rest(
        &self,
        payment: &Payment,
        next: &Payment,
        refund: &Refund,
    ) -> Result<Written, RefundError> {
        let record = self.record_write(payment, next, refund)?;
        let put = self.table.put(&RefundItem::new(refund)?)?;
        Ok(self.table.transact(vec![put, record]).await?)
    }

    /// Returns the write by which `payment` becomes `next`, as `refund` has succeeded.
    fn record_write(
        &self,
        payment: &Payment,
        next: &Payment,
        refund: &Refund,
    ) -> Result<Write, StoreError> {
        let change = Change::Refunded {
            total: next.amounts.refunded(),
            by: refund.id,
        };
        self.payments.record_write(payment, next, &change)
    }

    /// Returns the write of `refund` on the condition that it is pending.
    fn pending(&self, refund: &Refund) -> Result<Write, StoreError> {
        self.instead_of(RefundStatus::Pending, refund)
    }

    /// Returns the write of `refund` on the condition that its status is `stored`.
    fn instead_of(&self, stored: RefundStatus, refund: &Refund) -> Result<Write, StoreError> {
        let put = self.table.put(&RefundItem::new(refund)?)?;
        let put = put.when("#status = :stored").name("#status", "status");
        put.value(":stored", &stored.as_str())
    }
}

/// Returns what `refund` takes at the gateway, and from gift cards.
fn parts(refund: &Refund) -> Result<(Money, Money), RefundError> {
    Ok((refund.gateway_amount()?, refund.gift_card_amount))
}

fn refunds(items: Vec<RefundItem>) -> Result<Vec<Refund>, serde_dynamo::Error> {
    items.into_iter().map(RefundItem::into_refund).collect()
}

impl From<serde_dynamo::Error> for RefundError {
    fn from(error: serde_dynamo::Error) -> Self {
        Self::Store(error.into())
    }
}
