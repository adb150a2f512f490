//! How a payment gets from one gateway to another: the current attempt is given up, voided at its gateway, and then the next
//! one is stored with the other gateway. So money can only ever move at the stored gateway.

use super::{PaymentStore, payment_key};
use crate::aws::dynamo::{StoreError, Written};
use crate::payments::model::{GatewayName, Payment};
use crate::values::clock::Time;

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
}
