//! The workflow's steps `PaymentProcessing` and `VoidPayment`. Both read what is stored, do what is
//! missing and may run any number of times, also at once: the item's conditions and the gateway's
//! idempotency key decide between them.

use serde::Serialize;

use crate::aws::dynamo::{self, Attempt, Written};
use crate::aws::telemetry;
use crate::orders::model::{Course, Order, PaymentStatus};
use crate::orders::store::OrderStore;
use crate::runtime::{Step, StepError};
use crate::values::clock::Time;

use super::gateway::{Charge, Gateway, GatewayError};
use super::model::{Change, Payment, PaymentError};
use super::rules::{self, Process, Settle, Undo, Void};
use super::store::PaymentStore;

/// The most calls to the gateway and writes that undo one charge, of which it takes three at most.
const MOST_MOVES_TO_UNDO: usize = 6;

/// What a payment step answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StepAnswer {
    /// How the payment stands.
    pub payment_status: &'static str,
}

impl From<PaymentStatus> for StepAnswer {
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
            PaymentError::Amounts | PaymentError::Money(_) | PaymentError::Contradiction { .. } => {
                tracing::error!(
                    error = telemetry::chain(&error),
                    "a payment needs a person's eye"
                );
                Self::new("Failed", telemetry::chain(&error))
            }
        }
    }
}

/// Takes the order's money. The payment is stored before the gateway hears of it; whoever finds one
/// that is stored asks the gateway before charging. An order that costs nothing is paid without it.
///
/// # Errors
/// By name: `PaymentDeclined`, `Expired`, `PaymentUnknown` (the outcome is to be asked for later),
/// `ReviewPending` (nothing is begun for an order that somebody has to look at),
/// `AlreadyConfirmed`, `AlreadyClosed`, `OrderNotFound`, `Busy`, `Failed`.
pub async fn process_payment(
    orders: &OrderStore,
    payments: &PaymentStore,
    gateway: &impl Gateway,
    step: Step,
) -> Result<StepAnswer, StepError> {
    dynamo::change("the payment", || async {
        let (order, stored) = read(orders, payments, &step).await?;
        let past_deadline = order.is_past_deadline(step.now);
        let decision = rules::process(stored.as_ref(), order.status.course(), past_deadline);
        let (payment, settle) = match decision {
            Process::Begin if order.awaits_review() => {
                return Err(StepError::new(
                    "ReviewPending",
                    "the order waits for a review",
                ));
            }
            Process::Begin => {
                let payment = Payment::begin(order.id, order.total, gateway.provider(), step.now);
                if payments.begin(&payment).await? != Written::Done {
                    return Ok(Attempt::Overtaken);
                }
                let settle = charge(gateway, &payment, &order).await?;
                (payment, settle)
            }
            Process::Ask(payment) => {
                let settle = ask(gateway, payment, &order, past_deadline).await?;
                (payment.clone(), settle)
            }
            Process::Paid => return Ok(Attempt::Done(PaymentStatus::Completed.into())),
            Process::Declined(code) => return Err(declined(code)),
            Process::Expired => return Err(expired()),
            Process::AlreadyConfirmed => return Err(already_confirmed()),
            Process::AlreadyClosed => return Err(already_closed()),
        };
        let change = match settle {
            Settle::Record(change) => change,
            Settle::Declined(code) => return Err(declined(code)),
            Settle::Expired => return Err(expired()),
        };
        if rules::is_news(&payment, &change) {
            let next = rules::apply(&payment, &change, step.now)?;
            if payments.record(&payment, &next, &change).await? != Written::Done {
                return Ok(Attempt::Overtaken);
            }
        }
        outcome(&change).map(Attempt::Done)
    })
    .await
}

/// Asks where the charge of `payment` is, and charges if that is what is missing.
async fn ask(
    gateway: &impl Gateway,
    payment: &Payment,
    order: &Order,
    past_deadline: bool,
) -> Result<Settle, StepError> {
    if payment.is_free() {
        return charge(gateway, payment, order).await;
    }
    match gateway.retrieve(&payment.key()).await {
        Ok(found) => match rules::asked(payment, &found, past_deadline)? {
            Some(settle) => Ok(settle),
            None => charge(gateway, payment, order).await,
        },
        Err(error) => unanswered(error),
    }
}

async fn charge(
    gateway: &impl Gateway,
    payment: &Payment,
    order: &Order,
) -> Result<Settle, StepError> {
    if payment.is_free() {
        return Ok(Settle::Record(Change::Captured(payment.amount)));
    }
    // The token goes when the order comes to an outcome; the next run will find that.
    let token = order.payment_token.as_deref();
    let token = token.ok_or_else(|| StepError::new("Failed", "the payment token is gone"))?;
    match gateway.charge(&payment.key(), payment.amount, token).await {
        Ok(found) => Ok(rules::charged(payment, &found)?),
        Err(error) => unanswered(error),
    }
}

fn unanswered(error: GatewayError) -> Result<Settle, StepError> {
    match error {
        GatewayError::Unknown(_) => {
            tracing::warn!(
                error = telemetry::chain(&error),
                "the gateway's answer is lost"
            );
            Ok(Settle::Record(Change::Unknown))
        }
        GatewayError::Busy(_) => Err(error.into()),
    }
}

fn outcome(change: &Change) -> Result<StepAnswer, StepError> {
    match change {
        Change::Captured(_) => Ok(PaymentStatus::Completed.into()),
        Change::Declined(code) => Err(declined(code)),
        Change::Unknown | Change::Authorized(_) => Err(StepError::new(
            "PaymentUnknown",
            "the payment's outcome is not known yet",
        )),
        Change::Voided | Change::Refunded(_) => Err(already_closed()),
    }
}

/// Sees to it that no money stays taken for an order that has ended, nor can be taken any more.
///
/// # Errors
/// By name: `PaymentUnknown`, `AlreadyConfirmed`, `OrderNotFound`, `Busy`, `Failed` (also while the
/// order is pending).
pub async fn void_payment(
    orders: &OrderStore,
    payments: &PaymentStore,
    gateway: &impl Gateway,
    step: Step,
) -> Result<StepAnswer, StepError> {
    let status = dynamo::change("the payment", || async {
        let (order, stored) = read(orders, payments, &step).await?;
        match rules::void(stored.as_ref(), order.status.course()) {
            Void::Forbid => {
                let never = Payment::never(order.id, order.total, gateway.provider(), step.now);
                Ok(match payments.never(&never).await? {
                    Written::Done => Attempt::Done(never.status),
                    Written::Refused(_) => Attempt::Overtaken,
                })
            }
            Void::Request(payment) => match payments.request_void(payment).await? {
                Written::Done => {
                    let requested = Payment {
                        void_requested: true,
                        ..payment.clone()
                    };
                    undo(payments, gateway, requested, step.now).await
                }
                Written::Refused(_) => Ok(Attempt::Overtaken),
            },
            Void::Undo(payment) => undo(payments, gateway, payment.clone(), step.now).await,
            Void::Done(status) => Ok(Attempt::Done(status)),
            Void::AlreadyConfirmed => Err(already_confirmed()),
            Void::Undecided => Err(StepError::new("Failed", "the order is still pending")),
        }
    })
    .await?;
    Ok(status.into())
}

/// Undoes `payment` at the gateway and stores that.
async fn undo(
    payments: &PaymentStore,
    gateway: &impl Gateway,
    mut payment: Payment,
    now: Time,
) -> Result<Attempt<PaymentStatus>, StepError> {
    let key = payment.key();
    let mut found = if payment.is_free() {
        Charge::Voided
    } else {
        gateway.retrieve(&key).await?
    };
    for _ in 0..MOST_MOVES_TO_UNDO {
        match rules::undo(&payment, &found) {
            Undo::Void => found = gateway.void(&key).await?,
            Undo::Refund(total) => found = gateway.refund(&key, total).await?,
            Undo::Record(change) => {
                let next = rules::apply(&payment, &change, now)?;
                match payments.record(&payment, &next, &change).await? {
                    Written::Done => payment = next,
                    Written::Refused(_) => return Ok(Attempt::Overtaken),
                }
            }
        }
        if let Void::Done(status) = rules::void(Some(&payment), Course::Closed) {
            return Ok(Attempt::Done(status));
        }
    }
    Err(StepError::new(
        "Busy",
        "the gateway does not undo the charge",
    ))
}

/// Reads the order and its payment, both at once.
async fn read(
    orders: &OrderStore,
    payments: &PaymentStore,
    step: &Step,
) -> Result<(Order, Option<Payment>), StepError> {
    let (order, payment) =
        futures::try_join!(orders.get(step.order_id), payments.of_order(step.order_id),)?;
    let order = order.ok_or_else(|| StepError::new("OrderNotFound", "there is no such order"))?;
    Ok((order, payment))
}

fn declined(code: &str) -> StepError {
    StepError::new(
        "PaymentDeclined",
        format!("the payment was declined: {code}"),
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
