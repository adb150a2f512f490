//! What the audit says about a payment, its ledger and its refunds.

use std::time::Duration;

use crate::integrity::model::{Check, GiftCardCase, OrderCase};
use crate::integrity::rules;
use crate::orders::gift_cards::image::RedemptionImage;
use crate::orders::gift_cards::model::GiftCard;
use crate::orders::model::{Order, Status};
use crate::orders::redemptions::Redemption;
use crate::payments::fixtures;
use crate::payments::ledger::model::Entry;
use crate::payments::ledger::rules::entries;
use crate::payments::model::gift_cards::GiftCardPart;
use crate::payments::model::{Amounts, Change, Payment, Provider, Units};
use crate::payments::refunds::model::{Refund, RefundStatus};
use crate::payments::rules::apply;
use crate::payments::store::PaymentImage;
use crate::values::clock::Time;
use crate::values::id::{GiftCardId, OrderId, RefundId};
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
        gift_cards: Vec::new(),
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
fn a_cancelled_order_whose_payment_a_bank_has_taken_is_not_charged() {
    let mut case = case();
    case.order.status = Status::Cancelled;
    let said = |case: &OrderCase| -> Vec<String> {
        let found = rules::order(case).into_iter();
        let found = found.filter(|found| found.check == Check::ClosedIsNotCharged);
        found.map(|found| found.detail).collect()
    };
    let payment = case.payment.as_mut().unwrap();
    payment.void_requested = true;
    payment.disputed = euros("29.99");
    let captured = payment.amounts.captured();
    let kept = format!("{captured} is captured, but 10.00 EUR is refunded");
    assert_eq!(said(&case), [kept]);
    let payment = case.payment.as_mut().unwrap();
    payment.disputed = captured.minus(euros("10.00")).unwrap();
    assert!(said(&case).is_empty());
    // Without a dispute, a payment that has nothing left is refunded.
    let payment = case.payment.as_mut().unwrap();
    payment.disputed = euros("0.00");
    payment.amounts = Amounts::new(captured, captured, captured).unwrap();
    assert_eq!(said(&case), ["the payment is still partially_refunded"]);
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

/// Returns the case of an order that took 8.00 of a card of 20.00, of which another order took 5.00 and gave 2.00 back;
/// refunds returned 3.00.
fn beside_cards() -> OrderCase {
    let mut case = case();
    let now = case.order.created_at;
    let card = GiftCardId::derived(&["card"]);
    case.order.gift_cards = vec![Redemption {
        card,
        last_four: "2345".to_owned(),
        amount: euros("8.00"),
    }];
    let part = GiftCardPart {
        amount: euros("8.00"),
        refunding: euros("3.00"),
        refunded: euros("3.00"),
    };
    case.payment.as_mut().unwrap().gift_cards = part;
    let took = |order_id, amount, returned| RedemptionImage {
        card,
        order_id,
        amount: euros(amount),
        returned: euros(returned),
        version: 2,
        at: now,
    };
    let other = OrderId::derived(&["other"]);
    case.gift_cards = vec![GiftCardCase {
        card: GiftCard {
            id: card,
            last_four: "2345".to_owned(),
            issued: euros("20.00"),
            balance: euros("12.00"),
            customer_id: None,
            expires_at: None,
            request_hash: String::new(),
            created_at: now,
            updated_at: now,
        },
        orders: Some(vec![
            took(case.order.id, "8.00", "3.00"),
            took(other, "5.00", "2.00"),
        ]),
    }];
    case
}

/// Returns what is said about the gift cards of a case, after `change`.
fn said_of_cards(change: impl FnOnce(&mut OrderCase)) -> Vec<String> {
    let mut case = beside_cards();
    change(&mut case);
    let card = GiftCardId::derived(&["card"]).to_string();
    let found = rules::order(&case).into_iter();
    let found = found.filter(|found| found.check == Check::GiftCardsFollowOrder);
    found
        .map(|found| found.detail.replace(&card, "C"))
        .collect()
}

fn taken(case: &mut OrderCase) -> &mut RedemptionImage {
    &mut case.gift_cards[0].orders.as_mut().unwrap()[0]
}

#[test]
fn gift_cards_are_compared_with_what_their_orders_say() {
    assert!(said_of_cards(|_| ()).is_empty());
    let balance = said_of_cards(|case| case.gift_cards[0].card.balance = euros("12.01"));
    assert_eq!(
        balance,
        ["the balance of gift card C is 12.01 EUR, but its orders leave 12.00 EUR"]
    );
    let less = said_of_cards(|case| {
        taken(case).amount = euros("7.00");
        case.gift_cards[0].card.balance = euros("13.00");
    });
    assert_eq!(
        less,
        ["8.00 EUR is taken from gift card C, which says 7.00 EUR"]
    );
    let twice = said_of_cards(|case| {
        taken(case).returned = euros("6.00");
        case.gift_cards[0].card.balance = euros("15.00");
    });
    assert_eq!(
        twice,
        ["6.00 EUR has come back to gift cards, but 3.00 EUR should have"]
    );
    let ended = said_of_cards(|case| case.order.status = Status::Cancelled);
    assert_eq!(
        ended,
        ["3.00 EUR has come back to gift cards, but 8.00 EUR should have"]
    );
    let gone = said_of_cards(|case| case.gift_cards.clear());
    assert_eq!(gone, ["gift card C is missing"]);
    let unknown = said_of_cards(|case| {
        case.gift_cards[0].orders.as_mut().unwrap().remove(0);
        case.gift_cards[0].card.balance = euros("17.00");
    });
    assert_eq!(
        unknown,
        ["gift card C does not know that 8.00 EUR is taken"]
    );
    // There are too many orders to be read.
    assert!(said_of_cards(|case| case.gift_cards[0].orders = None).is_empty());
}
