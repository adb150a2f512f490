//! How captures come to their outcome.

use crate::aws::dynamo::{self, Attempt, StoreError, Written};
use crate::aws::telemetry;
use crate::payments::gateway::{Charge, Gateway, GatewayError};
use crate::payments::model::{Payment, PaymentError};
use crate::payments::rules::apply;
use crate::payments::rules::captures::capture_before;
use crate::payments::store::PaymentStore;
use crate::values::clock::Time;
use crate::values::id::PaymentId;

use super::rules::{self, NEXT_LOOK, RETRY};

/// The most payments of which one run asks the gateway.
const MOST_DUE: usize = 100;

/// Has the gateway carry out the capture of the payment with `id` that is not decided yet, or asks it about the authorisation
/// if there is none, and stores what that changes. Returns the payment as it is then; without an outcome it stays as it
/// is. A payment that waits for no capture is left alone.
///
/// # Errors
/// [`PaymentError`] if the outcome cannot be stored; the gateway is asked again later.
pub async fn settle(
    payments: &PaymentStore,
    gateway: &impl Gateway,
    id: PaymentId,
    now: Time,
) -> Result<Option<Payment>, PaymentError> {
    dynamo::change("the payment", || async {
        let Some(payment) = payments.get(id).await? else {
            return Ok(Attempt::Done(None));
        };
        if !payment.awaits_capture() {
            return Ok(Attempt::Done(Some(payment)));
        }
        let found = match ask(gateway, &payment).await? {
            Ok(found) => found,
            Err(error) => {
                let error = telemetry::chain(&error);
                tracing::warn!(payment.id = %id, error, "the outcome of a capture is unknown");
                return Ok(Attempt::Done(Some(payment)));
            }
        };
        let Some(change) = rules::settle(&payment, &found) else {
            return Ok(Attempt::Done(Some(payment)));
        };
        let next = apply(&payment, &change, now)?;
        Ok::<_, PaymentError>(match payments.record(&payment, &next, &change).await? {
            Written::Done => Attempt::Done(Some(next)),
            Written::Refused(_) => Attempt::Overtaken,
        })
    })
    .await
}

async fn ask(
    gateway: &impl Gateway,
    payment: &Payment,
) -> Result<Result<Charge, GatewayError>, PaymentError> {
    let key = payment.key();
    let Some(capture) = &payment.capturing else {
        return Ok(gateway.retrieve(&key).await);
    };
    let total = payment.amounts.captured().plus(capture.amount)?;
    Ok(gateway.capture(&key, total, capture.last).await)
}

/// Asks the gateway about each payment that is due. What does not fit into one run is done by the next.
///
/// # Errors
/// [`StoreError`] if the payments that are due cannot be read. Returns how many could not be asked about; they are still due.
pub async fn settle_due(
    payments: &PaymentStore,
    gateway: &impl Gateway,
    now: Time,
) -> Result<usize, StoreError> {
    let mut failed = 0;
    for id in payments.due(now, MOST_DUE).await? {
        match look(payments, gateway, id, now).await {
            Ok(()) => {}
            Err(error) => {
                failed += 1;
                let error = telemetry::chain(&error);
                tracing::error!(payment.id = %id, error, "payment not asked about");
            }
        }
    }
    Ok(failed)
}

/// Asks about one payment, tells of an authorisation that is about to expire, and says when to ask again.
async fn look(
    payments: &PaymentStore,
    gateway: &impl Gateway,
    id: PaymentId,
    now: Time,
) -> Result<(), PaymentError> {
    let settled = settle(payments, gateway, id, now).await;
    // The payment as it is stored, whatever became of that: it must not keep others from their turn.
    let Some(payment) = payments.get(id).await? else {
        return Ok(());
    };
    tell(&payment, now);
    if payment.due_at.is_some_and(|due| due <= now) {
        let wait = if payment.capturing.is_some() {
            RETRY
        } else {
            NEXT_LOOK
        };
        payments.postpone(&payment, now.plus(wait)).await?;
    }
    settled.map(drop)
}

/// Puts a payment to an admin that has to be captured soon, or that the gateway has let expire.
fn tell(payment: &Payment, now: Time) {
    let order = payment.order_id;
    // A metric filter in template.yaml counts `uncaptured_order`.
    if let Some(before) = capture_before(payment) {
        match &payment.capturing {
            Some(capture) => {
                // Another one reads `capturing_seconds` for an alarm.
                let capturing_seconds = now.as_seconds() - capture.created_at.as_seconds();
                tracing::info!(order.id = %order, capturing_seconds, "a capture is repeated");
            }
            None => {
                tracing::warn!(uncaptured_order = %order, %before, "an authorisation is about to expire");
            }
        }
    } else if payment.amounts.captured().is_zero() {
        tracing::error!(uncaptured_order = %order, "an authorisation has ended, and nothing was captured");
    }
}
