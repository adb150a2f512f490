//! Waiting for the outcome of an order, for a client that prefers to wait.

use std::time::Duration;

use tokio::time::Instant;

use crate::http::problem::Problem;
use crate::orders::model::{Order, PaymentStatus, Status};
use crate::orders::store::OrderStore;

/// The first and the longest pause between two reads of an order whose outcome the client waits for.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// How long the workflow may take to report anything about an order. An invocation that waits takes a place that the
/// workflow's steps need, too, when the account has few: so nobody waits longer for an order that does not move.
const STALLED: Duration = Duration::from_secs(5);

/// Returns the order once it is no longer pending or waits for the shopper, or as it is when `patience` is over or its
/// workflow stalls. Waits are measured by the machine's own clock.
pub(super) async fn outcome(
    orders: &OrderStore,
    order: Order,
    patience: Duration,
) -> Result<Order, Problem> {
    let began = Instant::now();
    let mut order = order;
    let mut pause = FIRST_PAUSE;
    while order.status == Status::Pending && !waits_for_shopper(&order) {
        let reported = order.payment_status != PaymentStatus::Pending;
        let end = began
            + if reported {
                patience
            } else {
                patience.min(STALLED)
            };
        if Instant::now() >= end {
            break;
        }
        tokio::time::sleep_until(end.min(Instant::now() + pause)).await;
        pause = LONGEST_PAUSE.min(pause * 3 / 2);
        let stored = orders.get(order.id).await?;
        order =
            stored.ok_or_else(|| Problem::internal("a stored order does not exist any more"))?;
    }
    Ok(order)
}

/// Returns whether nothing becomes of the pending order until its shopper confirms the payment, or pays with another token.
fn waits_for_shopper(order: &Order) -> bool {
    match order.payment_status {
        PaymentStatus::RequiresAction | PaymentStatus::Failed => true,
        PaymentStatus::Pending
        | PaymentStatus::Processing
        | PaymentStatus::Authorized
        | PaymentStatus::Completed
        | PaymentStatus::PartiallyRefunded
        | PaymentStatus::Refunded
        | PaymentStatus::Voided => false,
    }
}
