//! The workflow's steps `PaymentProcessing`, which is here, and `VoidPayment`. Both read what is stored, do what is missing and
//! may run any number of times, also at the same time: the conditions of the writes and the gateway's idempotency key
//! decide between them.

pub use self::outcome::StepOutput;
use self::outcome::{already_confirmed, read_order_and_payment};
pub use self::void::void_payment;
use super::fallback::{Charged, Run};
use super::gateway::routing::routes::Routes;
use super::gateway::{Charge, GatewayError};
use super::model::{CaptureTime, Change, Payment, PaymentError};
use super::retries;
use super::rules::{self, Process, Settle};
use super::store::PaymentStore;
use crate::aws::dynamo::{self, Attempt, Written};
use crate::aws::telemetry;
use crate::orders::model::{Order, PaymentStatus};
use crate::orders::store::OrderStore;
use crate::runtime::{Step, StepError};

mod outcome;
mod void;

/// Charges the order's total without what gift cards pay, or authorises it if it is to be captured at shipment. The payment is
/// stored before the gateway is called; a run that finds a stored payment asks the gateway before it charges. An order that
/// costs nothing is paid without the gateway.
///
/// # Errors
/// By name: `PaymentDeclined`, `PaymentRetryable` (the order waits for another token), `Expired`, `PaymentUnknown` and
/// `ActionRequired` (a later run asks for the outcome), `ReviewPending` (the order waits for a review, so no payment is begun),
/// `AlreadyConfirmed`, `AlreadyClosed`, `OrderNotFound`, `Busy`, `Failed`.
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

fn already_closed() -> StepError {
    StepError::new("AlreadyClosed", "the order has ended")
}

#[cfg(test)]
mod crossings;
#[cfg(test)]
mod tests;
