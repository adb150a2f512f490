//! Payments in DynamoDB: one item each, keyed by the payment's id, which follows from the order's.

use crate::aws::Aws;
use crate::aws::dynamo::{Key, StoreError, Table, Written, minor_units};
use crate::aws::settings::{Setting, SettingError};
use crate::values::event::Stamp;
use crate::values::id::{OrderId, PaymentId, RefundId};

use super::item::PaymentItem;
use super::model::{Change, Payment};

mod captures;
mod moves;
mod record;
mod refunded;
mod returns;
mod take;

/// The payments table.
#[derive(Clone, Debug)]
pub struct PaymentStore {
    table: Table,
}

/// A payment, as an image of its table's stream has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentImage {
    /// The payment.
    pub payment: Payment,
    /// The refund that succeeded last, if one has.
    pub last_refund: Option<RefundId>,
}

impl PaymentImage {
    /// Reads `image`.
    ///
    /// # Errors
    /// If it is not a payment.
    pub fn read(image: serde_dynamo::Item) -> Result<Self, serde_dynamo::Error> {
        let item: PaymentItem = serde_dynamo::from_item(image)?;
        Ok(Self {
            last_refund: item.last_refund.as_ref().map(|last| last.refund_id),
            payment: item.into_payment()?,
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
        let cards = &payment.gift_cards;
        let condition = "version = :read AND (attribute_not_exists(refunding) OR refunding = :refunding) \
                         AND (attribute_not_exists(gift_cards_refunding) OR gift_cards_refunding = :cards)";
        let write = self
            .table
            .update(payment_key(payment.id), "SET void_requested = :true")
            // Refunds that begin do not change the version.
            .when(condition)
            .value(":cards", &minor_units(cards.refunding)?)?
            .value(":true", &true)?
            .value(":refunding", &minor_units(payment.refunding)?)?
            .value(":read", &payment.version)?;
        self.table.write(write).await
    }
}

#[cfg(test)]
mod tests;
