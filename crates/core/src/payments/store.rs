//! Payments in DynamoDB: one item each, keyed by the payment's id, which follows from the order's.

use serde::{Deserialize, Serialize};

use crate::aws::Aws;
use crate::aws::dynamo::{Key, StoreError, Table, Write, Written};
use crate::aws::settings::{Setting, SettingError};
use crate::values::clock::Time;
use crate::values::event::Stamp;
use crate::values::id::{OrderId, PaymentId};
use crate::values::money::{Currency, Money};

use super::model::{Amounts, Change, Payment};

/// The version of the shape of [`PaymentItem`]. Code that reads version 1 must be able to read later ones.
const SCHEMA: u32 = 1;

/// The payments table.
#[derive(Clone, Debug)]
pub struct PaymentStore {
    table: Table,
}

/// A payment as stored: amounts as numbers in the currency's smallest unit, so that write conditions
/// can compare them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct PaymentItem {
    pub(super) payment_id: PaymentId,
    pub(super) order_id: OrderId,
    pub(super) status: String,
    gateway: String,
    currency: Currency,
    pub(super) amount: u64,
    authorized: u64,
    captured: u64,
    pub(super) refunded: u64,
    attempt: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    decline: Option<String>,
    /// Set to true once voiding has begun, absent before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    void_requested: Option<bool>,
    version: u64,
    schema: u32,
    created_at: Time,
    updated_at: Time,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) event: Option<Stamp>,
}

fn unreadable(error: impl std::fmt::Display) -> serde_dynamo::Error {
    serde::de::Error::custom(error)
}

fn minor_units(money: Money) -> Result<u64, serde_dynamo::Error> {
    let units = money.minor_units();
    units.ok_or_else(|| unreadable("an amount is less than zero"))
}

impl PaymentItem {
    fn new(payment: &Payment, event: Option<Stamp>) -> Result<Self, serde_dynamo::Error> {
        Ok(Self {
            payment_id: payment.id,
            order_id: payment.order_id,
            status: payment.status.as_str().to_owned(),
            gateway: payment.gateway.name().to_owned(),
            currency: payment.amount.currency(),
            amount: minor_units(payment.amount)?,
            authorized: minor_units(payment.amounts.authorized())?,
            captured: minor_units(payment.amounts.captured())?,
            refunded: minor_units(payment.amounts.refunded())?,
            attempt: payment.attempt,
            decline: payment.decline.clone(),
            void_requested: payment.void_requested.then_some(true),
            version: payment.version,
            schema: SCHEMA,
            created_at: payment.created_at,
            updated_at: payment.updated_at,
            event,
        })
    }

    pub(super) fn money(&self, units: u64) -> Result<Money, serde_dynamo::Error> {
        Money::from_minor_units(units, self.currency).map_err(unreadable)
    }

    fn into_payment(self) -> Result<Payment, serde_dynamo::Error> {
        let amounts = Amounts::new(
            self.money(self.authorized)?,
            self.money(self.captured)?,
            self.money(self.refunded)?,
        );
        Ok(Payment {
            id: self.payment_id,
            order_id: self.order_id,
            status: self.status.parse().map_err(unreadable)?,
            gateway: self.gateway.parse().map_err(unreadable)?,
            amount: self.money(self.amount)?,
            amounts: amounts.map_err(unreadable)?,
            attempt: self.attempt,
            decline: self.decline,
            void_requested: self.void_requested.unwrap_or(false),
            version: self.version,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}

fn payment_key(id: PaymentId) -> Key {
    Key::new("payment_id", id)
}

impl PaymentStore {
    /// Creates the store of the table that the setting `PAYMENTS_TABLE` names.
    ///
    /// # Errors
    /// [`SettingError`] if the setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        Ok(Self {
            table: Table::new(aws, Setting::PaymentsTable)?,
        })
    }

    /// Returns the payment of `order_id`, read consistently.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn of_order(&self, order_id: OrderId) -> Result<Option<Payment>, StoreError> {
        self.get(Payment::id_of(order_id)).await
    }

    /// Returns the payment with `id`, read consistently.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get(&self, id: PaymentId) -> Result<Option<Payment>, StoreError> {
        let found: Option<PaymentItem> = self.table.get(payment_key(id)).await?;
        Ok(found.map(PaymentItem::into_payment).transpose()?)
    }

    /// Stores a payment before the gateway is called for it. Refused if its order has a payment.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn create(&self, payment: &Payment) -> Result<Written, StoreError> {
        self.insert(payment, None).await
    }

    /// Stores a payment of [`Payment::never_charged`], with its event. Refused if its order has a payment.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn create_voided(&self, payment: &Payment) -> Result<Written, StoreError> {
        let stamp = Change::Voided.stamp(payment, payment.created_at);
        self.insert(payment, Some(stamp)).await
    }

    async fn insert(&self, payment: &Payment, event: Option<Stamp>) -> Result<Written, StoreError> {
        let write = self.table.put(&PaymentItem::new(payment, event)?)?;
        let write = write.when("attribute_not_exists(payment_id)");
        self.table.write(write).await
    }

    /// Stores that `payment` has to be undone, without an event. From then on no run that read it before can
    /// change it. Refused if it has changed since it was read.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn request_void(&self, payment: &Payment) -> Result<Written, StoreError> {
        let write = self
            .table
            .update(payment_key(payment.id), "SET void_requested = :true")
            .when("version = :read")
            .value(":true", &true)?
            .value(":read", &payment.version)?;
        self.table.write(write).await
    }

    /// Stores `next`, which is `payment` after `change`, with its event. Refused if the stored payment has changed
    /// since it was read, or voiding has begun since then: read it again and decide again.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn record(
        &self,
        payment: &Payment,
        next: &Payment,
        change: &Change,
    ) -> Result<Written, StoreError> {
        let write = self.record_write(payment, next, change)?;
        self.table.write(write).await
    }

    /// Returns the write of [`Self::record`]. Besides the version, its condition compares the stored amounts, so that
    /// no write can break their order.
    fn record_write(
        &self,
        payment: &Payment,
        next: &Payment,
        change: &Change,
    ) -> Result<Write, StoreError> {
        // What is stored as captured is at most what is stored as authorised.
        let raises_authorized = payment.amounts.authorized() != next.amounts.authorized();
        let (set, amounts) = match change {
            Change::Unknown | Change::Declined(_) | Change::Voided => ("", ""),
            Change::Authorized(_) => (", authorized = :amount", " AND authorized <= :amount"),
            // Both become the same amount, so captured <= authorized holds.
            Change::Captured(_) if raises_authorized => (
                ", authorized = :amount, captured = :amount",
                " AND authorized <= :amount",
            ),
            Change::Captured(_) => (
                ", captured = :amount",
                " AND authorized >= :amount AND captured <= :amount",
            ),
            Change::Refunded(_) => (
                ", refunded = :amount",
                " AND captured >= :amount AND refunded <= :amount",
            ),
        };
        let voiding = if payment.void_requested {
            "attribute_exists"
        } else {
            "attribute_not_exists"
        };
        let (decline, decline_code) = match &next.decline {
            Some(code) => (", decline = :decline", Some(code)),
            None => ("", None),
        };
        let write = self
            .table
            .update(
                payment_key(payment.id),
                &format!(
                    "SET #status = :status, version = :version, updated_at = :now, event = :event{set}{decline}"
                ),
            )
            .when(&format!("version = :read AND {voiding}(void_requested){amounts}"))
            .name("#status", "status")
            .value(":status", &next.status.as_str())?
            .value(":version", &next.version)?
            .value(":now", &next.updated_at)?
            .value(":event", &change.stamp(next, next.updated_at))?
            .value(":read", &payment.version)?;
        let write = match decline_code {
            Some(code) => write.value(":decline", code)?,
            None => write,
        };
        match change {
            Change::Unknown | Change::Declined(_) | Change::Voided => Ok(write),
            Change::Authorized(amount) | Change::Captured(amount) | Change::Refunded(amount) => {
                write.value(":amount", &minor_units(*amount)?)
            }
        }
    }
}

#[cfg(test)]
mod tests;
