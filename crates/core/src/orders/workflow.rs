//! The orders' own steps of the workflow, and what starts it again.
//!
//! Each step reads what is stored, decides by [`rules`], and writes only if nobody came between;
//! else it reads and decides again. So a step may run any number of times, beside itself and beside
//! a cancellation, and one whose write succeeded without its knowing finds its work done.

use std::time::Duration;

use futures::{StreamExt as _, future};
use serde::Deserialize;

use super::change::{self, Change};
use super::erasure;
use super::executions::OrderWorkflow;
use super::messages::MessageQueue;
use super::model::{Course, Failure, FailureCode, Order, PaymentStatus};
use super::rules::{self, Diverted, review};
use super::store::OrderStore;
use super::validation::{Outcome, Rules};
use crate::aws::dynamo::StoreError;
use crate::aws::settings::{Setting, SettingError};
use crate::aws::{Aws, telemetry};
use crate::runtime::{Step, StepError};
use crate::values::clock::Time;
use crate::values::id::OrderId;

/// How many due orders are taken up at once.
const AT_ONCE: usize = 8;

impl From<Diverted> for StepError {
    fn from(diverted: Diverted) -> Self {
        let name = match diverted {
            Diverted::AlreadyConfirmed => "AlreadyConfirmed",
            Diverted::AlreadyClosed => "AlreadyClosed",
            Diverted::Expired => "Expired",
            Diverted::Undecided | Diverted::Illegal(_) => "Failed",
        };
        Self::new(name, diverted.to_string())
    }
}

fn not_found() -> StepError {
    StepError::new("OrderNotFound", "there is no such order")
}

async fn stored(orders: &OrderStore, id: OrderId) -> Result<Order, StepError> {
    orders.get(id).await?.ok_or_else(not_found)
}

/// Writes what `decide` makes of `order`, which was just read, and returns the order as it is then.
async fn change(
    orders: &OrderStore,
    order: Order,
    decide: impl Fn(Order) -> Result<Option<Order>, Diverted>,
) -> Result<Order, StepError> {
    let decide = |order| decide(order).map_err(StepError::from);
    let changed = change::apply_to(orders, order, decide).await?;
    changed.map(Change::into_order).ok_or_else(not_found)
}

/// Removes the payment token, which is not needed once the payment is settled. This comes before `due_at` goes, so
/// that a run that dies here is made again.
async fn forget_token(orders: &OrderStore, order: &Order) -> Result<(), StoreError> {
    if order.payment_token.is_some() {
        orders.forget_token(order.id).await?;
    }
    Ok(())
}

/// What `OrderValidation` asks.
#[derive(Clone, Debug)]
pub struct Validation {
    rules: Rules,
    review_patience: Duration,
}

impl Validation {
    /// `rules`, and how long an order may wait for a review.
    #[must_use]
    pub fn new(rules: Rules, review_patience: Duration) -> Self {
        Self {
            rules,
            review_patience,
        }
    }

    /// With what the settings say.
    ///
    /// # Errors
    /// [`SettingError`] if a setting is missing or not valid.
    pub fn read(aws: &Aws) -> Result<Self, SettingError> {
        let review_seconds = aws.settings().read(Setting::ReviewDeadlineSeconds)?;
        Ok(Self::new(
            Rules::new(aws)?,
            Duration::from_secs(review_seconds),
        ))
    }
}

/// `OrderValidation`: recomputes the total from the stored lines and asks the shop's rules. An order
/// that somebody has to look at goes on, so that its stock is held, as far as its payment.
///
/// # Errors
/// `RuleFailed` with what the rules say; `AlreadyConfirmed` or `AlreadyClosed` if the order is
/// decided.
pub async fn validate_order(
    orders: &OrderStore,
    asked: &Validation,
    step: Step,
) -> Result<(), StepError> {
    let (order, operators) =
        future::join(stored(orders, step.order_id), asked.rules.operators()).await;
    let order = order?;
    match order.status.course() {
        Course::Undecided => {}
        Course::Confirmed => return Err(Diverted::AlreadyConfirmed.into()),
        Course::Closed => return Err(Diverted::AlreadyClosed.into()),
    }
    let reasons = match asked.rules.check(&order, &operators?).await? {
        Outcome::Passed => return Ok(()),
        Outcome::Rejected(against) => return Err(StepError::new("RuleFailed", against)),
        Outcome::Review(reasons) => reasons,
    };
    change(orders, order, |order| {
        review::want(order, &reasons, asked.review_patience, step.now)
    })
    .await?;
    Ok(())
}

/// `OrderConfirmation`: from pending to confirmed, only from pending; the payment token is not needed
/// any more.
///
/// # Errors
/// `AlreadyClosed` if the order failed or was cancelled meanwhile.
pub async fn confirm_order(orders: &OrderStore, step: Step) -> Result<(), StepError> {
    let order = stored(orders, step.order_id).await?;
    let confirm = |order| rules::confirm(order, step.now);
    confirm(order.clone())?;
    // Both writes at once, because either may be there without the other: the payment is captured and stored by
    // now, so no later run needs the token to charge or to refund it; and a token that outlives this step goes with
    // the next one, which comes as long as the order has its `due_at`.
    let (forgotten, confirmed) = future::join(
        forget_token(orders, &order),
        change(orders, order.clone(), confirm),
    )
    .await;
    forgotten?;
    confirmed.map(drop)
}

/// Notification: queues the confirmation and marks the confirmed order as done.
///
/// # Errors
/// `AlreadyClosed` if the order was cancelled meanwhile.
pub async fn notify_order(
    orders: &OrderStore,
    messages: &MessageQueue,
    step: Step,
) -> Result<(), StepError> {
    let order = stored(orders, step.order_id).await?;
    // Nothing is due: it was queued by the run that came to its end.
    if rules::finish(order.clone())?.is_none() {
        return Ok(());
    }
    // Neither needs the other; both come before `due_at` goes.
    let (queued, forgotten) = future::join(
        messages.order_confirmed(order.id),
        forget_token(orders, &order),
    )
    .await;
    queued.map_err(|error| StepError::new("Failed", telemetry::chain(&error)))?;
    forgotten?;
    change(orders, order, rules::finish).await.map(drop)
}

/// `FailOrder`: from pending to failed, with the reason, before anything is undone.
///
/// # Errors
/// `AlreadyConfirmed` if the order was confirmed meanwhile: nothing may be undone.
pub async fn fail_order(orders: &OrderStore, step: Step) -> Result<(), StepError> {
    let failure = failure(&step)?;
    let decide = |order| rules::fail(order, failure.clone(), step.now);
    let order = stored(orders, step.order_id).await?;
    change(orders, order, decide).await.map(drop)
}

/// Why the workflow takes the order for failed.
fn failure(step: &Step) -> Result<Failure, StepError> {
    let error = step.error.as_ref();
    let name = error.map(|error| error.error.as_str());
    let code = match name {
        Some("RuleFailed") => FailureCode::RuleFailed,
        Some("OutOfStock") => FailureCode::OutOfStock,
        Some("PaymentDeclined") => FailureCode::PaymentDeclined,
        Some("Expired") => FailureCode::Expired,
        other => {
            let detail = format!("an order does not fail because of {other:?}");
            return Err(StepError::new("Failed", detail));
        }
    };
    let detail = error.map(crate::runtime::StepFailure::detail);
    Ok(Failure::new(code, &detail.unwrap_or_default()))
}

/// `CloseOrder`: marks the failed or cancelled order as done, after all is undone; if its customer has
/// gone, its address goes, too.
///
/// # Errors
/// `AlreadyConfirmed`, which only a fault elsewhere brings about.
pub async fn close_order(orders: &OrderStore, step: Step) -> Result<(), StepError> {
    let payment: Option<PaymentStatus> = step
        .payment_status
        .as_deref()
        .map(str::parse)
        .transpose()
        .map_err(|error: super::model::UnknownName| StepError::new("Failed", error.to_string()))?;
    let decide = |order| rules::close(order, payment, step.now);
    let order = stored(orders, step.order_id).await?;
    decide(order.clone())?;
    forget_token(orders, &order).await?;
    let order = change(orders, order, decide).await?;
    Ok(erasure::erase_in_time(orders, &order, step.now).await?)
}

/// `PostponeOrder`: the run came to no end, the next one comes later.
///
/// # Errors
/// `Expired` if the order is past its deadline and no payment's outcome is waited for.
pub async fn postpone_order(orders: &OrderStore, step: Step) -> Result<(), StepError> {
    let error = step.error.as_ref();
    let name = error.map_or("", |error| error.error.as_str());
    let payment_unknown = name == "PaymentUnknown";
    let order = stored(orders, step.order_id).await?;
    let order = change(orders, order, |order| {
        rules::postpone(order, payment_unknown, step.now)
    })
    .await?;
    tracing::warn!(
        order.id = %order.id,
        order.status = %order.status,
        order.due_at = order.due_at.map(tracing::field::display),
        error = name,
        "order postponed"
    );
    Ok(())
}

/// The event of a schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Scheduled {
    /// When it was to happen: the handler's now.
    pub time: Time,
}

/// Runs the workflow of every order for which something is left to do and whose time has come; and
/// erases the address of every order whose customer has gone, when its time has come.
///
/// # Errors
/// `Failed` if not all could be run; the others were, and those are still due.
pub async fn run_due_orders(
    orders: &OrderStore,
    workflow: &OrderWorkflow,
    scheduled: Scheduled,
) -> Result<(), StepError> {
    let due = orders.due(scheduled.time).await?;
    let runs = due
        .into_iter()
        .map(|id| run_due_order(orders, workflow, id, scheduled.time));
    let failed = futures::stream::iter(runs)
        .buffer_unordered(AT_ONCE)
        .filter(|started| future::ready(!started))
        .count()
        .await;
    if failed == 0 {
        Ok(())
    } else {
        let detail = format!("{failed} orders were not run");
        Err(StepError::new("Failed", detail))
    }
}

/// Whether all that is due of the order was done: its run started, its address erased.
async fn run_due_order(
    orders: &OrderStore,
    workflow: &OrderWorkflow,
    id: OrderId,
    now: Time,
) -> bool {
    let take_up = |order| Ok::<_, StoreError>(rules::take_up(order, now));
    let taken_up = change::apply(orders, id, take_up).await;
    let (order, to_be_run) = match taken_up {
        Ok(Some(Change::Made(order))) => (order, true),
        // Only its address is to be erased; or another has taken it up, or it has come to its end: the
        // index lags by a moment.
        Ok(Some(Change::Unneeded(order))) => (order, false),
        Ok(None) => return true,
        Err(error) => {
            let error = telemetry::chain(&error);
            tracing::error!(order.id = %id, error, "due order not taken up");
            return false;
        }
    };
    let erased = erasure::erase_in_time(orders, &order, now).await;
    if let Err(error) = &erased {
        let error = telemetry::chain(error);
        tracing::error!(order.id = %id, error, "due address not erased");
    }
    let run = !to_be_run || run(workflow, &order, now).await;
    run && erased.is_ok()
}

/// Whether the run of the order that was taken up at `now` could be started.
async fn run(workflow: &OrderWorkflow, order: &Order, now: Time) -> bool {
    let id = order.id;
    // A metric filter in template.yaml reads `open_seconds`; an alarm looks at it.
    let open_seconds = now.as_seconds() - order.created_at.as_seconds();
    match workflow.start(id, order.run).await {
        Ok(()) => {
            tracing::info!(
                order.id = %id,
                order.status = %order.status,
                order.due_attempts = order.due_attempts,
                open_seconds,
                "due order run"
            );
            true
        }
        Err(error) => {
            let error = telemetry::chain(&error);
            tracing::error!(order.id = %id, error, "due order not run");
            false
        }
    }
}

#[cfg(test)]
mod tests;
