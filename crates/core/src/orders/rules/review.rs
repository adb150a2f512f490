//! When an order is held for a review, and what the review's decision does.

use std::time::Duration;

use super::{Diverted, after_event, first_due, stamped};
use crate::orders::model::{
    Course, Event, Failure, FailureCode, Order, Review, ReviewState, Status,
};
use crate::values::clock::Time;

/// What an admin decides in a review.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The order goes on to its payment.
    Approve,
    /// The order fails for this reason.
    Reject(String),
}

/// A decision about an order that does not await a review; with the order's status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("The order is {0} and does not await a review.")]
pub struct NotAwaitingReview(pub Status);

/// Returns the order held for a review because of `reasons`: for `patience` from `now` its stock stays held and nothing
/// is charged. Returns `None` if there is or was a review.
///
/// # Errors
/// Returns [`Diverted`] if the order is decided.
pub fn require(
    order: Order,
    reasons: &str,
    patience: Duration,
    now: Time,
) -> Result<Option<Order>, Diverted> {
    match order.status.course() {
        Course::Undecided => {}
        Course::Confirmed => return Err(Diverted::AlreadyConfirmed),
        Course::Closed => return Err(Diverted::AlreadyClosed),
    }
    if order.review.is_some() {
        return Ok(None);
    }
    Ok(Some(Order {
        review: Some(Review::wanted(reasons)),
        deadline_at: now.plus(patience),
        due_at: Some(first_due(now)),
        due_attempts: 0,
        ..stamped(order, "OrderReviewWanted", now)
    }))
}

/// Returns the order after an admin's `decision`, to be run again; or `None` if the same was decided before.
///
/// # Errors
/// Returns [`NotAwaitingReview`] if the order does not await a review, or the opposite was decided.
pub fn decide(
    order: Order,
    decision: &Decision,
    deadline: Duration,
    now: Time,
) -> Result<Option<Order>, NotAwaitingReview> {
    let state = order.review.as_ref().map(|review| review.state);
    match (decision, state) {
        (Decision::Approve, Some(ReviewState::Approved))
        | (Decision::Reject(_), Some(ReviewState::Rejected)) => return Ok(None),
        (Decision::Approve | Decision::Reject(_), Some(ReviewState::Wanted))
            if order.status == Status::Pending => {}
        (Decision::Approve | Decision::Reject(_), _) => {
            return Err(NotAwaitingReview(order.status));
        }
    }
    let status = order.status;
    let run = order.run + 1;
    Ok(Some(match decision {
        Decision::Approve => Order {
            review: Some(Review::decided(ReviewState::Approved)),
            deadline_at: now.plus(deadline),
            run,
            due_at: Some(first_due(now)),
            due_attempts: 0,
            ..stamped(order, "OrderReviewed", now)
        },
        Decision::Reject(reason) => Order {
            review: Some(Review::decided(ReviewState::Rejected)),
            failure: Some(Failure::new(FailureCode::RuleFailed, reason)),
            run,
            ..after_event(order, Event::Fail, "OrderFailed", now)
                .map_err(|_| NotAwaitingReview(status))?
        },
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::orders::fixtures::{after, order};
    use crate::orders::rules;

    const THREE_DAYS: Duration = Duration::from_hours(72);
    const DEADLINE: Duration = Duration::from_mins(15);

    fn held() -> Order {
        require(order(), "looks odd", THREE_DAYS, after(1))
            .unwrap()
            .unwrap()
    }

    fn rejected() -> Decision {
        Decision::Reject("no such street".to_owned())
    }

    #[test]
    fn an_order_is_held_once_and_waits_until_its_later_deadline() {
        let held = held();
        assert_eq!(held.status, Status::Pending);
        assert_eq!(held.review, Some(Review::wanted("looks odd")));
        assert_eq!((held.version, held.revision), (2, 1));
        assert_eq!(held.event.event_type, "OrderReviewWanted");
        assert_eq!(held.deadline_at, after(1 + 72 * 3600));
        let again = require(held.clone(), "looks odd", THREE_DAYS, after(2));
        assert_eq!(again, Ok(None));
        let put_off = rules::postpone(held.clone(), None, after(2))
            .unwrap()
            .unwrap();
        assert_eq!(put_off.due_at, Some(held.deadline_at));
        let late = rules::postpone(held, None, after(2 + 72 * 3600));
        assert_eq!(late, Err(Diverted::Expired));
    }

    #[test]
    fn a_decided_order_is_not_held() {
        let confirmed = rules::confirm(
            order(),
            crate::orders::model::PaymentStatus::Completed,
            after(1),
        )
        .unwrap()
        .unwrap();
        let refused = require(confirmed.clone(), "", THREE_DAYS, after(2));
        assert_eq!(refused, Err(Diverted::AlreadyConfirmed));
        let cancelled = rules::cancel(confirmed, after(2), None).unwrap().unwrap();
        let refused = require(cancelled, "", THREE_DAYS, after(3));
        assert_eq!(refused, Err(Diverted::AlreadyClosed));
    }

    #[test]
    fn an_approved_order_goes_on_with_a_deadline_of_its_own() {
        let approved = decide(held(), &Decision::Approve, DEADLINE, after(3600));
        let approved = approved.unwrap().unwrap();
        assert_eq!(approved.status, Status::Pending);
        assert!(!approved.awaits_review());
        assert_eq!(approved.event.event_type, "OrderReviewed");
        assert_eq!(approved.deadline_at, after(3600 + 900));
        assert_eq!((approved.run, approved.due_at), (1, Some(after(3660))));
        let again = decide(approved.clone(), &Decision::Approve, DEADLINE, after(3700));
        assert_eq!(again, Ok(None));
        let other = decide(approved.clone(), &rejected(), DEADLINE, after(3700));
        assert_eq!(other, Err(NotAwaitingReview(Status::Pending)));
        // The rules cannot hold it again.
        assert_eq!(require(approved, "odd", THREE_DAYS, after(3701)), Ok(None));
    }

    #[test]
    fn a_rejected_order_has_failed_and_is_to_be_undone() {
        let rejected_order = decide(held(), &rejected(), DEADLINE, after(3600));
        let order = rejected_order.unwrap().unwrap();
        assert_eq!(order.status, Status::Failed);
        let failure = Failure::new(FailureCode::RuleFailed, "no such street");
        assert_eq!(order.failure, Some(failure));
        assert_eq!(order.event.event_type, "OrderFailed");
        assert_eq!((order.run, order.due_at), (1, Some(after(61))));
        assert_eq!(
            decide(order.clone(), &rejected(), DEADLINE, after(3700)),
            Ok(None)
        );
        let approve = decide(order, &Decision::Approve, DEADLINE, after(3700));
        assert_eq!(approve, Err(NotAwaitingReview(Status::Failed)));
    }

    #[test]
    fn an_order_that_does_not_await_a_review_or_is_cancelled_is_not_reviewed() {
        let plain = decide(order(), &Decision::Approve, DEADLINE, after(1));
        assert_eq!(plain, Err(NotAwaitingReview(Status::Pending)));
        let cancelled = rules::cancel(held(), after(2), None).unwrap().unwrap();
        let late = decide(cancelled, &Decision::Approve, DEADLINE, after(3));
        assert_eq!(late, Err(NotAwaitingReview(Status::Cancelled)));
    }
}
