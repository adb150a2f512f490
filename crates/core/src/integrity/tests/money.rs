//! What the audit says about a payment, its ledger and its refunds.

use std::time::Duration;

use crate::integrity::model::{Check, OrderCase};
use crate::integrity::rules;
use crate::orders::model::{Order, Status};
use crate::payments::fixtures;
use crate::payments::ledger::model::Entry;
use crate::payments::ledger::rules::entries;
use crate::payments::model::{Change, Payment, Provider, Units};
use crate::payments::refunds::model::{Refund, RefundStatus};
use crate::payments::rules::apply;
use crate::payments::store::PaymentImage;
use crate::values::clock::Time;
use crate::values::id::RefundId;
use crate::values::money::Money;

fn euros(text: &str) -> Money {
    Money::parse(text, "EUR".parse().unwrap()).unwrap()
}

fn confirmed() -> Order {
    Order {
        status: Status::Confirmed,
        due_at: None,
        ..fixtures::order("tok_ok")
    }
}

/// Returns the payment of `order`, captured and refunded by 10.00 of which, and its entries.
fn refunded(order: &Order, now: Time) -> (Payment, Vec<Entry>) {
    let begun = Payment::begin(order.id, order.total, Provider::Sandbox, now);
    let captured = apply(&begun, &Change::Captured(order.total), now).unwrap();
    let back = Change::Refunded {
        total: euros("10.00"),
        by: RefundId::derived(&["1"]),
    };
    let refunded = apply(&captured, &back, now).unwrap();
    let images = [begun, captured, refunded.clone()].map(|payment| PaymentImage {
        payment,
        last_refund: None,
    });
    let changes = images.windows(2);
    let made = changes.flat_map(|pair| entries(Some(&pair[0]), &pair[1]).unwrap());
    (refunded, made.collect())
}

fn refund(payment: &Payment, amount: &str, status: RefundStatus) -> Refund {
    Refund {
        id: RefundId::derived(&[amount]),
        payment_id: payment.id,
        order_id: payment.order_id,
        amount: euros(amount),
        gift_card_amount: euros("0.00"),
        units: Units::new(),
        reason: None,
        restock: false,
        status,
        failure: None,
        attempts: 0,
        due_at: None,
        request_hash: String::new(),
        created_at: payment.created_at,
        updated_at: payment.updated_at,
    }
}

/// Returns the case of an order whose payment was refunded by 10.00 in one refund.
fn case() -> OrderCase {
    let order = confirmed();
    let (payment, entries) = refunded(&order, order.updated_at);
    let made = refund(&payment, "10.00", RefundStatus::Succeeded);
    OrderCase {
        order,
        order_events: Vec::new(),
        reservation: None,
        reservation_events: Vec::new(),
        payment: Some(payment),
        payment_events: Vec::new(),
        entries: Some(entries),
        refunds: Some(vec![made]),
    }
}

/// Returns what is said about the money of `case`.
fn said(case: &OrderCase) -> Vec<String> {
    let checks = [Check::LedgerIsPayment, Check::RefundsArePayment];
    let found = rules::order(case).into_iter();
    let found = found.filter(|found| checks.contains(&found.check));
    found.map(|found| found.detail).collect()
}

#[test]
fn entries_and_refunds_are_compared_with_their_payment() {
    assert!(said(&case()).is_empty());
    let mut missing = case();
    missing.entries.as_mut().unwrap().pop();
    assert_eq!(
        said(&missing),
        ["10.00 EUR is refunded, but the ledger says 0.00 EUR"]
    );
    let mut none = case();
    none.refunds = Some(Vec::new());
    assert_eq!(
        said(&none),
        ["10.00 EUR is refunded, but the refunds say 0.00 EUR; \
             10.00 EUR is being refunded or refunded, but the refunds say 0.00 EUR"]
    );
    let mut pending = case();
    let payment = pending.payment.as_mut().unwrap();
    let (more, failed) = (
        refund(payment, "5.00", RefundStatus::Pending),
        refund(payment, "6.00", RefundStatus::Failed),
    );
    payment.refunding = euros("15.00");
    pending.refunds.as_mut().unwrap().extend([more, failed]);
    assert!(said(&pending).is_empty());
}

#[test]
fn payments_of_earlier_releases_and_those_with_very_many_entries_are_not_compared() {
    let mut earlier = case();
    (earlier.entries, earlier.refunds) = (Some(Vec::new()), Some(Vec::new()));
    assert_eq!(said(&earlier).len(), 2);
    earlier.payment.as_mut().unwrap().in_ledger = false;
    assert!(said(&earlier).is_empty());
    let mut many = case();
    (many.entries, many.refunds) = (None, None);
    assert!(said(&many).is_empty());
}

#[test]
fn an_order_whose_payment_has_just_changed_is_not_settled() {
    let mut case = case();
    let later = case.order.updated_at.plus(Duration::from_hours(1));
    assert!(rules::is_settled(&case, later));
    case.payment.as_mut().unwrap().updated_at = later;
    assert!(!rules::is_settled(&case, later));
    assert!(rules::is_settled(&case, later.plus(Duration::from_mins(1))));
}
