//! How a payment gets to its next attempt, at the same gateway with another token, or at another one: then the current attempt is given up, voided at its gateway, and then the next
//! one is stored with the other gateway. So money can only ever move at the stored gateway.

use super::{PaymentStore, payment_key};
use crate::aws::dynamo::{StoreError, Written};
use crate::payments::model::{GatewayName, PROCESSED, Payment};
use crate::values::clock::Time;
use crate::values::event::Stamp;

/// Returns the function of a condition that an attribute is stored, or that it is not.
pub(super) fn exists(is_stored: bool) -> &'static str {
    if is_stored {
        "attribute_exists"
    } else {
        "attribute_not_exists"
    }
}

impl PaymentStore {
    /// Stores that the current attempt of `payment` is given up. From then on no run that read it before can change it.
    /// Refused if it has changed since it was read, or voiding has begun.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn leave(&self, payment: &Payment) -> Result<Written, StoreError> {
        let write = self
            .table
            .update(payment_key(payment.id), "SET leaving = :true")
            .when("version = :read AND attempt = :attempt AND attribute_not_exists(void_requested)")
            .value(":true", &true)?
            .value(":attempt", &payment.attempt)?
            .value(":read", &payment.version)?;
        self.table.write(write).await
    }

    /// Stores that `gateway` takes the next attempt of `payment`, whose current one is given up and voided. It is not an
    /// event. Refused if the payment has changed since it was read, or voiding has begun.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn move_to(
        &self,
        payment: &Payment,
        gateway: &GatewayName,
        now: Time,
    ) -> Result<Written, StoreError> {
        let write = self
            .table
            .update(
                payment_key(payment.id),
                "SET gateway = :gateway, attempt = :next, updated_at = :now REMOVE leaving",
            )
            .when("version = :read AND attempt = :attempt AND attribute_exists(leaving) AND attribute_not_exists(void_requested)")
            .value(":gateway", &gateway.to_string())?
            .value(":next", &(payment.attempt + 1))?
            .value(":now", &now.no_earlier_than(payment.updated_at))?
            .value(":attempt", &payment.attempt)?
            .value(":read", &payment.version)?;
        self.table.write(write).await
    }

    /// Stores `next`, which is `payment` with its next attempt, with its event. Refused if the stored payment has changed
    /// since it was read, or voiding has begun since then.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn retry(&self, payment: &Payment, next: &Payment) -> Result<Written, StoreError> {
        let set = "SET #status = :status, version = :version, updated_at = :now, event = :event, \
                   attempt = :attempt, attempt_token = :token, retries = :retries, authorized = :none \
                   REMOVE decline, next_action";
        let stamp = Stamp::new(next.id, next.version, PROCESSED, next.updated_at);
        let write = self
            .table
            .update(payment_key(payment.id), set)
            .when("version = :read AND attribute_not_exists(void_requested)")
            .name("#status", "status")
            .value(":status", &next.status.as_str())?
            .value(":version", &next.version)?
            .value(":now", &next.updated_at)?
            .value(":event", &stamp)?
            .value(":attempt", &next.attempt)?
            .value(":token", &next.token)?
            .value(":retries", &next.retries)?
            .value(":none", &0)?
            .value(":read", &payment.version)?;
        self.table.write(write).await
    }
}
