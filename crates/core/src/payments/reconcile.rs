//! `reconcile-payments`: asks the gateways for what is not known.

use crate::runtime::{Scheduled, StepError};

use super::captures;
use super::gateway::Gateway;
use super::refunds::settle;
use super::refunds::store::RefundStore;

/// Every minute: asks for the outcomes of refunds and of captures that are due, and about authorisations that are about to
/// expire.
///
/// # Errors
/// Fails with `Failed` if some could not be asked for or stored; they are still due.
pub async fn reconcile_payments(
    refunds: &RefundStore,
    gateway: &impl Gateway,
    scheduled: Scheduled,
) -> Result<(), StepError> {
    let now = scheduled.time;
    let refunded = settle::reconcile_refunds(refunds, gateway, scheduled).await;
    let failed = captures::settle::settle_due(refunds.payments(), gateway, now).await?;
    refunded?;
    if failed == 0 {
        Ok(())
    } else {
        let detail = format!("{failed} payments were not asked about");
        Err(StepError::new("Failed", detail))
    }
}
