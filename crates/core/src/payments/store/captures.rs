//! Captures that begin, the part of a write that is about captures, and payments of which the gateway is to be asked.

use serde::Deserialize;

use super::{PaymentStore, payment_key};
use crate::aws::dynamo::{StoreError, Write, Written};
use crate::payments::item::captures::{CaptureItem, DUE, stored};
use crate::payments::model::captures::Capture;
use crate::payments::model::{CaptureTime, Payment};
use crate::values::clock::Time;
use crate::values::id::{CaptureId, PaymentId};

/// What the write of a payment says about its captures; nothing if it is captured at once.
pub(super) struct Clauses {
    pub(super) set: String,
    pub(super) condition: &'static str,
    capturing: Option<CaptureId>,
    captures: bool,
    authorized_at: Option<Time>,
    due_at: Option<Time>,
}

impl Clauses {
    /// Returns the clauses of the write by which `payment` becomes `next`.
    pub(super) fn of(payment: &Payment, next: &Payment) -> Self {
        let at_once = payment.capture == CaptureTime::AtOnce;
        let capturing = payment.capturing.as_ref().map(|capture| capture.id);
        let captures = payment.captures != next.captures;
        let changed = |was: Option<Time>, is: Option<Time>| is.filter(|_| is != was);
        let authorized_at = changed(payment.authorized_at, next.authorized_at);
        let due_at = changed(payment.due_at, next.due_at);
        let set = [
            (captures, ", captures = :captures"),
            (authorized_at.is_some(), ", authorized_at = :authorized_at"),
            (due_at.is_some(), ", due = :due, due_at = :due_at"),
        ];
        Self {
            set: set
                .map(|(is, clause)| if is { clause } else { "" })
                .concat(),
            // A capture that begins makes no event, so it does not change the version.
            condition: match capturing {
                _ if at_once => "",
                Some(_) => " AND capturing.capture_id = :capturing",
                None => " AND attribute_not_exists(capturing)",
            },
            capturing,
            captures,
            authorized_at,
            due_at,
        }
    }

    /// Gives `write` the values of the clauses.
    pub(super) fn values(&self, write: Write, next: &Payment) -> Result<Write, StoreError> {
        let mut write = write;
        if let Some(id) = self.capturing {
            write = write.value(":capturing", &id)?;
        }
        if self.captures {
            write = write.value(":captures", &stored(&next.captures)?)?;
        }
        if let Some(at) = self.authorized_at {
            write = write.value(":authorized_at", &at)?;
        }
        if let Some(at) = self.due_at {
            write = write.value(":due", &DUE)?.value(":due_at", &at)?;
        }
        Ok(write)
    }
}

#[derive(Deserialize)]
struct DueItem {
    payment_id: PaymentId,
}

impl PaymentStore {
    /// Stores that `capture` of `payment` begins, whose outcome is asked for at `due_at`. Refused if the payment has changed
    /// since it was read, another capture is not decided, or voiding has begun.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn begin_capture(
        &self,
        payment: &Payment,
        capture: &Capture,
        due_at: Time,
    ) -> Result<Written, StoreError> {
        let write = self
            .table
            .update(
                payment_key(payment.id),
                "SET capturing = :capture, due = :due, due_at = :due_at",
            )
            .when("version = :read AND attribute_not_exists(capturing) AND attribute_not_exists(void_requested)")
            .value(":capture", &CaptureItem::new(capture)?)?
            .value(":due", &DUE)?
            .value(":due_at", &due_at)?
            .value(":read", &payment.version)?;
        self.table.write(write).await
    }

    /// Stores when the gateway is asked about `payment` again. Refused if it has changed since it was read.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn postpone(&self, payment: &Payment, due_at: Time) -> Result<Written, StoreError> {
        let write = self
            .table
            .update(payment_key(payment.id), "SET due_at = :due_at")
            .when("version = :read AND due_at = :was")
            .value(":due_at", &due_at)?
            .value(":was", &payment.due_at)?
            .value(":read", &payment.version)?;
        self.table.write(write).await
    }

    /// Returns at most `most` payments of which the gateway is to be asked by `now`, those first that have been due longest.
    /// The index may lag by a moment.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn due(&self, now: Time, most: usize) -> Result<Vec<PaymentId>, StoreError> {
        let query = self
            .table
            .query("due = :due AND due_at <= :now")
            .index("by-due");
        let query = query.value(":due", DUE).value(":now", now);
        let found: Vec<DueItem> = query.first(most).await?;
        Ok(found.into_iter().map(|item| item.payment_id).collect())
    }
}
