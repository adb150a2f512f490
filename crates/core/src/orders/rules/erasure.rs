//! When the address of a deleted customer's order is erased.

use crate::orders::model::{Order, Status};
use crate::values::clock::Time;

/// Returns whether the order is over: nothing is left to do, and no parcel is on its way or can come back.
#[must_use]
pub fn is_over(order: &Order) -> bool {
    let is_final = match order.status {
        Status::Completed | Status::Returned | Status::Cancelled | Status::Failed => true,
        Status::Pending
        | Status::Confirmed
        | Status::Processing
        | Status::Shipped
        | Status::Delivered => false,
    };
    is_final && order.due_at.is_none()
}

/// Returns whether the address of a deleted customer's order is to be erased at `now`, if it is to be erased at
/// `erase_at` at the latest.
#[must_use]
pub fn is_due(order: &Order, erase_at: Time, now: Time) -> bool {
    erase_at <= now || is_over(order)
}

/// Returns the order marked, so that its address is erased at `erase_at` at the latest, and sooner if the order is over
/// sooner. Returns `None` if the address is to be erased at `now`, is erased already, or is marked for as early a time.
#[must_use]
pub fn mark(order: Order, erase_at: Time, now: Time) -> Option<Order> {
    let marked = order.erase_at.is_some_and(|marked| marked <= erase_at);
    if marked || order.is_erased() || is_due(&order, erase_at, now) {
        return None;
    }
    Some(Order {
        erase_at: Some(erase_at),
        ..order
    })
}

/// Returns the order without its mark and its guest, if its lines are erased; or `None` if they are not, or there is
/// neither.
#[must_use]
pub fn unmark(order: Order) -> Option<Order> {
    let unmarked = Order {
        erase_at: None,
        guest: None,
        ..order.clone()
    };
    (unmarked.is_erased() && unmarked != order).then_some(unmarked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::orders::fixtures::{after, order};
    use crate::orders::rules;

    const DAY: u64 = 24 * 60 * 60;

    /// An order on its way, with nothing left to do.
    fn on_its_way() -> Order {
        let confirmed = rules::confirm(
            order(),
            crate::orders::model::PaymentStatus::Completed,
            after(1),
        )
        .unwrap()
        .unwrap();
        rules::finish(confirmed).unwrap().unwrap()
    }

    fn with_erased_address(order: Order) -> Order {
        Order {
            shipping_address: order.shipping_address.erased(),
            ..order
        }
    }

    #[test]
    fn an_order_on_its_way_is_marked_once_and_at_the_earliest_time() {
        let (soon, late, now) = (after(30 * DAY), after(31 * DAY), after(60));
        let marked = mark(on_its_way(), late, now).unwrap();
        assert_eq!(marked.erase_at, Some(late));
        let expected = Order {
            erase_at: Some(late),
            ..on_its_way()
        };
        assert_eq!(marked, expected, "and is otherwise as it was");
        assert_eq!(mark(marked.clone(), late, now), None);
        let sooner = mark(marked, soon, now).unwrap();
        assert_eq!(sooner.erase_at, Some(soon));
        assert_eq!(mark(sooner, late, now), None, "never later");
    }

    #[test]
    fn an_order_that_is_over_or_late_is_not_marked_but_erased_at_once() {
        let (at, now) = (after(30 * DAY), after(60));
        assert_eq!(mark(on_its_way(), now, now), None);
        assert!(is_due(&on_its_way(), now, now));
        assert!(!is_due(&on_its_way(), at, now));
        let cancelled = rules::cancel(on_its_way(), after(2), None).unwrap();
        let cancelled = cancelled.unwrap();
        assert!(
            !is_due(&cancelled, at, now),
            "its money is still to go back"
        );
        assert!(mark(cancelled.clone(), at, now).is_some());
        let over = rules::close(cancelled, None, after(3)).unwrap().unwrap();
        assert_eq!(mark(over.clone(), at, now), None);
        assert!(is_due(&over, at, now));
        assert_eq!(mark(with_erased_address(on_its_way()), at, now), None);
    }

    #[test]
    fn a_marked_order_stays_marked_through_every_change() {
        let at = after(30 * DAY);
        let marked = |order| mark(order, at, after(60)).unwrap();
        let pending = marked(order());
        let confirmed = rules::confirm(
            pending,
            crate::orders::model::PaymentStatus::Completed,
            after(70),
        )
        .unwrap()
        .unwrap();
        let finished = rules::finish(confirmed).unwrap().unwrap();
        assert_eq!((finished.due_at, finished.erase_at), (None, Some(at)));
        let cancelled = rules::cancel(finished, after(80), None).unwrap();
        let cancelled = cancelled.unwrap();
        assert_eq!(cancelled.erase_at, Some(at));
        let taken_up = rules::take_up(cancelled, after(200)).unwrap();
        assert_eq!(taken_up.erase_at, Some(at));
        let put_off = rules::postpone(taken_up.clone(), None, after(2000));
        assert_eq!(put_off.unwrap().unwrap().erase_at, Some(at));
        let over = rules::close(taken_up, None, after(300)).unwrap().unwrap();
        assert_eq!(over.erase_at, Some(after(300)), "it is over sooner");
        assert_eq!(rules::close(over, None, after(400)), Ok(None));
    }

    #[test]
    fn the_mark_is_removed_once_the_address_is_erased() {
        let marked = mark(on_its_way(), after(30 * DAY), after(60)).unwrap();
        assert_eq!(unmark(marked.clone()), None, "the address is there");
        let done = unmark(with_erased_address(marked)).unwrap();
        assert_eq!(done, with_erased_address(on_its_way()));
        assert_eq!(unmark(done), None);
    }

    #[test]
    fn an_erased_address_changes_the_entity_tag() {
        assert_ne!(with_erased_address(order()).tag(), order().tag());
    }
}
