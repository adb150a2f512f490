//! The write by which a change of a payment is stored.

use super::{PaymentStore, captures, moves, payment_key, refunded};
use crate::aws::dynamo::{StoreError, Write, Written, minor_units};
use crate::payments::item::stored_disputes;
use crate::payments::model::{Change, Payment};

impl PaymentStore {
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
    pub(in crate::payments) fn record_write(
        &self,
        payment: &Payment,
        next: &Payment,
        change: &Change,
    ) -> Result<Write, StoreError> {
        let (set, amounts) = amounts_clauses(payment, next, change);
        let cards = refunded::set_cards(payment, next, change);
        let voiding = moves::exists(payment.void_requested);
        let leaving = moves::exists(payment.leaving);
        let (decline, decline_code) = match &next.decline {
            Some(code) => (", decline = :decline", Some(code)),
            None => ("", None),
        };
        let action = if next.action.is_some() {
            ", next_action = :action"
        } else {
            ""
        };
        let capture = captures::Clauses::of(payment, next);
        let (capture_set, capture_is) = (&capture.set, &capture.condition);
        let removed = removed(payment, next);
        let write = self
            .table
            .update(
                payment_key(payment.id),
                &format!(
                    "SET #status = :status, version = :version, updated_at = :now, event = :event{set}{cards}{decline}{action}{capture_set}{removed}"
                ),
            )
            .when(&format!("version = :read AND attempt = :attempt AND {leaving}(leaving) AND {voiding}(void_requested){amounts}{capture_is}"))
            .name("#status", "status")
            .value(":status", &next.status.as_str())?
            .value(":version", &next.version)?
            .value(":now", &next.updated_at)?
            .value(":event", &change.stamp(next, next.updated_at))?
            .value(":attempt", &payment.attempt)?
            .value(":read", &payment.version)?;
        let write = match decline_code {
            Some(code) => write.value(":decline", code)?,
            None => write,
        };
        let write = match &next.action {
            Some(action) => write.value(":action", action)?,
            None => write,
        };
        let write = capture.values(write, next)?;
        match change {
            Change::Unknown | Change::ActionRequired(_) | Change::Declined(_) | Change::Voided => {
                Ok(write)
            }
            Change::Disputed { id, .. } => write
                .value(":amount", &minor_units(next.disputed)?)?
                .value(":disputes", &stored_disputes(&next.disputes)?)?
                .value(":dispute", id),
            Change::Authorized(amount)
            | Change::PartlyCaptured(amount)
            | Change::Captured(amount) => write.value(":amount", &minor_units(*amount)?),
            Change::Refunded { total, by } => refunded::values(write, payment, next, *total, *by),
        }
    }
}

/// Returns what a write sets of the amounts, and on which condition about those that are stored.
fn amounts_clauses(
    payment: &Payment,
    next: &Payment,
    change: &Change,
) -> (&'static str, &'static str) {
    // What is stored as captured is at most what is stored as authorised.
    let raises_authorized = payment.amounts.authorized() != next.amounts.authorized();
    match change {
        Change::Unknown | Change::ActionRequired(_) | Change::Declined(_) | Change::Voided => {
            ("", "")
        }
        Change::Disputed { .. } => (
            ", disputed = :amount, disputes = :disputes, last_dispute = :dispute",
            " AND captured >= :amount",
        ),
        Change::Authorized(_) => (", authorized = :amount", " AND authorized <= :amount"),
        // Both become the same amount, so captured <= authorized holds.
        Change::Captured(_) if raises_authorized => (
            ", authorized = :amount, captured = :amount",
            " AND authorized <= :amount",
        ),
        Change::Captured(_) | Change::PartlyCaptured(_) => (
            ", captured = :amount",
            " AND authorized >= :amount AND captured <= :amount",
        ),
        // Before the rest is refunded, what other refunds have taken is settled, and none begins any more.
        Change::Refunded { by, .. } if refunded::is_rest(payment, *by) => (
            ", refunded = :amount, refunding = :amount, restocked = :restocked, last_refund = :refund",
            " AND captured >= :amount AND refunded <= :amount",
        ),
        Change::Refunded { .. } => (
            ", refunded = :amount, restocked = :restocked, last_refund = :refund",
            " AND captured >= :amount AND refunded <= :amount",
        ),
    }
}

/// Returns the clause that removes what `payment` has and `next` has not.
fn removed(payment: &Payment, next: &Payment) -> String {
    let gone = [
        (
            "next_action",
            payment.action.is_some() && next.action.is_none(),
        ),
        (
            "attempt_token",
            payment.token.is_some() && next.token.is_none(),
        ),
        (
            "capturing",
            payment.capturing.is_some() && next.capturing.is_none(),
        ),
        (
            "due, due_at",
            payment.due_at.is_some() && next.due_at.is_none(),
        ),
    ];
    let gone = gone.into_iter().filter(|(_, is_gone)| *is_gone);
    let names: Vec<&str> = gone.map(|(name, _)| name).collect();
    if names.is_empty() {
        String::new()
    } else {
        format!(" REMOVE {}", names.join(", "))
    }
}
