//! `VoidPayment`: undoes the payment of an order that has ended.

use super::outcome::{StepOutput, already_confirmed, read_order_and_payment};
use crate::aws::dynamo::{self, Attempt, Written};
use crate::orders::model::{Course, PaymentStatus};
use crate::orders::store::OrderStore;
use crate::payments::gateway::{Charge, Gateway, RefundState};
use crate::payments::model::{Change, Payment, PaymentError};
use crate::payments::refunds::model::RefundStatus;
use crate::payments::refunds::store::RefundStore;
use crate::payments::refunds::{self, settle};
use crate::payments::rules::undo::Undo;
use crate::payments::rules::{self, Void};
use crate::runtime::{Step, StepError};
use crate::values::clock::Time;

/// The most moves that undo one charge. Three are enough unless the gateway makes no progress.
const MOST_MOVES_TO_UNDO: usize = 6;

/// How many refunds are read at a time to find a pending one.
const PENDING_AT_ONCE: usize = 100;

/// Undoes the payment of an order that has ended, so that no money is kept and none can be charged later.
///
/// # Errors
/// By name: `PaymentUnknown`, `AlreadyConfirmed`, `OrderNotFound`, `Busy`, `Failed` (also while the
/// order is pending).
pub async fn void_payment(
    orders: &OrderStore,
    refunds: &RefundStore,
    gateway: &impl Gateway,
    step: Step,
) -> Result<StepOutput, StepError> {
    let payments = refunds.payments();
    let status = dynamo::change("the payment", || async {
        let (order, stored) = read_order_and_payment(orders, payments, &step).await?;
        let retryable = order.details.retryable;
        match rules::decide_void(stored.as_ref(), order.status.course(), retryable) {
            Void::PreventPayment => {
                let due = order.amount_due().map_err(PaymentError::from)?;
                let voided = Payment::never_charged(order.id, due, gateway.provider(), step.now);
                Ok(match payments.create_voided(&voided).await? {
                    Written::Done => Attempt::Done(voided.status),
                    Written::Refused(_) => Attempt::Overtaken,
                })
            }
            Void::Request(payment) => match payments.request_void(payment).await? {
                Written::Done => {
                    let requested = Payment {
                        void_requested: true,
                        ..payment.clone()
                    };
                    match rules::decide_void(Some(&requested), Course::Closed, retryable) {
                        Void::Done(status) => Ok(Attempt::Done(status)),
                        Void::Undo(_)
                        | Void::Request(_)
                        | Void::PreventPayment
                        | Void::AlreadyConfirmed
                        | Void::Undecided => undo(refunds, gateway, requested, step.now).await,
                    }
                }
                Written::Refused(_) => Ok(Attempt::Overtaken),
            },
            Void::Undo(payment) => undo(refunds, gateway, payment.clone(), step.now).await,
            Void::Done(status) => Ok(Attempt::Done(status)),
            Void::AlreadyConfirmed => Err(already_confirmed()),
            Void::Undecided => Err(StepError::new("Failed", "the order is still pending")),
        }
    })
    .await?;
    Ok(status.into())
}

/// Undoes `payment` at the gateway and stores the outcome.
async fn undo(
    refunds: &RefundStore,
    gateway: &impl Gateway,
    mut payment: Payment,
    now: Time,
) -> Result<Attempt<PaymentStatus>, StepError> {
    if payment.has_pending_refund() {
        return settle_pending(refunds, gateway, &payment, now).await;
    }
    let key = payment.key();
    let mut found = if payment.is_free() {
        Charge::Voided
    } else {
        gateway.retrieve(&key).await?
    };
    let rest = payment.refund_key(payment.last_refund_id());
    let mut rest_is_refunded = false;
    for _ in 0..MOST_MOVES_TO_UNDO {
        match rules::undo::next(&payment, &found)? {
            Undo::Void => found = gateway.void(&key).await?,
            Undo::Refund(amount) => {
                require_refunded(gateway.refund(&rest, amount).await?)?;
                rest_is_refunded = true;
                let captured = payment.amounts.captured();
                let refunded = payment
                    .amounts
                    .refunded()
                    .plus(payment.kept().map_err(PaymentError::from)?);
                found = Charge::Refunded {
                    captured,
                    refunded: refunded.map_err(PaymentError::from)?,
                };
            }
            Undo::Record(change) => {
                // The charge counts a refund that is still pending, begun by an earlier run.
                if matches!(change, Change::Refunded { .. }) && !rest_is_refunded {
                    require_refunded(gateway.retrieve_refund(&rest).await?)?;
                }
                let mut next = rules::apply(&payment, &change, now)?;
                let written = match &change {
                    Change::Refunded { .. } => {
                        next.gift_cards = next.gift_cards.all_refunded();
                        let refund = refunds::rules::rest(&payment, &next)?;
                        refunds.record_rest(&payment, &next, &refund).await?
                    }
                    Change::Unknown
                    | Change::ActionRequired(_)
                    | Change::Authorized(_)
                    | Change::PartlyCaptured(_)
                    | Change::Captured(_)
                    | Change::Declined(_)
                    | Change::Disputed { .. }
                    | Change::Voided => refunds.payments().record(&payment, &next, &change).await?,
                };
                match written {
                    Written::Done => payment = next,
                    Written::Refused(_) => return Ok(Attempt::Overtaken),
                }
            }
        }
        if let Void::Done(status) = rules::decide_void(Some(&payment), Course::Closed, false) {
            return Ok(Attempt::Done(status));
        }
    }
    Err(StepError::new(
        "Busy",
        "the gateway did not undo the charge",
    ))
}

/// Asks for the outcome of a pending refund of `payment`, which has to be known before the rest can be refunded.
async fn settle_pending(
    refunds: &RefundStore,
    gateway: &impl Gateway,
    payment: &Payment,
    now: Time,
) -> Result<Attempt<PaymentStatus>, StepError> {
    let mut after: Option<String> = None;
    loop {
        let page = refunds
            .of_payment(payment.id, PENDING_AT_ONCE, after.as_deref())
            .await?;
        for refund in page.items {
            if refund.status != RefundStatus::Pending {
                continue;
            }
            let settled = settle::ask(refunds, gateway, refund, now).await?;
            if settled.status == RefundStatus::Pending {
                return Err(unknown_refund());
            }
            return Ok(Attempt::Overtaken);
        }
        after = page.next;
        if after.is_none() {
            // The index lags by a moment.
            return Err(StepError::new("Busy", "a pending refund was not found"));
        }
    }
}

/// Returns an error if the refund of all that was left has not succeeded. The gateway does not know it if somebody else
/// refunded the charge.
fn require_refunded(state: RefundState) -> Result<(), StepError> {
    match state {
        RefundState::Succeeded | RefundState::NotFound => Ok(()),
        RefundState::Pending => Err(unknown_refund()),
        RefundState::Failed { code } => {
            tracing::error!(code, "a refund has to be looked at by a person");
            Err(StepError::new(
                "Failed",
                format!("the refund failed: {code}"),
            ))
        }
    }
}

fn unknown_refund() -> StepError {
    StepError::new("PaymentUnknown", "the refund's outcome is not known yet")
}
