//! How a payment takes back what a refund had taken that came back.

use super::{PaymentStore, moves, payment_key};
use crate::aws::dynamo::{StoreError, Write, minor_units};
use crate::payments::item::LastRefund;
use crate::payments::model::{Payment, REFUND_RETURNED};
use crate::values::event::Stamp;
use crate::values::id::RefundId;
use crate::values::money::Money;

impl PaymentStore {
    /// Returns the write by which `payment` becomes `next`, as the refund `by` of `amount` came back, with its event. It is
    /// refused if the payment has changed since it was read, or other pieces were taken.
    pub(in crate::payments) fn return_write(
        &self,
        payment: &Payment,
        next: &Payment,
        by: RefundId,
        amount: Money,
    ) -> Result<Write, StoreError> {
        let amount = minor_units(amount)?;
        let reopened = if next.reopened {
            ", reopened = :true"
        } else {
            ""
        };
        let set = format!(
            "SET #status = :status, version = :version, updated_at = :now, event = :event, \
             refunded = refunded - :amount, refunding = if_not_exists(refunding, refunded) - :amount, \
             refunded_units = :units, restocked = :restocked, last_refund = :refund{reopened}"
        );
        let same_units = if payment.refunded_units.is_empty() {
            "(attribute_not_exists(refunded_units) OR refunded_units = :were)"
        } else {
            "refunded_units = :were"
        };
        let voiding = moves::exists(payment.void_requested);
        let stamp = Stamp::new(next.id, next.version, REFUND_RETURNED, next.updated_at);
        let last = LastRefund {
            refund_id: by,
            amount,
        };
        let write = self
            .table
            .update(payment_key(payment.id), &set)
            .when(&format!(
                "version = :read AND refunded >= :amount AND {voiding}(void_requested) AND {same_units}"
            ))
            .name("#status", "status")
            .value(":status", &next.status.as_str())?
            .value(":version", &next.version)?
            .value(":now", &next.updated_at)?
            .value(":event", &stamp)?
            .value(":amount", &amount)?
            .value(":units", &next.refunded_units)?
            .value(":restocked", &next.restocked)?
            .value(":refund", &last)?
            .value(":were", &payment.refunded_units)?
            .value(":read", &payment.version)?;
        if next.reopened {
            write.value(":true", &true)
        } else {
            Ok(write)
        }
    }
}
