//! Every case of the decisions, and the order of the amounts.

use proptest::prelude::*;

use super::undo::{Undo, next as next_undo};
use super::*;
use crate::payments::fixtures::{after, all_refunds, eur, order_id};
use crate::payments::model::{Action, Provider};

fn payment(status: PaymentStatus) -> Payment {
    let (authorized, captured, refunded) = match status {
        PaymentStatus::Pending
        | PaymentStatus::Processing
        | PaymentStatus::RequiresAction
        | PaymentStatus::Voided
        | PaymentStatus::Failed => ("0.00", "0.00", "0.00"),
        PaymentStatus::Authorized => ("40.00", "0.00", "0.00"),
        PaymentStatus::Completed => ("40.00", "40.00", "0.00"),
        PaymentStatus::PartiallyRefunded => ("40.00", "40.00", "10.00"),
        PaymentStatus::Refunded => ("40.00", "40.00", "40.00"),
    };
    Payment {
        status,
        amounts: Amounts::new(eur(authorized), eur(captured), eur(refunded)).unwrap(),
        decline: (status == PaymentStatus::Failed).then(|| "no_money".to_owned()),
        action: (status == PaymentStatus::RequiresAction).then(|| bank("1")),
        ..Payment::begin(order_id(), eur("40.00"), Provider::Sandbox, after(0))
    }
}

fn bank(page: &str) -> Action {
    let url = format!("https://bank.example/{page}");
    Action::Redirect { url }
}

const COURSES: [Course; 3] = [Course::Undecided, Course::Confirmed, Course::Closed];

#[test]
fn a_payment_is_begun_once_and_in_time_and_only_for_an_undecided_order() {
    for course in COURSES {
        for late in [false, true] {
            let expected = match (course, late) {
                (Course::Undecided, false) => Process::Begin,
                (Course::Undecided, true) => Process::Expired,
                (Course::Confirmed, _) => Process::AlreadyConfirmed,
                (Course::Closed, _) => Process::AlreadyClosed,
            };
            assert_eq!(
                decide_process(None, course, late),
                expected,
                "{course:?} {late}"
            );
        }
    }
}

#[test]
fn the_stored_status_decides_what_is_processed() {
    for status in PaymentStatus::ALL {
        let payment = payment(*status);
        let expected = match status {
            PaymentStatus::Pending
            | PaymentStatus::Processing
            | PaymentStatus::RequiresAction
            | PaymentStatus::Authorized => Process::Ask(&payment),
            PaymentStatus::Completed | PaymentStatus::PartiallyRefunded => {
                Process::Paid(PaymentStatus::Completed)
            }
            PaymentStatus::Refunded => Process::Declined("refunded"),
            PaymentStatus::Voided => Process::Declined("voided"),
            PaymentStatus::Failed => Process::Declined("no_money"),
        };
        for late in [false, true] {
            let found = Some(&payment);
            let decide = |course| decide_process(found, course, late);
            assert_eq!(decide(Course::Undecided), expected, "{status}");
            assert_eq!(decide(Course::Closed), Process::AlreadyClosed);
            assert_eq!(decide(Course::Confirmed), Process::AlreadyConfirmed);
        }
    }
}

#[test]
fn nothing_is_processed_once_voiding_has_begun() {
    for status in PaymentStatus::ALL {
        let mut payment = payment(*status);
        payment.void_requested = true;
        let decision = decide_process(Some(&payment), Course::Undecided, false);
        assert_eq!(decision, Process::AlreadyClosed, "{status}");
    }
}

fn captured(amount: &str) -> Charge {
    let amount = eur(amount);
    Charge::Captured { amount }
}

fn refunded(captured: &str, refunded: &str) -> Charge {
    Charge::Refunded {
        captured: eur(captured),
        refunded: eur(refunded),
    }
}

fn authorized() -> Charge {
    let amount = eur("40.00");
    Charge::Authorized { amount }
}

fn declined() -> Charge {
    let code = "no_money".to_owned();
    Charge::Declined { code }
}

fn no_money() -> Change {
    Change::Declined("no_money".to_owned())
}

#[test]
fn a_retrieved_charge_decides_what_follows_and_nothing_is_charged_late() {
    let payment = payment(PaymentStatus::Processing);
    let taken = Some(Settle::Record(Change::Captured(eur("40.00"))));
    let declined_for = |reason| Some(Settle::Declined(reason));
    let refused = Some(Settle::Record(no_money()));
    for (charge, in_time, late) in [
        (Charge::NotFound, None, Some(Settle::Expired)),
        (authorized(), None, Some(Settle::Expired)),
        (
            Charge::ActionRequired(bank("1")),
            Some(Settle::Record(Change::ActionRequired(bank("1")))),
            Some(Settle::Expired),
        ),
        (captured("40.00"), taken.clone(), taken.clone()),
        (refunded("40.00", "10.00"), taken.clone(), taken),
        (
            refunded("40.00", "40.00"),
            declined_for("refunded"),
            declined_for("refunded"),
        ),
        (declined(), refused.clone(), refused),
        (
            Charge::Voided,
            declined_for("voided"),
            declined_for("voided"),
        ),
    ] {
        assert_eq!(settle_retrieved(&payment, &charge, false).unwrap(), in_time);
        assert_eq!(
            settle_retrieved(&payment, &charge, true).unwrap(),
            late,
            "{charge:?}"
        );
    }
}

#[test]
fn the_outcome_of_a_charge_is_stored() {
    let payment = payment(PaymentStatus::Pending);
    for (charge, expected) in [
        (Charge::NotFound, Settle::Record(Change::Unknown)),
        (
            Charge::ActionRequired(bank("1")),
            Settle::Record(Change::ActionRequired(bank("1"))),
        ),
        (
            authorized(),
            Settle::Record(Change::Authorized(eur("40.00"))),
        ),
        (
            captured("40.00"),
            Settle::Record(Change::Captured(eur("40.00"))),
        ),
        (declined(), Settle::Record(no_money())),
        (refunded("40.00", "40.00"), Settle::Declined("refunded")),
        (Charge::Voided, Settle::Declined("voided")),
    ] {
        assert_eq!(settle_charged(&payment, &charge).unwrap(), expected);
    }
}

#[test]
fn a_charge_of_another_amount_is_a_contradiction() {
    let payment = payment(PaymentStatus::Pending);
    for charge in [
        captured("39.99"),
        captured("40.01"),
        refunded("39.99", "1.00"),
    ] {
        assert!(
            settle_retrieved(&payment, &charge, false).is_err(),
            "{charge:?}"
        );
    }
}

#[test]
fn only_an_open_or_captured_payment_of_an_ended_order_is_undone() {
    for course in COURSES {
        let expected = match course {
            Course::Undecided => Void::Undecided,
            Course::Confirmed => Void::AlreadyConfirmed,
            Course::Closed => Void::PreventPayment,
        };
        assert_eq!(decide_void(None, course, false), expected);
    }
    for status in PaymentStatus::ALL {
        let read = payment(*status);
        let mut requested = read.clone();
        requested.void_requested = true;
        for course in [Course::Undecided, Course::Confirmed] {
            assert_eq!(
                decide_void(Some(&read), course, false),
                decide_void(None, course, false)
            );
        }
        let (first, then) = match status {
            PaymentStatus::Refunded | PaymentStatus::Voided | PaymentStatus::Failed => {
                (Void::Done(*status), Void::Done(*status))
            }
            PaymentStatus::Pending
            | PaymentStatus::Processing
            | PaymentStatus::RequiresAction
            | PaymentStatus::Authorized
            | PaymentStatus::Completed
            | PaymentStatus::PartiallyRefunded => (Void::Request(&read), Void::Undo(&requested)),
        };
        assert_eq!(decide_void(Some(&read), Course::Closed, false), first);
        assert_eq!(decide_void(Some(&requested), Course::Closed, false), then);
    }
}

#[test]
fn a_payment_that_could_be_retried_ends_with_its_order() {
    let failed = payment(PaymentStatus::Failed);
    let mut requested = failed.clone();
    requested.void_requested = true;
    let decide = |payment| decide_void(Some(payment), Course::Closed, true);
    assert_eq!(decide(&failed), Void::Request(&failed));
    assert_eq!(decide(&requested), Void::Done(PaymentStatus::Failed));
}

#[test]
fn a_capture_is_stored_before_all_of_it_is_refunded() {
    let open = payment(PaymentStatus::Processing);
    let taken = payment(PaymentStatus::Completed);
    let give_back = Undo::Refund(eur("40.00"));
    let store = Undo::Record(Change::Captured(eur("40.00")));
    let returned_all = Undo::Record(all_refunds("40.00"));
    // A refund of 10.00 that the payment counts.
    let part = apply(&taken, &all_refunds("10.00"), after(1)).unwrap();
    for (payment, charge, expected) in [
        (&open, Charge::NotFound, Undo::Void),
        (&open, authorized(), Undo::Void),
        (&open, Charge::ActionRequired(bank("1")), Undo::Void),
        (&open, Charge::Voided, Undo::Record(Change::Voided)),
        (&open, declined(), Undo::Record(no_money())),
        (&open, captured("40.00"), store.clone()),
        (&open, refunded("40.00", "40.00"), store),
        (&taken, captured("40.00"), give_back),
        (
            &taken,
            refunded("40.00", "1.00"),
            Undo::Refund(eur("39.00")),
        ),
        (&taken, refunded("40.00", "40.00"), returned_all.clone()),
        (
            &part,
            refunded("40.00", "10.00"),
            Undo::Refund(eur("30.00")),
        ),
        (
            &part,
            refunded("40.00", "15.00"),
            Undo::Refund(eur("25.00")),
        ),
        (&part, refunded("40.00", "40.00"), returned_all),
        // It has come back at the gateway.
        (&part, captured("40.00"), Undo::Refund(eur("30.00"))),
        (&part, refunded("40.00", "2.00"), Undo::Refund(eur("30.00"))),
    ] {
        assert_eq!(next_undo(payment, &charge).unwrap(), expected, "{charge:?}");
    }
}

#[test]
fn every_status_allows_or_refuses_every_change() {
    let changes = [
        Change::Unknown,
        Change::Authorized(eur("40.00")),
        Change::Captured(eur("40.00")),
        no_money(),
        Change::Voided,
        all_refunds("40.00"),
        Change::ActionRequired(bank("1")),
    ];
    for status in PaymentStatus::ALL {
        let expected = match status {
            PaymentStatus::Pending
            | PaymentStatus::Processing
            | PaymentStatus::RequiresAction
            | PaymentStatus::Authorized => {
                "processing authorized completed failed voided - requires_action"
            }
            PaymentStatus::Completed | PaymentStatus::PartiallyRefunded => "- - - - - refunded -",
            PaymentStatus::Refunded | PaymentStatus::Voided | PaymentStatus::Failed => {
                "- - - - - - -"
            }
        };
        let found = changes.each_ref().map(|change| {
            let next = apply(&payment(*status), change, after(5));
            next.map_or("-", |next| next.status.as_str())
        });
        assert_eq!(found.join(" "), expected, "{status}");
    }
}

#[test]
fn a_change_raises_the_version_and_never_moves_time_back() {
    let mut payment = payment(PaymentStatus::Pending);
    payment.updated_at = after(10);
    let next = apply(&payment, &Change::Unknown, after(5)).unwrap();
    assert_eq!((next.version, next.updated_at), (1, after(10)));
    let next = apply(&next, &Change::Voided, after(11)).unwrap();
    assert_eq!((next.version, next.updated_at), (2, after(11)));
}

#[test]
fn a_response_that_is_lost_again_changes_nothing() {
    let unknown = Change::Unknown;
    assert!(is_news(&payment(PaymentStatus::Pending), &unknown));
    assert!(!is_news(&payment(PaymentStatus::Processing), &unknown));
    let set_aside = Change::Authorized(eur("40.00"));
    assert!(is_news(&payment(PaymentStatus::Processing), &set_aside));
    assert!(!is_news(&payment(PaymentStatus::Authorized), &set_aside));
}

#[test]
fn what_the_shopper_has_to_do_is_stored_until_something_else_follows() {
    let begun = payment(PaymentStatus::Pending);
    let wanted = Change::ActionRequired(bank("1"));
    assert!(is_news(&begun, &wanted));
    let waiting = apply(&begun, &wanted, after(5)).unwrap();
    assert_eq!(waiting.action, Some(bank("1")));
    assert!(!is_news(&waiting, &wanted));
    assert!(is_news(&waiting, &Change::ActionRequired(bank("2"))));
    for change in [
        Change::Unknown,
        Change::Authorized(eur("40.00")),
        Change::Captured(eur("40.00")),
        no_money(),
        Change::Voided,
    ] {
        let next = apply(&waiting, &change, after(6)).unwrap();
        assert_eq!(next.action, None, "{change:?}");
    }
}

fn amounts() -> impl Strategy<Value = Money> {
    (0_u64..6_000).prop_map(|cents| Money::from_minor_units(cents, eur("0").currency()).unwrap())
}

/// Every charge that a gateway could return, also those that it should not.
fn charges() -> impl Strategy<Value = Charge> {
    prop_oneof![
        Just(Charge::NotFound),
        Just(Charge::Voided),
        Just(declined()),
        Just(captured("40.00")),
        Just(Charge::ActionRequired(bank("1"))),
        amounts().prop_map(|amount| Charge::Authorized { amount }),
        amounts().prop_map(|amount| Charge::Captured { amount }),
        amounts().prop_map(|refunded| Charge::Refunded {
            captured: eur("40.00"),
            refunded
        }),
        (amounts(), amounts())
            .prop_map(|(captured, refunded)| Charge::Refunded { captured, refunded }),
    ]
}

/// Returns what `payment` becomes when the gateway returns `at_gateway`.
fn after_charge(payment: &Payment, at_gateway: &Charge) -> Result<Payment, PaymentError> {
    let change = if payment.void_requested {
        match next_undo(payment, at_gateway)? {
            Undo::Record(change) => change,
            // The gateway may have refunded a part only.
            Undo::Refund(_) => match at_gateway {
                Charge::Refunded { refunded, .. } => Change::Refunded {
                    total: *refunded,
                    by: payment.last_refund_id(),
                },
                Charge::NotFound
                | Charge::ActionRequired(_)
                | Charge::Authorized { .. }
                | Charge::PartlyCaptured { .. }
                | Charge::Captured { .. }
                | Charge::Declined { .. }
                | Charge::Voided => return Ok(payment.clone()),
            },
            Undo::Void => return Ok(payment.clone()),
        }
    } else {
        match settle_charged(payment, at_gateway)? {
            Settle::Record(change) => change,
            Settle::Declined(_) | Settle::Expired => return Ok(payment.clone()),
        }
    };
    apply(payment, &change, after(1))
}

proptest! {
    #[test]
    fn refunds_never_exceed_captures_nor_captures_what_is_authorised(
        charges in prop::collection::vec(charges(), 0..12), voided_from in 0_usize..12
    ) {
        let mut payment = payment(PaymentStatus::Pending);
        for (place, charge) in charges.iter().enumerate() {
            payment.void_requested |= place >= voided_from;
            let before = payment.clone();
            if let Ok(next) = after_charge(&payment, charge) {
                payment = next;
            }
            let (now, was) = (payment.amounts, before.amounts);
            let rising = [Money::zero(now.captured().currency()), now.refunded(), now.captured(), now.authorized()];
            prop_assert!(rising.is_sorted_by_key(|money| money.amount()), "{rising:?}");
            // No amount ever goes down, and a payment that is done stays as it is.
            prop_assert!(was.authorized().amount() <= now.authorized().amount());
            prop_assert!(was.captured().amount() <= now.captured().amount());
            prop_assert!(was.refunded().amount() <= now.refunded().amount());
            if let Void::Done(_) = decide_void(Some(&before), Course::Closed, false) {
                prop_assert_eq!(&payment, &before);
            }
            // The status is refunded if, and only if, something was captured and all of it refunded.
            let kept = now.captured().minus(now.refunded()).unwrap();
            let returned = now.captured().is_positive() && kept.is_zero();
            prop_assert_eq!(payment.status == PaymentStatus::Refunded, returned);
        }
    }
}
