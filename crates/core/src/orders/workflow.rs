//! The steps of the workflow that orders own, and the sweep that starts the workflow again.
//!
//! Each step reads what is stored, decides by [`rules`], and writes only if no other writer changed the order in
//! between; otherwise it reads and decides again. So a step may run any number of times, in parallel with itself and
//! with a cancellation, and a step whose write succeeded without its knowledge finds its work done.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use futures::{FutureExt as _, StreamExt as _, future};

use super::change::{self, Change};
use super::erasure;
use super::executions::OrderWorkflow;
use super::gift_cards::returns;
use super::gift_cards::store::GiftCardStore;
use super::messages::MessageQueue;
use super::model::{Course, Failure, FailureCode, Order, PaymentStatus};
use super::rules::{self, Awaited, Diverted, review};
use super::store::OrderStore;
use super::validation::{Outcome, Rules};
use crate::aws::dynamo::StoreError;
use crate::aws::settings::{Setting, SettingError};
use crate::aws::{Aws, telemetry};
use crate::runtime::Scheduled;
use crate::runtime::{Step, StepError};
use crate::values::clock::Time;
use crate::values::id::OrderId;

/// How many due orders are run at the same time.
const AT_ONCE: usize = 8;

/// How many due orders of each shard are read at a time.
const MOST_DUE: usize = 100;

/// How long `run-due-orders` begins further rounds; it has 55 seconds.
const LAST_ROUND: Duration = Duration::from_secs(25);

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

/// What `OrderValidation` checks orders by.
#[derive(Clone, Debug)]
pub struct Validation {
    rules: Rules,
    review_patience: Duration,
}

impl Validation {
    /// Validates by `rules`; an order may wait for a review as long as `review_patience`.
    #[must_use]
    pub fn new(rules: Rules, review_patience: Duration) -> Self {
        Self {
            rules,
            review_patience,
        }
    }

    /// Reads the settings.
    ///
    /// # Errors
    /// Returns [`SettingError`] if a setting is missing or not valid.
    pub fn read(aws: &Aws) -> Result<Self, SettingError> {
        let review_seconds = aws.settings().read(Setting::ReviewDeadlineSeconds)?;
        Ok(Self::new(
            Rules::new(aws)?,
            Duration::from_secs(review_seconds),
        ))
    }
}

/// `OrderValidation`: recomputes the total from the stored lines and checks the shop's rules. An order that needs a
/// review goes on until its payment, so that its stock is held.
///
/// # Errors
/// Fails with `RuleFailed` and the rules' messages, or with `AlreadyConfirmed` or `AlreadyClosed` if the order is
/// decided.
pub async fn validate_order(
    orders: &OrderStore,
    validation: &Validation,
    step: Step,
) -> Result<(), StepError> {
    let (order, operators) =
        future::join(stored(orders, step.order_id), validation.rules.operators()).await;
    let order = order?;
    match order.status.course() {
        Course::Undecided => {}
        Course::Confirmed => return Err(Diverted::AlreadyConfirmed.into()),
        Course::Closed => return Err(Diverted::AlreadyClosed.into()),
    }
    let reasons = match validation.rules.check(&order, &operators?).await? {
        Outcome::Passed => return Ok(()),
        Outcome::Rejected(against) => return Err(StepError::new("RuleFailed", against)),
        Outcome::Review(reasons) => reasons,
    };
    change(orders, order, |order| {
        review::require(order, &reasons, validation.review_patience, step.now)
    })
    .await?;
    Ok(())
}

/// `OrderConfirmation`: confirms the order if it is pending, and removes its payment token.
///
/// # Errors
/// Fails with `AlreadyClosed` if the order is failed or cancelled.
pub async fn confirm_order(orders: &OrderStore, step: Step) -> Result<(), StepError> {
    let order = stored(orders, step.order_id).await?;
    let payment = payment_status(&step)?.unwrap_or(PaymentStatus::Completed);
    let confirm = |order| rules::confirm(order, payment, step.now);
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

/// `Notification`: queues the confirmation, after which the confirmed order is no longer due.
///
/// # Errors
/// Fails with `AlreadyClosed` if the order is cancelled.
pub async fn notify_order(
    orders: &OrderStore,
    messages: &MessageQueue,
    step: Step,
) -> Result<(), StepError> {
    let order = stored(orders, step.order_id).await?;
    // An order that is not due has had its confirmation queued.
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

/// `FailOrder`: fails the pending order with the reason, before anything is undone.
///
/// # Errors
/// Fails with `AlreadyConfirmed` if the order is confirmed: then nothing may be undone.
pub async fn fail_order(orders: &OrderStore, step: Step) -> Result<(), StepError> {
    let failure = failure(&step)?;
    let decide = |order| rules::fail(order, failure.clone(), step.now);
    let order = stored(orders, step.order_id).await?;
    change(orders, order, decide).await.map(drop)
}

/// Returns why the workflow fails the order.
fn failure(step: &Step) -> Result<Failure, StepError> {
    let error = step.error.as_ref();
    let name = error.map(|error| error.error.as_str());
    let code = match name {
        Some("RuleFailed") => FailureCode::RuleFailed,
        Some("OutOfStock") => FailureCode::OutOfStock,
        Some("PaymentDeclined") => FailureCode::PaymentDeclined,
        Some("Expired") => FailureCode::Expired,
        other => {
            let detail = format!("{other:?} is not a reason for an order to fail");
            return Err(StepError::new("Failed", detail));
        }
    };
    let detail = error.map(crate::runtime::StepFailure::detail);
    Ok(Failure::new(code, &detail.unwrap_or_default()))
}

/// Returns the payment's status that the step before said; runs that began with an earlier release say none.
fn payment_status(step: &Step) -> Result<Option<PaymentStatus>, StepError> {
    let status = step.payment_status.as_deref().map(str::parse).transpose();
    status.map_err(|error: super::model::UnknownName| StepError::new("Failed", error.to_string()))
}

/// `CloseOrder`: after everything else is undone, what the failed or cancelled order took from gift cards comes back to them,
/// and it is no longer due. If its customer was deleted, its address is erased.
///
/// # Errors
/// Fails with `AlreadyConfirmed` if the order is confirmed, which only a fault elsewhere brings about.
pub async fn close_order(
    orders: &OrderStore,
    gift_cards: &GiftCardStore,
    step: Step,
) -> Result<(), StepError> {
    let payment = payment_status(&step)?;
    let decide = |order| rules::close(order, payment, step.now);
    let order = stored(orders, step.order_id).await?;
    decide(order.clone())?;
    // Both come before `due_at` goes.
    returns::bring_all_back(gift_cards, &order, step.now).await?;
    forget_token(orders, &order).await?;
    let order = change(orders, order, decide).await?;
    Ok(erasure::erase_if_due(orders, &order, step.now).await?)
}

/// `PostponeOrder`: puts the next run off after a run without an outcome.
///
/// # Errors
/// Fails with `Expired` if the order is past its deadline and does not wait for a payment's outcome.
pub async fn postpone_order(orders: &OrderStore, step: Step) -> Result<(), StepError> {
    let error = step.error.as_ref();
    let name = error.map_or("", |error| error.error.as_str());
    let waits_for = match name {
        "PaymentUnknown" => Some(Awaited::Gateway),
        "ActionRequired" => Some(Awaited::Shopper),
        "PaymentRetryable" => Some(Awaited::Token),
        _ => None,
    };
    let order = stored(orders, step.order_id).await?;
    let order = change(orders, order, |order| {
        rules::postpone(order, waits_for, step.now)
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

/// Runs the workflow of every order that is due, erases every address that is due to be erased, and continues
/// erasures. The orders that have been due longest come first. What does not fit into one run is done by the next.
///
/// # Errors
/// Fails with `Failed` if some orders could not be run; all others were, and those are still due.
pub async fn run_due_orders(
    orders: &OrderStore,
    workflow: &OrderWorkflow,
    scheduled: Scheduled,
) -> Result<(), StepError> {
    let now = scheduled.time;
    let started = Instant::now();
    let mut failed: BTreeSet<OrderId> = BTreeSet::new();
    while started.elapsed() < LAST_ROUND {
        let due = orders.due_orders(now, MOST_DUE).await?;
        // Orders that were run are no longer due. If only those are left that could not be run, they wait.
        if due.iter().all(|id| failed.contains(id)) {
            break;
        }
        let runs = due.into_iter().map(|id| {
            let run = run_due_order(orders, workflow, id, now);
            Box::pin(run.map(move |succeeded| (id, succeeded)))
        });
        let mut runs = futures::stream::iter(runs).buffer_unordered(AT_ONCE);
        while let Some((id, succeeded)) = runs.next().await {
            if !succeeded {
                failed.insert(id);
            }
        }
    }
    erasure::continue_erasures(orders, now).await?;
    if failed.is_empty() {
        Ok(())
    } else {
        let detail = format!("{} orders were not run", failed.len());
        Err(StepError::new("Failed", detail))
    }
}

/// Starts the run of the order and erases its address, as far as they are due. Returns whether that succeeded.
async fn run_due_order(
    orders: &OrderStore,
    workflow: &OrderWorkflow,
    id: OrderId,
    now: Time,
) -> bool {
    let decide = |order| Ok::<_, StoreError>(rules::take_up(order, now));
    let taken_up = change::apply(orders, id, decide).await;
    let (order, to_be_run) = match taken_up {
        Ok(Some(Change::Made(order))) => (order, true),
        // Only its address is to be erased. Or the index lags by a moment: another sweep has taken the order up, or
        // it is not due any more.
        Ok(Some(Change::Unneeded(order))) => (order, false),
        Ok(None) => return true,
        Err(error) => {
            let error = telemetry::chain(&error);
            tracing::error!(order.id = %id, error, "due order not taken up");
            return false;
        }
    };
    let erased = erasure::erase_if_due(orders, &order, now).await;
    if let Err(error) = &erased {
        let error = telemetry::chain(error);
        tracing::error!(order.id = %id, error, "due address not erased");
    }
    let run = !to_be_run || run(workflow, &order, now).await;
    run && erased.is_ok()
}

/// Starts the run of the order that was taken up at `now`. Returns whether that succeeded.
async fn run(workflow: &OrderWorkflow, order: &Order, now: Time) -> bool {
    let id = order.id;
    // A metric filter in template.yaml reads `open_seconds` for an alarm.
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
