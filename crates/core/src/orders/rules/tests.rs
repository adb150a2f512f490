#![expect(
    clippy::needless_raw_string_hashes,
    reason = "expect-test writes its snapshots so"
)]

use std::fmt::Write as _;

use expect_test::expect;
use proptest::prelude::*;

use super::*;
use crate::orders::fixtures::{after, order, placed_at};

#[test]
fn every_status_allows_the_events_of_the_transition_table() {
    let mut table = String::new();
    for status in Status::ALL {
        for event in Event::ALL {
            let to = next_status(*status, *event).map_or("-", Status::as_str);
            writeln!(table, "{:10} {:8} {to}", status.as_str(), event.as_str()).unwrap();
        }
    }
    expect![[r#"
        pending    confirm  confirmed
        pending    fail     failed
        pending    cancel   cancelled
        pending    process  -
        pending    ship     -
        pending    deliver  -
        pending    complete -
        pending    return   -
        confirmed  confirm  -
        confirmed  fail     -
        confirmed  cancel   cancelled
        confirmed  process  processing
        confirmed  ship     -
        confirmed  deliver  -
        confirmed  complete -
        confirmed  return   -
        processing confirm  -
        processing fail     -
        processing cancel   -
        processing process  -
        processing ship     shipped
        processing deliver  -
        processing complete -
        processing return   -
        shipped    confirm  -
        shipped    fail     -
        shipped    cancel   -
        shipped    process  -
        shipped    ship     -
        shipped    deliver  delivered
        shipped    complete -
        shipped    return   -
        delivered  confirm  -
        delivered  fail     -
        delivered  cancel   -
        delivered  process  -
        delivered  ship     -
        delivered  deliver  -
        delivered  complete completed
        delivered  return   returned
        completed  confirm  -
        completed  fail     -
        completed  cancel   -
        completed  process  -
        completed  ship     -
        completed  deliver  -
        completed  complete -
        completed  return   returned
        returned   confirm  -
        returned   fail     -
        returned   cancel   -
        returned   process  -
        returned   ship     -
        returned   deliver  -
        returned   complete -
        returned   return   -
        cancelled  confirm  -
        cancelled  fail     -
        cancelled  cancel   -
        cancelled  process  -
        cancelled  ship     -
        cancelled  deliver  -
        cancelled  complete -
        cancelled  return   -
        failed     confirm  -
        failed     fail     -
        failed     cancel   -
        failed     process  -
        failed     ship     -
        failed     deliver  -
        failed     complete -
        failed     return   -
    "#]]
    .assert_eq(&table);
}

#[test]
fn an_illegal_transition_says_what_is_possible() {
    let refused = next_status(Status::Shipped, Event::Cancel).unwrap_err();
    expect!["A shipped order cannot be cancelled; it can only be delivered."]
        .assert_eq(&refused.to_string());
    let refused = next_status(Status::Failed, Event::Cancel).unwrap_err();
    expect!["A failed order cannot be cancelled."].assert_eq(&refused.to_string());
}

#[test]
fn an_order_can_be_cancelled_exactly_where_the_table_says_so() {
    for status in Status::ALL {
        let legal = next_status(*status, Event::Cancel).is_ok();
        assert_eq!(status.can_cancel(), legal, "{status}");
    }
}

#[test]
fn no_event_leads_from_closed_to_confirmed_or_back() {
    for status in Status::ALL {
        for event in legal(*status) {
            let to = next_status(*status, event).unwrap();
            // From confirmed to closed is a cancellation, which the workflow undoes.
            let legal = match (status.course(), to.course()) {
                (Course::Undecided, Course::Undecided | Course::Confirmed | Course::Closed)
                | (Course::Confirmed, Course::Confirmed | Course::Closed) => true,
                (Course::Confirmed, Course::Undecided)
                | (Course::Closed, Course::Undecided | Course::Confirmed | Course::Closed) => false,
            };
            assert!(legal, "{status} {event}");
        }
    }
}

#[test]
fn runs_are_put_off_twice_as_far_each_time_up_to_an_hour() {
    let minutes: Vec<u64> = [0, 1, 2, 3, 4, 5, 6, 7, u32::MAX]
        .into_iter()
        .map(|attempts| retry_delay(attempts).as_secs() / 60)
        .collect();
    assert_eq!(minutes, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
}

#[test]
fn only_a_decline_makes_the_payment_failed() {
    for code in FailureCode::ALL {
        let failed = fail(order(), Failure::new(*code, "x"), after(1)).unwrap();
        let expected = match code {
            FailureCode::PaymentDeclined => PaymentStatus::Failed,
            FailureCode::RuleFailed | FailureCode::OutOfStock | FailureCode::Expired => {
                PaymentStatus::Pending
            }
        };
        assert_eq!(failed.unwrap().payment_status, expected, "{code}");
    }
}

#[test]
fn a_confirmed_order_does_not_fail_and_a_failed_one_is_not_confirmed() {
    let confirmed = confirm(order(), PaymentStatus::Completed, after(1))
        .unwrap()
        .unwrap();
    let failure = Failure::new(FailureCode::Expired, "x");
    assert_eq!(
        fail(confirmed, failure.clone(), after(2)),
        Err(Diverted::AlreadyConfirmed)
    );
    let failed = fail(order(), failure, after(1)).unwrap().unwrap();
    assert_eq!(
        confirm(failed, PaymentStatus::Completed, after(2)),
        Err(Diverted::AlreadyClosed)
    );
}

#[test]
fn a_cancelled_order_is_due_in_a_new_run_and_keeps_its_previous_status() {
    let confirmed = confirm(order(), PaymentStatus::Completed, after(1))
        .unwrap()
        .unwrap();
    let done = finish(confirmed).unwrap().unwrap();
    assert_eq!(done.due_at, None);
    let cancelled = cancel(done, after(100), None).unwrap().unwrap();
    assert_eq!(cancelled.due_at, Some(after(160)));
    assert_eq!(cancelled.cancelled_from, Some(Status::Confirmed));
    assert_eq!(cancelled.run, 1);
}

#[test]
fn an_order_is_put_off_until_its_deadline_and_then_expires() {
    let put_off = postpone(order(), None, after(900)).unwrap().unwrap();
    assert_eq!(put_off.due_at, Some(after(960)));
    assert_eq!(postpone(order(), None, after(901)), Err(Diverted::Expired));
}

#[test]
fn a_payment_without_an_outcome_outlasts_the_deadline() {
    let waiting = postpone(order(), Some(Awaited::Gateway), after(901))
        .unwrap()
        .unwrap();
    assert_eq!(waiting.payment_status, PaymentStatus::Processing);
    let still = postpone(waiting, None, after(5_000)).unwrap().unwrap();
    assert_eq!(still.due_at, Some(after(5_060)));
}

#[test]
fn an_order_that_waits_for_its_shopper_is_run_at_its_deadline_at_the_latest_and_then_expires() {
    let shopper = Some(Awaited::Shopper);
    let waiting = postpone(order(), shopper, after(10)).unwrap().unwrap();
    assert_eq!(waiting.payment_status, PaymentStatus::RequiresAction);
    assert_eq!(waiting.due_at, Some(after(70)));
    let late = postpone(waiting.clone(), shopper, after(890))
        .unwrap()
        .unwrap();
    assert_eq!(late.due_at, Some(after(901)));
    let token = Some(Awaited::Token);
    let declined = postpone(order(), token, after(10)).unwrap().unwrap();
    assert_eq!(declined.payment_status, PaymentStatus::Failed);
    assert_eq!(declined.due_at, Some(after(901)));
    let taken_up = take_up(late.clone(), after(901)).unwrap();
    assert!(taken_up.due_at > Some(after(960)));
    assert_eq!(
        postpone(late.clone(), shopper, after(901)),
        Err(Diverted::Expired)
    );
    let asked = postpone(late, Some(Awaited::Gateway), after(901))
        .unwrap()
        .unwrap();
    assert_eq!(asked.payment_status, PaymentStatus::Processing);
}

#[test]
fn a_decided_order_has_no_deadline() {
    let confirmed = confirm(order(), PaymentStatus::Completed, after(1))
        .unwrap()
        .unwrap();
    let put_off = postpone(confirmed, None, after(5_000)).unwrap().unwrap();
    assert_eq!(put_off.due_at, Some(after(5_060)));
}

#[test]
fn a_finished_order_does_not_become_due_again() {
    let confirmed = confirm(order(), PaymentStatus::Completed, after(1))
        .unwrap()
        .unwrap();
    let done = finish(confirmed).unwrap().unwrap();
    assert_eq!(postpone(done.clone(), None, after(5_000)), Ok(None));
    assert_eq!(take_up(done, after(5_000)), None);
}

#[test]
fn a_due_order_is_taken_up_once_and_later_each_time() {
    assert_eq!(take_up(order(), after(59)), None);
    let first = take_up(order(), after(60)).unwrap();
    assert_eq!((first.run, first.due_at), (1, Some(after(180))));
    assert_eq!(take_up(first.clone(), after(60)), None);
    let second = take_up(first, after(180)).unwrap();
    assert_eq!((second.run, second.due_at), (2, Some(after(180 + 240))));
}

#[test]
fn a_change_of_status_makes_the_order_due_soon() {
    let mut waited = order();
    waited.due_at = Some(after(7_000));
    waited.due_attempts = 6;
    let confirmed = confirm(waited, PaymentStatus::Completed, after(3_600))
        .unwrap()
        .unwrap();
    assert_eq!(confirmed.due_at, Some(after(3_660)));
    assert_eq!(confirmed.due_attempts, 0);
    let at_once = confirm(order(), PaymentStatus::Completed, after(5))
        .unwrap()
        .unwrap();
    assert_eq!(at_once.due_at, Some(after(60)), "not later than it was");
}

#[test]
fn closing_stores_the_payment_status_if_it_is_known() {
    let failed = fail(
        order(),
        Failure::new(FailureCode::OutOfStock, "x"),
        after(1),
    );
    let failed = failed.unwrap().unwrap();
    let closed = close(failed.clone(), Some(PaymentStatus::Voided), after(2));
    assert_eq!(
        closed.unwrap().unwrap().payment_status,
        PaymentStatus::Voided
    );
    let closed = close(failed, None, after(2)).unwrap().unwrap();
    assert_eq!(closed.payment_status, PaymentStatus::Pending);
    let late = close(closed, Some(PaymentStatus::Refunded), after(3));
    assert_eq!(
        late.unwrap().unwrap().payment_status,
        PaymentStatus::Refunded
    );
}

#[test]
fn a_failures_detail_is_cut_between_characters() {
    for text in ["x".repeat(300), "é".repeat(150), "茶".repeat(100)] {
        let failure = Failure::new(FailureCode::OutOfStock, &text);
        assert!(failure.detail.len() <= Failure::DETAIL_BYTES);
        assert!(failure.detail.len() > Failure::DETAIL_BYTES - 4);
        assert!(failure.detail.ends_with('…'));
    }
    let short = Failure::new(FailureCode::OutOfStock, "short");
    assert_eq!(short.detail, "short");
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Confirm,
    Fail(FailureCode),
    Cancel,
    Finish,
    Close(Option<PaymentStatus>),
    TakeUp,
    Postpone(Option<Awaited>),
}

fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        Just(Step::Confirm),
        proptest::sample::select(FailureCode::ALL).prop_map(Step::Fail),
        Just(Step::Cancel),
        Just(Step::Finish),
        proptest::option::of(proptest::sample::select(PaymentStatus::ALL)).prop_map(Step::Close),
        Just(Step::TakeUp),
        proptest::sample::select(vec![
            None,
            Some(Awaited::Gateway),
            Some(Awaited::Shopper),
            Some(Awaited::Token),
        ])
        .prop_map(Step::Postpone),
    ]
}

/// Returns what `step` makes of `order`, or `None` if it changes nothing or is refused.
fn take(step: Step, order: Order, now: Time) -> Option<Order> {
    match step {
        Step::Confirm => confirm(order, PaymentStatus::Completed, now).ok()?,
        Step::Fail(code) => fail(order, Failure::new(code, "x"), now).ok()?,
        Step::Cancel => cancel(order, now, None).ok()?,
        Step::Finish => finish(order).ok()?,
        Step::Close(payment) => close(order, payment, now).ok()?,
        Step::TakeUp => take_up(order, now),
        Step::Postpone(waits_for) => postpone(order, waits_for, now).ok()?,
    }
}

proptest! {
    #[test]
    fn a_step_that_is_done_is_not_done_again(
        before in proptest::collection::vec((steps(), 0_u64..10_000), 0..6),
        step in steps(),
        seconds in 0_u64..10_000,
    ) {
        let order = before.into_iter().fold(order(), |order, (step, seconds)| {
            take(step, order.clone(), after(seconds)).unwrap_or(order)
        });
        if let Some(done) = take(step, order, after(seconds)) {
            prop_assert_eq!(take(step, done, after(seconds)), None);
        }
    }

    #[test]
    fn any_sequence_of_steps_keeps_the_invariants(
        steps in proptest::collection::vec((steps(), 0_u64..10_000), 0..20),
    ) {
        let mut stored = order();
        for (step, seconds) in steps {
            let Some(changed) = take(step, stored.clone(), after(seconds)) else {
                continue;
            };
            prop_assert_ne!(&changed, &stored, "{:?} wrote the same again", step);
            prop_assert_eq!(changed.event.version, changed.version);
            prop_assert!(changed.updated_at >= stored.updated_at);
            prop_assert!(changed.run >= stored.run);
            prop_assert_eq!(&changed.lines, &stored.lines);
            prop_assert_eq!(changed.total, stored.total);
            if changed.status == stored.status {
                prop_assert_eq!(&changed.event, &stored.event);
            } else {
                prop_assert_eq!(changed.version, stored.version + 1);
                prop_assert_ne!(changed.event.id, stored.event.id);
                prop_assert!(changed.due_at.is_some(), "the new status demands something");
                prop_assert_ne!(stored.status.course(), Course::Closed, "closed for good");
            }
            if changed.due_at.is_none() {
                prop_assert_ne!(changed.status.course(), Course::Undecided);
            }
            prop_assert_eq!(changed.failure.is_some(), changed.status == Status::Failed);
            stored = changed;
        }
    }
}

#[test]
fn times_that_arrive_late_do_not_turn_the_clock_back() {
    let confirmed = confirm(order(), PaymentStatus::Completed, after(100))
        .unwrap()
        .unwrap();
    let cancelled = cancel(confirmed, after(50), None).unwrap().unwrap();
    assert_eq!(cancelled.updated_at, after(100));
    assert_eq!(cancelled.event.at, after(100));
    assert_eq!(cancelled.created_at, placed_at());
}

#[test]
fn an_order_shows_that_its_authorised_payment_is_captured_or_has_ended() {
    let authorized = confirm(order(), PaymentStatus::Authorized, after(1));
    let authorized = authorized.unwrap().unwrap();
    assert_eq!(authorized.payment_status, PaymentStatus::Authorized);
    for status in [PaymentStatus::Completed, PaymentStatus::Voided] {
        let shown = show_capture(authorized.clone(), status, after(2));
        let shown = shown.unwrap().unwrap();
        assert_eq!(
            (shown.payment_status, shown.version),
            (status, authorized.version)
        );
        // Late and repeated events change nothing.
        for late in [PaymentStatus::Authorized, PaymentStatus::Completed, status] {
            assert_eq!(show_capture(shown.clone(), late, after(3)), Ok(None));
        }
    }
    let undecided = show_capture(order(), PaymentStatus::Completed, after(2));
    assert_eq!(undecided, Err(Diverted::Undecided));
    let cancelled = cancel(authorized, after(2), None).unwrap().unwrap();
    assert_eq!(
        show_capture(cancelled, PaymentStatus::Voided, after(3)),
        Ok(None)
    );
}

/// Returns what the event number `version` of the payment says, of which `euros` are refunded.
fn refunds(version: u64, euros: &str, returned: bool) -> Refunds {
    Refunds {
        refunded: crate::orders::fixtures::eur(euros),
        captured: None,
        returned,
        version,
    }
}

#[test]
fn an_order_of_which_a_part_was_captured_is_refunded_once_that_is() {
    let confirmed = confirm(order(), PaymentStatus::Authorized, after(1))
        .unwrap()
        .unwrap();
    for (refunded, captured, expected) in [
        ("2.00", Some("2.00"), PaymentStatus::Refunded),
        ("1.99", Some("2.00"), PaymentStatus::PartiallyRefunded),
        // An event of an earlier release.
        ("2.00", None, PaymentStatus::PartiallyRefunded),
    ] {
        let event = Refunds {
            captured: captured.map(crate::orders::fixtures::eur),
            ..refunds(3, refunded, false)
        };
        let shown = show_refunds(confirmed.clone(), event, after(9));
        assert_eq!(
            shown.unwrap().unwrap().payment_status,
            expected,
            "{refunded}"
        );
    }
}

#[test]
fn an_order_shows_the_refunds_of_the_newest_event_in_whatever_order_they_come() {
    let events = [
        refunds(2, "1.00", false),
        refunds(3, "99999.00", false),
        refunds(4, "1.00", true),
        refunds(5, "0.00", true),
    ];
    let confirmed = confirm(order(), PaymentStatus::Completed, after(1))
        .unwrap()
        .unwrap();
    for first in 0..4 {
        for second in 0..4 {
            for last in 0..4 {
                let mut shown = confirmed.clone();
                for at in [first, second, last] {
                    let next = show_refunds(shown.clone(), events[at], after(9)).unwrap();
                    shown = next.unwrap_or(shown);
                }
                let newest = first.max(second).max(last);
                let expected = [
                    "partially_refunded",
                    "refunded",
                    "partially_refunded",
                    "completed",
                ];
                assert_eq!(
                    shown.payment_status.as_str(),
                    expected[newest],
                    "{first} {second} {last}"
                );
                assert_eq!(shown.payment_version, events[newest].version);
            }
        }
    }
}

#[test]
fn an_order_that_has_ended_shows_what_came_back_once_its_workflow_is_done() {
    let cancelled = cancel(order(), after(1), None).unwrap().unwrap();
    let shown = |order: &Order, event| show_refunds(order.clone(), event, after(9));
    assert_eq!(shown(&cancelled, refunds(3, "99999.00", false)), Ok(None));
    let early = shown(&cancelled, refunds(4, "0.00", true));
    assert_eq!(early, Err(Diverted::Undecided));
    let closed = close(cancelled, Some(PaymentStatus::Refunded), after(2))
        .unwrap()
        .unwrap();
    assert_eq!(shown(&closed, refunds(3, "1.00", false)), Ok(None));
    let back = shown(&closed, refunds(4, "0.00", true)).unwrap().unwrap();
    assert_eq!(back.payment_status, PaymentStatus::Completed);
    assert_eq!(shown(&back, refunds(3, "99999.00", false)), Ok(None));
    let again = shown(&back, refunds(5, "99999.00", false))
        .unwrap()
        .unwrap();
    assert_eq!(again.payment_status, PaymentStatus::Refunded);
    assert_eq!(
        shown(&order(), refunds(2, "1.00", false)),
        Err(Diverted::Undecided)
    );
}
