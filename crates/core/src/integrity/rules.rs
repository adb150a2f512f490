//! The checks, without I/O. Each says what it found in `detail`, in numbers and names that the tables
//! have, so that whoever reads a finding can look it up.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::model::{Check, OrderCase, StockCase, Violation};
use crate::inventory::model::{Reservation, ReservationStatus};
use crate::orders::model::{Course, Order, PaymentStatus, Status};
use crate::orders::validation;
use crate::payments::model::Payment;
use crate::values::clock::Time;
use crate::values::event::DomainEvent;
use crate::values::id::ProductId;
use crate::values::money::Money;

/// Seconds after a change within which it is no violation yet: its event is on its way.
pub const QUIET_SECONDS: u64 = 60;

/// Whether `order` has nothing left to do, and nothing happened to it lately.
#[must_use]
pub fn is_settled(order: &Order, now: Time) -> bool {
    order.status != Status::Pending && order.due_at.is_none() && is_quiet(order.updated_at, now)
}

/// Whether a change of `at` is long enough ago for its event to be in the log.
#[must_use]
pub fn is_quiet(at: Time, now: Time) -> bool {
    at.plus(std::time::Duration::from_secs(QUIET_SECONDS)) <= now
}

/// What does not fit together in a settled order.
#[must_use]
pub fn order(case: &OrderCase) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut check = |check: Check, faults: Vec<String>| {
        if !faults.is_empty() {
            let detail = faults.join("; ");
            found.push(Violation { check, detail });
        }
    };
    check(Check::VersionsFollow, versions_of(case));
    check(Check::LogIsRow, log_is_row(case));
    check(Check::TotalIsSumOfParts, total_is_sum_of_parts(&case.order));
    check(Check::HoldFollowsOrder, hold_follows_order(case));
    match case.order.status.course() {
        Course::Confirmed => check(Check::ConfirmedIsPaid, confirmed_is_paid(case)),
        Course::Closed => check(Check::ClosedIsNotCharged, closed_is_not_charged(case)),
        Course::Undecided => {}
    }
    found
}

/// What does not fit together in a stock that nothing happened to lately.
#[must_use]
pub fn stock(case: &StockCase) -> Vec<Violation> {
    let mut found = Vec::new();
    let StockCase {
        stock,
        events,
        promised,
    } = case;
    let place = &stock.place;
    let mut check = |check: Check, fault: Option<String>| {
        if let Some(fault) = fault {
            let detail = format!("at {place}: {fault}");
            found.push(Violation { check, detail });
        }
    };
    check(Check::VersionsFollow, versions(events, Some(stock.version)));
    let put_in = events
        .last()
        .and_then(read::<StockData>)
        .map(|data| data.on_hand);
    let (available, reserved) = (stock.available, stock.reserved);
    let fault = (put_in != Some(stock.on_hand()))
        .then(|| format!("{available} available and {reserved} reserved, put in {put_in:?}"));
    check(Check::OnHandIsAvailableAndReserved, fault);
    let fault = (*promised != reserved)
        .then(|| format!("{reserved} reserved, open reservations hold {promised}"));
    check(Check::ReservedIsOpenReservations, fault);
    found
}

/// What does not fit together in the events of anything else.
#[must_use]
pub fn aggregate(events: &[DomainEvent]) -> Vec<Violation> {
    let fault = versions(events, None);
    let violation = fault.map(|detail| Violation {
        check: Check::VersionsFollow,
        detail,
    });
    violation.into_iter().collect()
}

/// The first fault in the numbering of `events`, the last of which should be number `last`.
fn versions(events: &[DomainEvent], last: Option<u64>) -> Option<String> {
    for (event, expected) in events.iter().zip(1..) {
        if event.version != expected {
            return Some(format!(
                "event {expected} is missing before {} {}",
                event.version, event.event_type
            ));
        }
    }
    for pair in events.windows(2) {
        if pair[1].timestamp < pair[0].timestamp {
            return Some(format!(
                "event {} is earlier than the one before",
                pair[1].version
            ));
        }
    }
    let logged = events.last().map_or(0, |event| event.version);
    let last = last.filter(|last| *last != logged)?;
    Some(format!("stored version {last}, events up to {logged}"))
}

fn versions_of(case: &OrderCase) -> Vec<String> {
    let reservation = case.reservation.as_ref();
    let payment = case.payment.as_ref();
    let of = [
        ("order", &case.order_events, case.order.version),
        (
            "reservation",
            &case.reservation_events,
            reservation.map_or(0, |reservation| reservation.version),
        ),
        (
            "payment",
            &case.payment_events,
            payment.map_or(0, |payment| payment.version),
        ),
    ];
    let faults = of.into_iter().filter_map(|(what, events, version)| {
        let fault = versions(events, Some(version))?;
        Some(format!("{what}: {fault}"))
    });
    faults.collect()
}

#[derive(Deserialize)]
struct StockData {
    on_hand: u64,
}

#[derive(Deserialize)]
struct OrderData {
    total_amount: Option<Money>,
}

#[derive(Deserialize)]
struct ReservationData {
    lines: Vec<LineData>,
}

#[derive(Deserialize)]
struct LineData {
    product_id: ProductId,
    quantity: u64,
}

#[derive(Deserialize)]
struct PaymentData {
    amount: Money,
    status: Option<String>,
}

fn read<T: for<'de> Deserialize<'de>>(event: &DomainEvent) -> Option<T> {
    T::deserialize(&event.data).ok()
}

/// Where the events of an order, a reservation or a payment differ from what is stored.
fn log_is_row(case: &OrderCase) -> Vec<String> {
    let of_order = order_differs(&case.order, &case.order_events);
    let of_hold = case
        .reservation
        .as_ref()
        .and_then(|reservation| reservation_differs(reservation, &case.reservation_events));
    let of_payment = case
        .payment
        .as_ref()
        .and_then(|payment| payment_differs(payment, &case.payment_events));
    [of_order, of_hold, of_payment]
        .into_iter()
        .flatten()
        .collect()
}

fn order_differs(order: &Order, events: &[DomainEvent]) -> Option<String> {
    let status = events.iter().rev().find_map(|event| {
        Some(match event.event_type.as_str() {
            "OrderCreated" => Status::Pending,
            "OrderConfirmed" => Status::Confirmed,
            "OrderFailed" => Status::Failed,
            "OrderCancelled" => Status::Cancelled,
            "OrderShipped" => Status::Shipped,
            "OrderDelivered" => Status::Delivered,
            _ => return None,
        })
    });
    if status != Some(order.status) {
        let status = status.map_or("nothing", Status::as_str);
        return Some(format!("stored {}, events say {status}", order.status));
    }
    let created = events.first().and_then(read::<OrderData>);
    let total = created.and_then(|data| data.total_amount);
    (total != Some(order.total)).then(|| {
        let told = total.map_or("nothing".to_owned(), |total| total.to_string());
        format!("stored a total of {}, events say {told}", order.total)
    })
}

fn reservation_differs(reservation: &Reservation, events: &[DomainEvent]) -> Option<String> {
    let last = events.last()?;
    let status = match last.event_type.as_str() {
        "InventoryReserved" => Some(ReservationStatus::Held),
        "InventoryCommitted" => Some(ReservationStatus::Committed),
        "InventoryReleased" => Some(ReservationStatus::Released),
        _ => None,
    };
    let told = read::<ReservationData>(last).map(|data| {
        let lines = data.lines.into_iter();
        by_product(lines.map(|line| (line.product_id, line.quantity)))
    });
    if status == Some(reservation.status) && told == Some(kept(reservation)) {
        return None;
    }
    Some(format!(
        "reservation stored {:?} version {}, its last event is {} {}",
        reservation.status, reservation.version, last.version, last.event_type
    ))
}

fn payment_differs(payment: &Payment, events: &[DomainEvent]) -> Option<String> {
    let last = events.last()?;
    let data: Option<PaymentData> = read(last);
    let same = data.is_some_and(|data| match last.event_type.as_str() {
        "PaymentRefunded" => data.amount == payment.amounts.refunded(),
        _ => {
            data.amount == payment.amount && data.status.as_deref() == Some(payment.status.as_str())
        }
    });
    (!same).then(|| {
        format!(
            "payment stored {} of {}, its last event {} says something else",
            payment.status, payment.amount, last.version
        )
    })
}

/// How many of each product a reservation keeps, at all places together.
fn kept(reservation: &Reservation) -> BTreeMap<ProductId, u64> {
    let lines = reservation.lines.iter();
    by_product(lines.map(|line| (line.product_id, line.quantity)))
}

fn by_product(quantities: impl Iterator<Item = (ProductId, u64)>) -> BTreeMap<ProductId, u64> {
    let mut sums: BTreeMap<ProductId, u64> = BTreeMap::new();
    for (product, quantity) in quantities {
        let sum = sums.entry(product).or_default();
        *sum = sum.saturating_add(quantity);
    }
    sums
}

fn total_is_sum_of_parts(order: &Order) -> Vec<String> {
    match validation::total_is_sum_of_lines(order) {
        Ok(Ok(())) => Vec::new(),
        Ok(Err(objection)) => vec![objection.message],
        Err(broken) => vec![broken.to_string()],
    }
}

fn hold_follows_order(case: &OrderCase) -> Vec<String> {
    let expected = match case.order.status.course() {
        Course::Undecided => return Vec::new(),
        Course::Confirmed => [ReservationStatus::Committed, ReservationStatus::Shipped],
        Course::Closed => [ReservationStatus::Released, ReservationStatus::Released],
    };
    let status = case.order.status;
    let Some(reservation) = &case.reservation else {
        return vec![format!("the order is {status} and has no reservation")];
    };
    let mut faults = Vec::new();
    if !expected.contains(&reservation.status) {
        let held = reservation.status;
        faults.push(format!("the order is {status}, its reservation {held:?}"));
    }
    let bought = case.order.lines.iter();
    let bought = by_product(bought.map(|line| (line.product_id, u64::from(line.quantity))));
    if case.order.status.course() == Course::Confirmed && bought != kept(reservation) {
        faults.push("other quantities are kept than were bought".to_owned());
    }
    faults
}

fn confirmed_is_paid(case: &OrderCase) -> Vec<String> {
    let total = case.order.total;
    match &case.payment {
        None => vec![format!("{total} are due, there is no payment")],
        Some(payment) if payment.amounts.captured() == total => Vec::new(),
        Some(payment) => {
            let captured = payment.amounts.captured();
            vec![format!("{total} are due, {captured} are captured")]
        }
    }
}

fn closed_is_not_charged(case: &OrderCase) -> Vec<String> {
    let Some(payment) = &case.payment else {
        return vec!["there is no record that nothing can be charged any more".to_owned()];
    };
    let (captured, refunded) = (payment.amounts.captured(), payment.amounts.refunded());
    if captured != refunded {
        return vec![format!("{captured} are captured, {refunded} given back")];
    }
    match payment.status {
        PaymentStatus::Voided | PaymentStatus::Refunded | PaymentStatus::Failed => Vec::new(),
        open @ (PaymentStatus::Pending
        | PaymentStatus::Processing
        | PaymentStatus::Authorized
        | PaymentStatus::Completed
        | PaymentStatus::PartiallyRefunded) => {
            vec![format!("the payment is still {open}")]
        }
    }
}
