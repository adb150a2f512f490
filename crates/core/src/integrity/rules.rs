//! The checks, without I/O. Each describes a violation in the numbers and names of the tables, so that the reader of a
//! finding can look them up.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::model::{Check, OrderCase, StockCase, Violation};
use super::{gift_cards, money};
use crate::inventory::model::{RESTOCKED, Reservation, ReservationStatus};
use crate::orders::model::{Course, Order, PaymentStatus, Status};
use crate::orders::validation;
use crate::payments::model::{CaptureTime, Payment};
use crate::values::clock::Time;
use crate::values::event::DomainEvent;
use crate::values::id::VariantId;
use crate::values::money::Money;

/// How many of an aggregate's events are looked at, its latest. An order has fewer.
pub const LATEST_EVENTS: usize = 100;

/// Seconds after a change during which nothing is a violation, because its event may still be on its way.
pub const QUIET_SECONDS: u64 = 60;

/// Returns whether nothing is left to do for the order of `case`, and neither it nor its payment has changed lately.
#[must_use]
pub fn is_settled(case: &OrderCase, now: Time) -> bool {
    let order = &case.order;
    let payment = case.payment.as_ref();
    order.status != Status::Pending
        && order.due_at.is_none()
        && is_quiet(order.updated_at, now)
        && payment.is_none_or(|payment| is_quiet(payment.updated_at, now))
}

/// Returns whether a change at `at` is long enough ago for its event to be in the log.
#[must_use]
pub fn is_quiet(at: Time, now: Time) -> bool {
    at.plus(std::time::Duration::from_secs(QUIET_SECONDS)) <= now
}

/// Returns the violations of a settled order.
#[must_use]
pub fn order(case: &OrderCase) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut check = |check: Check, faults: Vec<String>| {
        if !faults.is_empty() {
            let detail = faults.join("; ");
            found.push(Violation { check, detail });
        }
    };
    check(Check::VersionsFollow, version_faults(case));
    check(Check::LogIsRow, log_is_row(case));
    check(Check::TotalIsSumOfParts, total_is_sum_of_parts(&case.order));
    check(Check::HoldFollowsOrder, hold_follows_order(case));
    check(Check::GiftCardsFollowOrder, gift_cards::faults(case));
    if let Some(payment) = case.payment.as_ref().filter(|payment| payment.in_ledger) {
        check(Check::LedgerIsPayment, money::ledger(payment, case));
        check(Check::RefundsArePayment, money::refunds(payment, case));
    }
    match case.order.status.course() {
        Course::Confirmed => check(Check::ConfirmedIsPaid, confirmed_is_paid(case)),
        Course::Closed => check(Check::ClosedIsNotCharged, closed_is_not_charged(case)),
        Course::Undecided => {}
    }
    found
}

/// Returns the violations of stock that has not changed lately.
#[must_use]
pub fn stock(case: &StockCase) -> Vec<Violation> {
    let mut found = Vec::new();
    let StockCase {
        stock,
        events,
        held,
    } = case;
    let place = &stock.place;
    let mut check = |check: Check, fault: Option<String>| {
        if let Some(fault) = fault {
            let detail = format!("at {place}: {fault}");
            found.push(Violation { check, detail });
        }
    };
    check(
        Check::VersionsFollow,
        version_fault(events, Some(stock.version)),
    );
    let last_set = events
        .last()
        .and_then(read_data::<StockData>)
        .map(|data| data.on_hand);
    let (available, reserved) = (stock.available, stock.reserved);
    let fault = (last_set != Some(stock.on_hand())).then(|| {
        let set = last_set.map_or("nothing".to_owned(), |set| set.to_string());
        format!("{available} available and {reserved} reserved, but {set} set on hand")
    });
    check(Check::OnHandIsAvailableAndReserved, fault);
    let fault = (*held != reserved)
        .then(|| format!("{reserved} reserved, but open reservations hold {held}"));
    check(Check::ReservedIsOpenReservations, fault);
    found
}

/// Returns the violations of the events of any other aggregate.
#[must_use]
pub fn aggregate(events: &[DomainEvent]) -> Vec<Violation> {
    let fault = version_fault(events, None);
    let violation = fault.map(|detail| Violation {
        check: Check::VersionsFollow,
        detail,
    });
    violation.into_iter().collect()
}

/// Returns the first fault in the numbering of `events`, whose last number should be `last`. They begin with the first
/// unless there are [`LATEST_EVENTS`] of them.
fn version_fault(events: &[DomainEvent], last: Option<u64>) -> Option<String> {
    let first = events.first().filter(|_| events.len() >= LATEST_EVENTS);
    let first = first.map_or(1, |event| event.version);
    for (event, expected) in events.iter().zip(first..) {
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
                "event {} is earlier than the previous one",
                pair[1].version
            ));
        }
    }
    let logged = events.last().map_or(0, |event| event.version);
    let last = last.filter(|last| *last != logged)?;
    Some(format!(
        "version {last} is stored, but events end at {logged}"
    ))
}

fn version_faults(case: &OrderCase) -> Vec<String> {
    let reservation = case.reservation.as_ref();
    let payment = case.payment.as_ref();
    let aggregates = [
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
    let faults = aggregates
        .into_iter()
        .filter_map(|(what, events, version)| {
            let fault = version_fault(events, Some(version))?;
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
    /// The variant, as the event names it.
    product_id: VariantId,
    quantity: u64,
}

#[derive(Deserialize)]
struct PaymentData {
    amount: Money,
    status: Option<String>,
    /// Of events about disputes.
    dispute_id: Option<String>,
}

fn read_data<T: for<'de> Deserialize<'de>>(event: &DomainEvent) -> Option<T> {
    T::deserialize(&event.data).ok()
}

/// Returns how the events of an order, its reservation and its payment differ from what is stored.
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
        return Some(format!(
            "the order is {}, but its events say {status}",
            order.status
        ));
    }
    let created = events.first().and_then(read_data::<OrderData>);
    let total = created.and_then(|data| data.total_amount);
    (total != Some(order.total)).then(|| {
        let logged = total.map_or("nothing".to_owned(), |total| total.to_string());
        format!("the total is {}, but the events say {logged}", order.total)
    })
}

fn reservation_differs(reservation: &Reservation, events: &[DomainEvent]) -> Option<String> {
    let last = events.last()?;
    let status = match last.event_type.as_str() {
        "InventoryReserved" => Some(ReservationStatus::Held),
        "InventoryCommitted" => Some(ReservationStatus::Committed),
        "InventoryReleased" => Some(ReservationStatus::Released),
        // Leaves the status as it was.
        RESTOCKED => Some(reservation.status),
        _ => None,
    };
    let logged = read_data::<ReservationData>(last).map(|data| {
        let lines = data.lines.into_iter();
        by_variant(lines.map(|line| (line.product_id, line.quantity)))
    });
    if status == Some(reservation.status) && logged == Some(reserved_quantities(reservation)) {
        return None;
    }
    Some(format!(
        "the reservation is {:?} at version {}, but its last event is {} {}",
        reservation.status, reservation.version, last.version, last.event_type
    ))
}

fn payment_differs(payment: &Payment, events: &[DomainEvent]) -> Option<String> {
    let last = events.last()?;
    let data: Option<PaymentData> = read_data(last);
    let same = data.is_some_and(|data| match last.event_type.as_str() {
        "PaymentRefunded" | "PaymentRefundReturned" => {
            let to_cards = payment.gift_cards.refunded;
            payment.amounts.refunded().plus(to_cards) == Ok(data.amount)
        }
        "PaymentDisputed" => {
            let dispute = data.dispute_id.and_then(|id| payment.disputes.get(&id));
            let status = dispute.map(|dispute| dispute.status.as_str());
            status.is_some() && data.status.as_deref() == status
        }
        _ => {
            payment.amount.plus(payment.gift_cards.amount) == Ok(data.amount)
                && data.status.as_deref() == Some(payment.status.as_str())
        }
    });
    (!same).then(|| {
        format!(
            "the payment is {} of {}, but its last event, {}, says something else",
            payment.status, payment.amount, last.version
        )
    })
}

/// Returns how many of each variant a reservation has, at all places together.
fn reserved_quantities(reservation: &Reservation) -> BTreeMap<VariantId, u64> {
    let lines = reservation.lines.iter();
    by_variant(lines.map(|line| (line.variant_id, line.quantity)))
}

fn by_variant(quantities: impl Iterator<Item = (VariantId, u64)>) -> BTreeMap<VariantId, u64> {
    let mut sums: BTreeMap<VariantId, u64> = BTreeMap::new();
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
        return vec![format!("the order is {status}, but has no reservation")];
    };
    let mut faults = Vec::new();
    if !expected.contains(&reservation.status) {
        let held = reservation.status;
        faults.push(format!(
            "the order is {status}, but its reservation is {held:?}"
        ));
    }
    let bought = case.order.lines.iter();
    let bought = by_variant(bought.map(|line| (line.variant_id, u64::from(line.quantity))));
    if case.order.status.course() == Course::Confirmed && bought != reserved_quantities(reservation)
    {
        faults.push("the quantities reserved are not those ordered".to_owned());
    }
    faults
}

fn confirmed_is_paid(case: &OrderCase) -> Vec<String> {
    let due = match case.order.amount_due() {
        Ok(due) => due,
        Err(error) => return vec![format!("what is due cannot be told: {error}")],
    };
    match &case.payment {
        None => vec![format!("{due} is due, but there is no payment")],
        Some(payment) if payment.amounts.captured() == due => Vec::new(),
        Some(payment) if payment.capture == CaptureTime::AtShipment => {
            let authorized = payment.amounts.authorized();
            if payment.status == PaymentStatus::Voided {
                vec![format!("{due} is due, but nothing was captured in time")]
            } else if authorized == due {
                Vec::new()
            } else {
                vec![format!("{due} is due, but {authorized} is authorised")]
            }
        }
        Some(payment) => {
            let captured = payment.amounts.captured();
            vec![format!("{due} is due, but {captured} is captured")]
        }
    }
}

fn closed_is_not_charged(case: &OrderCase) -> Vec<String> {
    let Some(payment) = &case.payment else {
        return vec!["there is no payment record that prevents a later charge".to_owned()];
    };
    let (captured, refunded) = (payment.amounts.captured(), payment.amounts.refunded());
    // What a bank has taken goes back to the cardholder, too.
    if !payment.kept().is_ok_and(Money::is_zero) {
        return vec![format!(
            "{captured} is captured, but {refunded} is refunded"
        )];
    }
    match payment.status {
        PaymentStatus::Voided | PaymentStatus::Refunded | PaymentStatus::Failed => Vec::new(),
        // Disputes have taken all that is not refunded, so it keeps this status.
        PaymentStatus::Completed | PaymentStatus::PartiallyRefunded
            if payment.void_requested && payment.disputed.is_positive() =>
        {
            Vec::new()
        }
        open @ (PaymentStatus::Pending
        | PaymentStatus::Processing
        | PaymentStatus::RequiresAction
        | PaymentStatus::Authorized
        | PaymentStatus::Completed
        | PaymentStatus::PartiallyRefunded) => {
            vec![format!("the payment is still {open}")]
        }
    }
}
