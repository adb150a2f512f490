//! The workflow's steps `PaymentProcessing` and `VoidPayment`. Both read what is stored, do what is missing and may
//! run any number of times, also at the same time: the conditions of the writes and the gateway's idempotency key
//! decide between them.

use serde::Serialize;

use crate::aws::dynamo::{self, Attempt, Written};
use crate::aws::telemetry;
use crate::orders::model::{Course, Order, PaymentStatus};
use crate::orders::store::OrderStore;
use crate::runtime::{Step, StepError};
use crate::values::clock::Time;

use super::fallback::{Charged, Run};
use super::gateway::routing::routes::Routes;
use super::gateway::{Charge, Gateway, GatewayError, RefundState};
use super::model::{CaptureTime, Change, Payment, PaymentError};
use super::refunds::model::RefundStatus;
use super::refunds::store::RefundStore;
use super::refunds::{self, settle};
use super::retries;
use super::rules::undo::Undo;
use super::rules::{self, Process, Settle, Void};
use super::store::PaymentStore;

/// The most moves that undo one charge. Three are enough unless the gateway makes no progress.
const MOST_MOVES_TO_UNDO: usize = 6;

/// How many refunds are read at a time to find a pending one.
const PENDING_AT_ONCE: usize = 100;

/// The output of a payment step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StepOutput {
    /// The payment's status.
    pub payment_status: &'static str,
}

impl From<PaymentStatus> for StepOutput {
    fn from(status: PaymentStatus) -> Self {
        Self {
            payment_status: status.as_str(),
        }
    }
}

impl From<GatewayError> for StepError {
    fn from(error: GatewayError) -> Self {
        let name = match error {
            GatewayError::Unknown(_) => "PaymentUnknown",
            GatewayError::Busy(_) => "Busy",
        };
        Self::new(name, telemetry::chain(&error))
    }
}

impl From<PaymentError> for StepError {
    fn from(error: PaymentError) -> Self {
        match error {
            PaymentError::Store(error) => error.into(),
            PaymentError::Undecided => Self::new("Busy", telemetry::chain(&error)),
            PaymentError::Amounts(_)
            | PaymentError::Money(_)
            | PaymentError::Contradiction { .. } => {
                tracing::error!(
                    error = telemetry::chain(&error),
                    "a payment has to be looked at by a person"
                );
                Self::new("Failed", telemetry::chain(&error))
            }
        }
    }
}

/// Charges the order's total without what gift cards pay, or authorises it if it is to be captured at shipment. The payment is
/// stored before the gateway is called; a run that finds a stored payment
/// asks the gateway before it charges. An order that costs nothing is paid without the gateway.
///
/// # Errors
/// By name: `PaymentDeclined`, `PaymentRetryable` (the order waits for another token), `Expired`, `PaymentUnknown` and `ActionRequired` (a later run asks for the outcome), `ReviewPending` (the
/// order waits for a review, so no payment is begun), `AlreadyConfirmed`, `AlreadyClosed`, `OrderNotFound`, `Busy`,
/// `Failed`.
pub async fn process_payment(
    orders: &OrderStore,
    payments: &PaymentStore,
    gateway: &impl Routes,
    step: Step,
) -> Result<StepOutput, StepError> {
    let run = Run::new(payments, gateway, step.now);
    dynamo::change("the payment", || async {
        let (order, stored) = read_order_and_payment(orders, payments, &step).await?;
        let past_deadline = order.is_past_deadline(step.now);
        let decision = rules::decide_process(stored.as_ref(), order.status.course(), past_deadline);
        let (payment, settle) = match decision {
            Process::Begin if order.awaits_review() => {
                return Err(StepError::new(
                    "ReviewPending",
                    "the order waits for a review",
                ));
            }
            Process::Begin => {
                let payment = run.begin(&order).await.map_err(PaymentError::from)?;
                if payments.create(&payment).await? != Written::Done {
                    return Ok(Attempt::Overtaken);
                }
                let settle = charge(&run, &payment, &order, true).await?;
                (payment, settle)
            }
            Process::Ask(payment) => {
                let settle = if payment.leaving {
                    settled(payment, run.go_on(payment, &order).await?)?
                } else {
                    retrieve_or_charge(&run, gateway, payment, &order, past_deadline).await?
                };
                (payment.clone(), settle)
            }
            Process::Paid(status) => return Ok(Attempt::Done(status.into())),
            Process::Declined(code) => {
                let waits = stored.as_ref().is_some_and(|payment| {
                    payment.status == PaymentStatus::Failed
                        && retries::rules::waits(&order, payment, step.now)
                });
                return Err(if waits {
                    retryable(code)
                } else {
                    declined(code)
                });
            }
            Process::Expired => return Err(expired()),
            Process::AlreadyConfirmed => return Err(already_confirmed()),
            Process::AlreadyClosed => return Err(already_closed()),
        };
        let change = match settle {
            Some(Settle::Record(change)) => change,
            Some(Settle::Declined(code)) => return Err(declined(code)),
            Some(Settle::Expired) => return Err(expired()),
            None => return Ok(Attempt::Overtaken),
        };
        let waits = retries::rules::waits(&order, &payment, step.now);
        if rules::is_news(&payment, &change) {
            let next = rules::apply(&payment, &change, step.now)?;
            if payments.record(&payment, &next, &change).await? != Written::Done {
                return Ok(Attempt::Overtaken);
            }
        }
        outcome(payment.capture, &change, waits).map(Attempt::Done)
    })
    .await
}

/// Asks the gateway for the charge of `payment`, and charges if there is none yet. Returns `None` if the payment has moved to
/// another gateway.
async fn retrieve_or_charge<G: Routes>(
    run: &Run<'_, G>,
    gateway: &G,
    payment: &Payment,
    order: &Order,
    past_deadline: bool,
) -> Result<Option<Settle>, StepError> {
    if payment.is_free() {
        return charge(run, payment, order, false).await;
    }
    match gateway.retrieve(&payment.key()).await {
        Ok(found) => match rules::settle_retrieved(payment, &found, past_deadline)? {
            Some(settle) => Ok(Some(settle)),
            None => charge(run, payment, order, found == Charge::NotFound).await,
        },
        Err(error) => settle_error(error).map(Some),
    }
}

async fn charge(
    run: &Run<'_, impl Routes>,
    payment: &Payment,
    order: &Order,
    is_new: bool,
) -> Result<Option<Settle>, StepError> {
    if payment.is_free() {
        return Ok(Some(Settle::Record(Change::Captured(payment.amount))));
    }
    // The token is deleted when the order has an outcome, which the next run will find.
    let token = payment.token.as_deref().or(order.payment_token.as_deref());
    let token = token.ok_or_else(|| StepError::new("Failed", "the payment token is deleted"))?;
    settled(payment, run.charge(payment, order, token, is_new).await?)
}

/// Decides what follows from `charged`; `None` if the payment has to be read again.
fn settled(payment: &Payment, charged: Charged) -> Result<Option<Settle>, StepError> {
    match charged {
        Charged::Answer(Ok(found)) => Ok(Some(rules::settle_charged(payment, &found)?)),
        Charged::Answer(Err(error)) => settle_error(error).map(Some),
        Charged::Moved => Ok(None),
        Charged::Stuck(error) => Err(error.into()),
    }
}

fn settle_error(error: GatewayError) -> Result<Settle, StepError> {
    match error {
        GatewayError::Unknown(_) => {
            tracing::warn!(
                error = telemetry::chain(&error),
                "the gateway's response is lost"
            );
            Ok(Settle::Record(Change::Unknown))
        }
        GatewayError::Busy(_) => Err(error.into()),
    }
}

fn outcome(capture: CaptureTime, change: &Change, waits: bool) -> Result<StepOutput, StepError> {
    match change {
        Change::Captured(_) => Ok(PaymentStatus::Completed.into()),
        Change::Authorized(_) if capture == CaptureTime::AtShipment => {
            Ok(PaymentStatus::Authorized.into())
        }
        Change::Declined(code) if waits => Err(retryable(code)),
        Change::Declined(code) => Err(declined(code)),
        Change::Unknown | Change::Authorized(_) | Change::PartlyCaptured(_) => Err(StepError::new(
            "PaymentUnknown",
            "the payment's outcome is not known yet",
        )),
        Change::ActionRequired(_) => Err(StepError::new(
            "ActionRequired",
            "the shopper has to confirm the payment at the bank",
        )),
        Change::Voided | Change::Disputed { .. } | Change::Refunded { .. } => Err(already_closed()),
    }
}

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

/// Reads the order and its payment at the same time.
async fn read_order_and_payment(
    orders: &OrderStore,
    payments: &PaymentStore,
    step: &Step,
) -> Result<(Order, Option<Payment>), StepError> {
    let (order, payment) =
        futures::try_join!(orders.get(step.order_id), payments.of_order(step.order_id),)?;
    let order = order.ok_or_else(|| StepError::new("OrderNotFound", "there is no such order"))?;
    Ok((order, payment))
}

fn unknown_refund() -> StepError {
    StepError::new("PaymentUnknown", "the refund's outcome is not known yet")
}

fn declined(code: &str) -> StepError {
    StepError::new(
        "PaymentDeclined",
        format!("the payment was declined: {code}"),
    )
}

fn retryable(code: &str) -> StepError {
    StepError::new(
        "PaymentRetryable",
        format!("the payment was declined, and can be retried: {code}"),
    )
}

fn expired() -> StepError {
    StepError::new("Expired", "the payment was not begun before the deadline")
}

fn already_confirmed() -> StepError {
    StepError::new("AlreadyConfirmed", "the order is confirmed")
}

fn already_closed() -> StepError {
    StepError::new("AlreadyClosed", "the order has ended")
}

#[cfg(test)]
mod crossings;
#[cfg(test)]
mod tests;
