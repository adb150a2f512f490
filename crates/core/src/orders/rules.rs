//! What may happen to an order, decided without I/O.
//!
//! Each function takes an order as it is stored and returns the order as it should be; `None` means that nothing is
//! left to do. The caller writes the result only if the stored order is still the one that was given here.

use std::cmp::Ordering;
use std::time::Duration;

use super::model::{
    Course, Event, Failure, FailureCode, Guest, IllegalTransition, Line, Order, PaymentStatus,
    Review, Status,
};
use crate::http::problem::Problem;
use crate::orders::details::Details;
use crate::orders::number::OrderNumber;
use crate::orders::redemptions::Redemption;
use crate::orders::uses::Use;
use crate::pricing::breakdown::Breakdown;
use crate::values::address::Address;
use crate::values::clock::Time;
use crate::values::event::Stamp;
use crate::values::id::{CustomerId, OrderId};
use crate::values::money::Money;

pub use transition::{legal, next_status};

/// How long after its last change an order is run again if its status still demands something.
const FIRST_DELAY: Duration = Duration::from_mins(1);

/// The longest delay between two runs of an order.
const LAST_DELAY: Duration = Duration::from_hours(1);

/// Why a step of the workflow stops.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Diverted {
    /// The order is not decided yet, though this step comes after the decision.
    #[error("the order is still pending")]
    Undecided,
    /// The order is confirmed, or has gone on from there.
    #[error("the order is confirmed")]
    AlreadyConfirmed,
    /// The order is failed or cancelled.
    #[error("the order is closed")]
    AlreadyClosed,
    /// The order is past its deadline.
    #[error("there was no outcome before the order's deadline")]
    Expired,
    /// The order's status does not allow the step.
    #[error(transparent)]
    Illegal(#[from] IllegalTransition),
}

/// Whom an order's payment waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Awaited {
    /// The gateway, for the outcome, which outlasts the deadline.
    Gateway,
    /// The shopper, who has to confirm the payment before the deadline.
    Shopper,
    /// Another token, before the deadline.
    Token,
}

/// Returns the delay of the next run after `attempts` runs: 1, 2, 4, ... minutes, at most an hour.
#[must_use]
pub fn retry_delay(attempts: u32) -> Duration {
    let factor = 2_u32.saturating_pow(attempts.min(16));
    FIRST_DELAY.saturating_mul(factor).min(LAST_DELAY)
}

/// Returns when an order that is placed or changed at `now` is due.
#[must_use]
pub fn first_due(now: Time) -> Time {
    now.plus(retry_delay(0))
}

/// The contents of a new order.
#[derive(Clone, Debug)]
pub struct Placement {
    /// Its identifier.
    pub id: OrderId,
    /// Its number for people.
    pub number: OrderNumber,
    /// The customer; for a guest, an identifier that is made for this one order.
    pub customer_id: CustomerId,
    /// The guest who places it.
    pub guest: Option<Guest>,
    /// One line for each product.
    pub lines: Vec<Line>,
    /// The parts of its total.
    pub breakdown: Breakdown,
    /// The uses of discounts that it takes.
    pub uses: Vec<Use>,
    /// What it costs.
    pub total: Money,
    /// What it takes from gift cards.
    pub gift_cards: Vec<Redemption>,
    /// The address that it is shipped to, or that of the buyer if nothing is shipped.
    pub shipping_address: Address,
    /// What its customer tells about it.
    pub details: Details,
    /// Whether any of its goods are shipped.
    pub is_shipped: bool,
    /// The token that the gateway is to charge, unless gift cards pay for everything.
    pub payment_token: Option<String>,
    /// Hash of the request.
    pub request_hash: String,
    /// When it is placed.
    pub now: Time,
    /// The time from `now` to its deadline.
    pub deadline: Duration,
    /// Trace context of the request.
    pub traceparent: Option<String>,
}

/// Returns the new order.
#[must_use]
pub fn place(placement: Placement) -> Order {
    let now = placement.now;
    let mut event = Stamp::new(placement.id, 1, "OrderCreated", now);
    event.traceparent = placement.traceparent;
    Order {
        id: placement.id,
        number: Some(placement.number),
        customer_id: placement.customer_id,
        guest: placement.guest,
        status: Status::Pending,
        payment_status: PaymentStatus::Pending,
        payment_version: 0,
        lines: placement.lines,
        breakdown: placement.breakdown,
        uses: placement.uses,
        total: placement.total,
        gift_cards: placement.gift_cards,
        shipping_address: placement.shipping_address,
        details: placement.details,
        is_shipped: placement.is_shipped,
        erase_at: None,
        failure: None,
        review: None,
        version: 1,
        created_at: now,
        updated_at: now,
        deadline_at: now.plus(placement.deadline),
        payment_token: placement.payment_token,
        cancelled_from: None,
        due_at: Some(first_due(now)),
        due_attempts: 0,
        run: 0,
        request_hash: placement.request_hash,
        revision: 1,
        event,
    }
}

/// Returns the uses of discounts that the write from the status `before` to the order `after` gives back: all of the
/// order's uses if this closes the order, and otherwise none.
#[must_use]
pub fn given_back(before: Status, after: &Order) -> Vec<Use> {
    let closes = before.course() != Course::Closed && after.status.course() == Course::Closed;
    if closes {
        after.uses.clone()
    } else {
        Vec::new()
    }
}

/// Returns `order` with its next version and its stamp; the event is published as `event_type`.
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

/// Returns `order` after `event`, which is published as `event_type`. What the new status demands is due soon, however
/// late the next run was due in the old status.
pub(super) fn after_event(
    order: Order,
    event: Event,
    event_type: &str,
    now: Time,
) -> Result<Order, IllegalTransition> {
    let soon = first_due(now);
    Ok(Order {
        status: next_status(order.status, event)?,
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

/// Returns the guest's order as an order of `customer`, who has shown that the guest's address is theirs; or `None` if
/// the order is not a guest's any more, or has failed: anybody can make orders with a stranger's address fail, and they
/// would count against the customer's credit.
#[must_use]
pub fn claim(order: Order, customer: CustomerId, now: Time) -> Option<Order> {
    order.guest.as_ref()?;
    if order.status == Status::Failed {
        return None;
    }
    Some(Order {
        customer_id: customer,
        guest: None,
        ..stamped(order, "OrderClaimed", now)
    })
}

/// Returns the order with `address` in place of its address. Its status and what is due stay as they are.
///
/// # Errors
/// Returns [`Problem::Conflict`] once it is shipped or over.
pub fn correct_address(order: Order, address: Address, now: Time) -> Result<Order, Problem> {
    match order.status {
        Status::Pending | Status::Confirmed | Status::Processing => Ok(Order {
            shipping_address: address,
            ..stamped(order, "OrderAddressCorrected", now)
        }),
        Status::Shipped
        | Status::Delivered
        | Status::Completed
        | Status::Returned
        | Status::Cancelled
        | Status::Failed => Err(Problem::Conflict(format!(
            "The address of a {} order cannot be corrected.",
            order.status
        ))),
    }
}

/// Returns the order confirmed, its stock being held and its payment being `payment`: captured, or authorised if it is
/// captured at shipment; or `None` if it is confirmed already.
///
/// # Errors
/// Returns [`Diverted::AlreadyClosed`] if it is failed or cancelled.
pub fn confirm(order: Order, payment: PaymentStatus, now: Time) -> Result<Option<Order>, Diverted> {
    match order.status.course() {
        Course::Undecided => Ok(Some(Order {
            payment_status: payment,
            ..after_event(order, Event::Confirm, "OrderConfirmed", now)?
        })),
        Course::Confirmed => Ok(None),
        Course::Closed => Err(Diverted::AlreadyClosed),
    }
}

/// Returns the order failed because of `failure`; or `None` if it is failed or cancelled already.
///
/// # Errors
/// Returns [`Diverted::AlreadyConfirmed`] if it is confirmed: then nothing may be undone.
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
                ..after_event(order, Event::Fail, "OrderFailed", now)?
            }))
        }
        Course::Confirmed => Err(Diverted::AlreadyConfirmed),
        Course::Closed => Ok(None),
    }
}

/// Returns the order cancelled, to be undone by a new run; or `None` if it is cancelled already.
///
/// # Errors
/// Returns [`IllegalTransition`] once it is being picked, and if it has failed.
pub fn cancel(
    order: Order,
    now: Time,
    traceparent: Option<String>,
) -> Result<Option<Order>, IllegalTransition> {
    if order.status == Status::Cancelled {
        return Ok(None);
    }
    let cancelled_from = Some(order.status);
    let mut cancelled = after_event(order, Event::Cancel, "OrderCancelled", now)?;
    cancelled.cancelled_from = cancelled_from;
    cancelled.run += 1;
    if traceparent.is_some() {
        cancelled.event.traceparent = traceparent;
    }
    Ok(Some(cancelled))
}

/// Returns the confirmed order without its `due_at`; or `None` if it has none already.
///
/// # Errors
/// Returns [`Diverted::AlreadyClosed`] if it is cancelled, and [`Diverted::Undecided`] if it is pending.
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

/// Returns the failed or cancelled order after everything is undone: without its `due_at`, with the payment status
/// `payment` if it is known, and with an address that may be erased at once; or `None` if nothing of that changes.
///
/// # Errors
/// Returns [`Diverted::AlreadyConfirmed`] or [`Diverted::Undecided`] if it is neither failed nor cancelled.
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

/// Returns the order with its payment being `payment` after it was authorised, or `None` if its payment status stays: it
/// is past that, or the workflow of an order that has ended will say it.
///
/// # Errors
/// Returns [`Diverted::Undecided`] if it has no outcome yet.
pub fn show_capture(
    order: Order,
    payment: PaymentStatus,
    now: Time,
) -> Result<Option<Order>, Diverted> {
    match order.status.course() {
        Course::Undecided => return Err(Diverted::Undecided),
        Course::Closed => return Ok(None),
        Course::Confirmed => {}
    }
    let waits = order.payment_status == PaymentStatus::Authorized;
    Ok(
        (waits && payment != PaymentStatus::Authorized).then(|| Order {
            payment_status: payment,
            updated_at: now.no_earlier_than(order.updated_at),
            ..order
        }),
    )
}

/// What an event says of the refunds of an order's payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refunds {
    /// The total that is refunded.
    pub refunded: Money,
    /// What was captured at the gateway, if that may be less than the order costs.
    pub captured: Option<Money>,
    /// Whether the event is about a refund that came back.
    pub returned: bool,
    /// The payment's version.
    pub version: u64,
}

/// Returns the order with the refunds of its payment, or `None` if nothing about it changes: the event is late, or the
/// workflow of an order that has ended says what its payment is.
///
/// # Errors
/// Returns [`Diverted::Undecided`] if it has no outcome yet, or has ended and the workflow is not done.
pub fn show_refunds(order: Order, shown: Refunds, now: Time) -> Result<Option<Order>, Diverted> {
    match order.status.course() {
        Course::Undecided => return Err(Diverted::Undecided),
        Course::Closed if shown.returned && order.due_at.is_some() => {
            return Err(Diverted::Undecided);
        }
        // What was refunded before an order ended, and because it ended, is for its workflow to show.
        Course::Closed
            if !shown.returned && (order.payment_version == 0 || order.due_at.is_some()) =>
        {
            return Ok(None);
        }
        Course::Closed | Course::Confirmed => {}
    }
    if shown.version <= order.payment_version {
        return Ok(None);
    }
    let paid = match shown.captured {
        Some(captured) => order
            .paid_by_gift_cards()
            .and_then(|by_cards| captured.plus(by_cards)),
        None => Ok(order.total),
    };
    let all = paid
        .and_then(|paid| shown.refunded.compare(paid))
        .is_ok_and(Ordering::is_ge);
    Ok(Some(Order {
        payment_status: match (all, shown.refunded.is_zero()) {
            (_, true) => PaymentStatus::Completed,
            (true, false) => PaymentStatus::Refunded,
            (false, false) => PaymentStatus::PartiallyRefunded,
        },
        payment_version: shown.version,
        updated_at: now.no_earlier_than(order.updated_at),
        ..order
    }))
}

/// Returns the order taken up by a new run at `now`, with the next run due in case this one dies; or `None` if it is
/// not due.
#[must_use]
pub fn take_up(order: Order, now: Time) -> Option<Order> {
    order.due_at.filter(|due| *due <= now)?;
    let due_attempts = order.due_attempts.saturating_add(1);
    Some(Order {
        run: order.run + 1,
        due_attempts,
        due_at: Some(now.plus(retry_delay(due_attempts))),
        ..order
    })
}

/// Returns the order after a run that did not finish at `now`, with the next run due after a delay that grows each
/// time. If its payment `waits_for` somebody, its payment status says so. Returns `None` if nothing is due, or the next
/// run is due as late already.
///
/// # Errors
/// Returns [`Diverted::Expired`] if it is pending past its deadline and does not wait for a payment's outcome.
pub fn postpone(
    order: Order,
    waits_for: Option<Awaited>,
    now: Time,
) -> Result<Option<Order>, Diverted> {
    let Some(due) = order.due_at else {
        return Ok(None);
    };
    let payment_status = match order.status.course() {
        Course::Undecided => {
            let payment_status = match waits_for {
                Some(Awaited::Gateway) => PaymentStatus::Processing,
                Some(Awaited::Shopper) => PaymentStatus::RequiresAction,
                Some(Awaited::Token) => PaymentStatus::Failed,
                None => order.payment_status,
            };
            let is_processing = payment_status == PaymentStatus::Processing;
            if order.is_past_deadline(now) && !is_processing {
                return Err(Diverted::Expired);
            }
            payment_status
        }
        Course::Confirmed | Course::Closed => order.payment_status,
    };
    let mut later = due.max(now.plus(retry_delay(order.due_attempts)));
    if order.awaits_review() {
        // The review starts the next run.
        later = later.max(order.deadline_at);
    }
    // What it holds is released once the deadline has passed.
    let after_deadline = order.deadline_at.plus(Duration::from_secs(1));
    later = match waits_for {
        Some(Awaited::Shopper) => later.min(after_deadline),
        // The retry starts the next run.
        Some(Awaited::Token) => after_deadline,
        Some(Awaited::Gateway) | None => later,
    };
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
mod transition;
