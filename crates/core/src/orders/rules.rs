//! What may happen to an order, decided without looking anywhere.
//!
//! Each function takes an order as it is stored and answers what it should be; `None` means that
//! nothing is left to do. Whoever writes the answer does so only if the order is still as it was
//! given here.

use std::time::Duration;

use super::model::{
    Course, Event, Failure, FailureCode, Guest, IllegalTransition, Line, Order, PaymentStatus,
    Review, Status,
};
use crate::orders::uses::Use;
use crate::pricing::breakdown::Breakdown;
use crate::values::address::Address;
use crate::values::clock::Time;
use crate::values::event::Stamp;
use crate::values::id::{CustomerId, OrderId};
use crate::values::money::Money;

/// How long after its last change an order is run again if it has not come to its end.
const FIRST_DISTANCE: Duration = Duration::from_mins(1);

/// The longest that a run of an order is put off.
const LAST_DISTANCE: Duration = Duration::from_hours(1);

/// The status that `event` leads to from `status`.
///
/// # Errors
/// [`IllegalTransition`], with the events that `status` does allow.
pub fn next(status: Status, event: Event) -> Result<Status, IllegalTransition> {
    target(status, event).ok_or_else(|| IllegalTransition {
        from: status,
        event,
        legal: legal(status),
    })
}

/// The events that `status` allows.
#[must_use]
pub fn legal(status: Status) -> Vec<Event> {
    let events = Event::ALL.iter().copied();
    events
        .filter(|event| target(status, *event).is_some())
        .collect()
}

fn target(status: Status, event: Event) -> Option<Status> {
    match (status, event) {
        (Status::Pending, Event::Confirm) => Some(Status::Confirmed),
        (Status::Pending, Event::Fail) => Some(Status::Failed),
        (Status::Pending | Status::Confirmed, Event::Cancel) => Some(Status::Cancelled),
        (Status::Confirmed, Event::Process) => Some(Status::Processing),
        (Status::Processing, Event::Ship) => Some(Status::Shipped),
        (Status::Shipped, Event::Deliver) => Some(Status::Delivered),
        (Status::Delivered, Event::Complete) => Some(Status::Completed),
        (Status::Delivered | Status::Completed, Event::Return) => Some(Status::Returned),
        (
            Status::Pending
            | Status::Confirmed
            | Status::Processing
            | Status::Shipped
            | Status::Delivered
            | Status::Completed
            | Status::Returned
            | Status::Cancelled
            | Status::Failed,
            Event::Confirm
            | Event::Fail
            | Event::Cancel
            | Event::Process
            | Event::Ship
            | Event::Deliver
            | Event::Complete
            | Event::Return,
        ) => None,
    }
}

/// Why a step of the workflow does not go on with an order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Diverted {
    /// It is not decided yet, though this step comes after the decision.
    #[error("the order is still pending")]
    Undecided,
    /// It is confirmed, or beyond.
    #[error("the order is confirmed")]
    AlreadyConfirmed,
    /// It failed or was cancelled.
    #[error("the order is closed")]
    AlreadyClosed,
    /// It is past its deadline.
    #[error("there was no outcome before the order's deadline")]
    Expired,
    /// Its status does not allow what the step is for.
    #[error(transparent)]
    Illegal(#[from] IllegalTransition),
}

/// How far away the next run is after `attempts` runs: 1, 2, 4, ... minutes, at most an hour.
#[must_use]
pub fn distance(attempts: u32) -> Duration {
    let factor = 2_u32.saturating_pow(attempts.min(16));
    FIRST_DISTANCE.saturating_mul(factor).min(LAST_DISTANCE)
}

/// When an order that is placed or changed at `now` is due.
#[must_use]
pub fn first_due(now: Time) -> Time {
    now.plus(distance(0))
}

/// What a new order is made of.
#[derive(Clone, Debug)]
pub struct Placement {
    /// Its identifier.
    pub id: OrderId,
    /// Whose it is.
    pub customer_id: CustomerId,
    /// Who places it without an account.
    pub guest: Option<Guest>,
    /// One line for each product.
    pub lines: Vec<Line>,
    /// What it costs, part by part.
    pub breakdown: Breakdown,
    /// The uses of discounts that it takes.
    pub uses: Vec<Use>,
    /// What is charged.
    pub total: Money,
    /// Where it goes.
    pub shipping_address: Address,
    /// What the gateway is to charge.
    pub payment_token: String,
    /// Hash of the request.
    pub request_hash: String,
    /// When it is placed.
    pub now: Time,
    /// How long anything new may be begun for it.
    pub deadline: Duration,
    /// Trace context of the request.
    pub traceparent: Option<String>,
}

/// The new order.
#[must_use]
pub fn place(placement: Placement) -> Order {
    let now = placement.now;
    let mut event = Stamp::new(placement.id, 1, "OrderCreated", now);
    event.traceparent = placement.traceparent;
    Order {
        id: placement.id,
        customer_id: placement.customer_id,
        guest: placement.guest,
        status: Status::Pending,
        payment_status: PaymentStatus::Pending,
        lines: placement.lines,
        breakdown: placement.breakdown,
        uses: placement.uses,
        total: placement.total,
        shipping_address: placement.shipping_address,
        erase_at: None,
        failure: None,
        review: None,
        version: 1,
        created_at: now,
        updated_at: now,
        deadline_at: now.plus(placement.deadline),
        payment_token: Some(placement.payment_token),
        cancelled_from: None,
        due_at: Some(first_due(now)),
        due_attempts: 0,
        run: 0,
        request_hash: placement.request_hash,
        revision: 1,
        event,
    }
}

/// The uses of discounts that go back with the write that takes an order from the status `before` to
/// `after`: all that it took if that closes it, and else none.
#[must_use]
pub fn given_back(before: Status, after: &Order) -> Vec<Use> {
    let closes = before.course() != Course::Closed && after.status.course() == Course::Closed;
    if closes {
        after.uses.clone()
    } else {
        Vec::new()
    }
}

/// `order` with its next event, which is published as `event_type`.
pub(super) fn stamped(order: Order, event_type: &str, now: Time) -> Order {
    let version = order.version + 1;
    let at = now.no_earlier_than(order.updated_at);
    let mut stamp = Stamp::new(order.id, version, event_type, at);
    stamp.traceparent.clone_from(&order.event.traceparent);
    Order {
        version,
        updated_at: at,
        event: stamp,
        ..order
    }
}

/// `order` after `event`, which is published as `event_type`. What the new status demands is due
/// soon, however far the demands of the old one had been put off.
pub(super) fn happened(
    order: Order,
    event: Event,
    event_type: &str,
    now: Time,
) -> Result<Order, IllegalTransition> {
    let soon = first_due(now);
    Ok(Order {
        status: next(order.status, event)?,
        due_at: Some(order.due_at.map_or(soon, |due| due.min(soon))),
        due_attempts: 0,
        // The header has room for the reasons of a review or of a failure, not for both.
        review: order
            .review
            .as_ref()
            .map(|review| Review::decided(review.state)),
        ..stamped(order, event_type, now)
    })
}

/// The guest's order as `customer`'s, who has shown that the guest's address is theirs; `None` if it is
/// no guest's order any more.
#[must_use]
pub fn claim(order: Order, customer: CustomerId, now: Time) -> Option<Order> {
    order.guest.as_ref()?;
    Some(Order {
        customer_id: customer,
        guest: None,
        ..stamped(order, "OrderClaimed", now)
    })
}

/// The order confirmed: its stock is held and its payment captured.
///
/// # Errors
/// [`Diverted::AlreadyClosed`].
pub fn confirm(order: Order, now: Time) -> Result<Option<Order>, Diverted> {
    match order.status.course() {
        Course::Undecided => Ok(Some(Order {
            payment_status: PaymentStatus::Completed,
            ..happened(order, Event::Confirm, "OrderConfirmed", now)?
        })),
        Course::Confirmed => Ok(None),
        Course::Closed => Err(Diverted::AlreadyClosed),
    }
}

/// The order failed because of `failure`.
///
/// # Errors
/// [`Diverted::AlreadyConfirmed`]: then nothing may be undone.
pub fn fail(order: Order, failure: Failure, now: Time) -> Result<Option<Order>, Diverted> {
    match order.status.course() {
        Course::Undecided => {
            let payment_status = match failure.code {
                FailureCode::PaymentDeclined => PaymentStatus::Failed,
                FailureCode::RuleFailed | FailureCode::OutOfStock | FailureCode::Expired => {
                    order.payment_status
                }
            };
            Ok(Some(Order {
                failure: Some(failure),
                payment_status,
                ..happened(order, Event::Fail, "OrderFailed", now)?
            }))
        }
        Course::Confirmed => Err(Diverted::AlreadyConfirmed),
        Course::Closed => Ok(None),
    }
}

/// The order called off, to be undone by a new run. `None` if it is called off already.
///
/// # Errors
/// [`IllegalTransition`] once it is being picked, and when it has failed.
pub fn cancel(
    order: Order,
    now: Time,
    traceparent: Option<String>,
) -> Result<Option<Order>, IllegalTransition> {
    if order.status == Status::Cancelled {
        return Ok(None);
    }
    let cancelled_from = Some(order.status);
    let mut cancelled = happened(order, Event::Cancel, "OrderCancelled", now)?;
    cancelled.cancelled_from = cancelled_from;
    cancelled.run += 1;
    if traceparent.is_some() {
        cancelled.event.traceparent = traceparent;
    }
    Ok(Some(cancelled))
}

/// The confirmed order with nothing left to do. `None` if that is so already.
///
/// # Errors
/// [`Diverted::AlreadyClosed`] if it was cancelled meanwhile, [`Diverted::Undecided`].
pub fn finish(order: Order) -> Result<Option<Order>, Diverted> {
    match order.status.course() {
        Course::Undecided => Err(Diverted::Undecided),
        Course::Confirmed => Ok(order.due_at.map(|_| Order {
            due_at: None,
            due_attempts: 0,
            ..order
        })),
        Course::Closed => Err(Diverted::AlreadyClosed),
    }
}

/// The failed or cancelled order with nothing left to undo, its payment being `payment`, if that is
/// known; no parcel needs its address any more. `None` if that is so already.
///
/// # Errors
/// [`Diverted::AlreadyConfirmed`] or [`Diverted::Undecided`].
pub fn close(
    order: Order,
    payment: Option<PaymentStatus>,
    now: Time,
) -> Result<Option<Order>, Diverted> {
    match order.status.course() {
        Course::Undecided => Err(Diverted::Undecided),
        Course::Confirmed => Err(Diverted::AlreadyConfirmed),
        Course::Closed => {
            let payment_status = payment.unwrap_or(order.payment_status);
            let erase_at = order.erase_at.map(|at| at.min(now));
            let closed = order.due_at.is_none() && erase_at == order.erase_at;
            if closed && payment_status == order.payment_status {
                return Ok(None);
            }
            Ok(Some(Order {
                payment_status,
                erase_at,
                due_at: None,
                due_attempts: 0,
                updated_at: now.no_earlier_than(order.updated_at),
                ..order
            }))
        }
    }
}

/// The order taken up by a new run at `now`, the run after that being due if this one dies. `None`
/// if it is not due.
#[must_use]
pub fn take_up(order: Order, now: Time) -> Option<Order> {
    order.due_at.filter(|due| *due <= now)?;
    let due_attempts = order.due_attempts.saturating_add(1);
    Some(Order {
        run: order.run + 1,
        due_attempts,
        due_at: Some(now.plus(distance(due_attempts))),
        ..order
    })
}

/// The order after a run that came to no end at `now`: the next one later, and later each time. With
/// `payment_unknown` its payment is `processing`, which the deadline waits for. `None` if nothing is
/// left to do, or the next run is as late already.
///
/// # Errors
/// [`Diverted::Expired`] if it is pending past its deadline, and no payment's outcome is waited for.
pub fn postpone(order: Order, payment_unknown: bool, now: Time) -> Result<Option<Order>, Diverted> {
    let Some(due) = order.due_at else {
        return Ok(None);
    };
    let payment_status = match order.status.course() {
        Course::Undecided if payment_unknown => PaymentStatus::Processing,
        Course::Undecided => {
            let waited_for = order.payment_status == PaymentStatus::Processing;
            if order.is_past_deadline(now) && !waited_for {
                return Err(Diverted::Expired);
            }
            order.payment_status
        }
        Course::Confirmed | Course::Closed => order.payment_status,
    };
    let mut later = due.max(now.plus(distance(order.due_attempts)));
    if order.awaits_review() {
        // Whoever reviews it starts the next run.
        later = later.max(order.deadline_at);
    }
    if later == due && payment_status == order.payment_status {
        return Ok(None);
    }
    let updated_at = if payment_status == order.payment_status {
        order.updated_at
    } else {
        now.no_earlier_than(order.updated_at)
    };
    Ok(Some(Order {
        payment_status,
        due_at: Some(later),
        updated_at,
        ..order
    }))
}

pub mod erasure;
pub mod review;
#[cfg(test)]
mod tests;
