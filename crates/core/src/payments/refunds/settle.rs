//! How refunds come to their outcome.

use crate::aws::dynamo::{self, Attempt, Written};
use crate::aws::telemetry;
use crate::payments::gateway::{Gateway, RefundState};
use crate::payments::model::Payment;
use crate::runtime::{Scheduled, StepError};
use crate::values::clock::Time;
use crate::values::moment;

use super::model::{Refund, RefundError, RefundStatus};
use super::rules;
use super::store::RefundStore;

/// The most refunds that one run asks for.
const MOST_DUE: usize = 100;

/// Whether the gateway may know a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// It has not been called for it.
    Never,
    /// It may have been called for it, so it is asked first.
    Perhaps,
}

/// Has the gateway make the pending `refund` of `payment`, and stores the outcome. Returns the refund as it is then; it
/// stays pending if the outcome is unknown.
///
/// # Errors
/// [`RefundError`] if the outcome cannot be stored; the refund is asked for again later.
pub async fn settle(
    refunds: &RefundStore,
    gateway: &impl Gateway,
    payment: &Payment,
    refund: Refund,
    asked: Asked,
    now: Time,
) -> Result<Refund, RefundError> {
    let key = payment.refund_key(refund.id);
    let at_gateway = refund.gateway_amount()?;
    let known = match asked {
        // The cards get theirs from the event of the refund.
        _ if at_gateway.is_zero() => Ok(RefundState::Succeeded),
        Asked::Never => Ok(RefundState::NotFound),
        Asked::Perhaps => gateway.retrieve_refund(&key).await,
    };
    let state = match known {
        Ok(RefundState::NotFound) => gateway.refund(&key, at_gateway).await,
        known => known,
    };
    let failure = match state {
        Ok(RefundState::Succeeded) => None,
        Ok(RefundState::Failed { code }) => Some(code),
        Ok(RefundState::Pending | RefundState::NotFound) => return Ok(refund),
        Err(error) => {
            let error = telemetry::chain(&error);
            tracing::warn!(refund.id = %refund.id, error, "a refund's outcome is unknown");
            return Ok(refund);
        }
    };
    record(refunds, rules::settle(refund, failure, now), now).await
}

/// Stores the outcome of the pending `refund`. Returns the refund as it is stored then.
pub(super) async fn record(
    refunds: &RefundStore,
    refund: Refund,
    now: Time,
) -> Result<Refund, RefundError> {
    dynamo::change("the payment", || async {
        let (payment, stored) = futures::try_join!(
            refunds.payments().get(refund.payment_id),
            refunds.get(refund.id)
        )?;
        // Another run may have stored the outcome.
        if let Some(stored) = stored.filter(|stored| stored.status != RefundStatus::Pending) {
            return Ok(Attempt::Done(stored));
        }
        let payment = payment.ok_or(RefundError::NotFound)?;
        let written = if refund.status == RefundStatus::Failed {
            refunds.fail(&payment, &refund).await?
        } else {
            let next = rules::succeed(&payment, &refund, now)?;
            refunds.succeed(&payment, &next, &refund).await?
        };
        Ok::<_, RefundError>(match written {
            Written::Done => Attempt::Done(refund.clone()),
            Written::Refused(_) => Attempt::Overtaken,
        })
    })
    .await
}

/// Asks for the outcome of each pending refund that is due. What does not fit into one run is done by the next.
///
/// # Errors
/// Fails with `Failed` if the outcome of some could not be stored; they are still due.
pub async fn reconcile_refunds(
    refunds: &RefundStore,
    gateway: &impl Gateway,
    scheduled: Scheduled,
) -> Result<(), StepError> {
    let now = scheduled.time;
    let mut failed = 0;
    for refund in refunds.due(now, MOST_DUE).await? {
        // A metric filter in template.yaml reads `pending_seconds` for an alarm.
        let pending_seconds = now.as_seconds() - refund.created_at.as_seconds();
        let id = refund.id;
        let asked = moment::during(now, ask(refunds, gateway, refund.clone(), now));
        match asked.await {
            Ok(refund) => {
                let status = refund.status.as_str();
                tracing::info!(refund.id = %id, refund.status = status, pending_seconds, "refund asked for");
            }
            Err(error) => {
                failed += 1;
                let error = telemetry::chain(&error);
                tracing::error!(refund.id = %id, error, pending_seconds, "refund not asked for");
                // It must not keep others from their turn.
                refunds.postpone(&rules::postpone(refund, now)).await?;
            }
        }
    }
    if failed == 0 {
        Ok(())
    } else {
        Err(StepError::new(
            "Failed",
            format!("{failed} refunds were not asked for"),
        ))
    }
}

/// Asks for the outcome of a pending refund, and postpones it if that is unknown.
///
/// # Errors
/// [`RefundError`].
pub async fn ask(
    refunds: &RefundStore,
    gateway: &impl Gateway,
    refund: Refund,
    now: Time,
) -> Result<Refund, RefundError> {
    let payment = refunds.payments().get(refund.payment_id).await?;
    let payment = payment.ok_or(RefundError::NotFound)?;
    let refund = settle(refunds, gateway, &payment, refund, Asked::Perhaps, now).await?;
    if refund.status == RefundStatus::Pending {
        let later = rules::postpone(refund.clone(), now);
        if refunds.postpone(&later).await? == Written::Done {
            return Ok(later);
        }
    }
    Ok(refund)
}

impl From<RefundError> for StepError {
    fn from(error: RefundError) -> Self {
        match error {
            RefundError::Store(error) => error.into(),
            RefundError::Payment(error) => error.into(),
            other @ (RefundError::Money(_)
            | RefundError::NotFound
            | RefundError::KeyReused
            | RefundError::Invalid(_)
            | RefundError::NothingToRefund(_)
            | RefundError::Ending
            | RefundError::Worthless
            | RefundError::TooMuch { .. }
            | RefundError::TooMany { .. }) => Self::new("Failed", telemetry::chain(&other)),
        }
    }
}
