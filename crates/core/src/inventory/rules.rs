//! Pure decisions about stock and reservations: what to do next, and what they become.

use std::collections::BTreeMap;

use crate::http::exchange::IfMatch;
use crate::orders::model::Course;
use crate::stock::model::{Place, Stock, stock_aggregate};
use crate::values::clock::Time;
use crate::values::event::Stamp;
use crate::values::id::{OrderId, VariantId};

use super::model::{
    RESTOCKED, Reservation, ReservationStatus, ReservedLine, Restock, StockError,
    reservation_aggregate,
};

/// Returns how many of a variant are reserved at all its places.
#[must_use]
pub fn total_reserved(stocks: &[Stock]) -> u64 {
    stocks.iter().map(|stock| stock.reserved).sum()
}

/// Returns the entity tag of a variant's stock: `<version>-<reserved>`, because reservations change the response of
/// `GET` without raising the version.
#[must_use]
pub fn stock_tag(stocks: &[Stock]) -> String {
    let version: u64 = stocks.iter().map(|stock| stock.version).sum();
    format!("{version}-{}", total_reserved(stocks))
}

/// How the stock of a variant has to be written so that `on_hand` is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Adjustment {
    /// It is set already.
    Unchanged,
    /// Create this stock.
    Create(Stock),
    /// Replace the previous version by this stock.
    Update(Stock),
}

/// What the stock of a variant is set to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Level {
    /// How many are on hand.
    pub on_hand: u64,
    /// How many may be sold before they are on hand; `None` leaves that as it is.
    pub backorder: Option<u64>,
}

impl From<u64> for Level {
    /// So many on hand, and as many on backorder as before.
    fn from(on_hand: u64) -> Self {
        Self {
            on_hand,
            backorder: None,
        }
    }
}

/// Decides how to set the stock of `variant_id`, which is `stocks`, to `level` at the main place.
///
/// # Errors
/// [`StockError::Stale`] if the stock does not match `expected`; [`StockError::BelowReserved`] if more is reserved than
/// could be sold.
pub fn set_level(
    variant_id: VariantId,
    stocks: &[Stock],
    level: Level,
    expected: &IfMatch,
    now: Time,
) -> Result<Adjustment, StockError> {
    let place = Place::main();
    let allowed = match expected {
        IfMatch::Any => true,
        IfMatch::Tags(_) => !stocks.is_empty() && expected.allows(&stock_tag(stocks)),
    };
    if !allowed {
        return Err(StockError::Stale);
    }
    let Some(stock) = stocks.iter().find(|stock| stock.place == place) else {
        return Ok(Adjustment::Create(first_stock(variant_id, level, now)));
    };
    let backorder = level.backorder.unwrap_or(stock.backorder);
    if (stock.on_hand(), stock.backorder) == (level.on_hand, backorder) {
        return Ok(Adjustment::Unchanged);
    }
    let sellable = level.on_hand.saturating_add(backorder);
    let Some(available) = sellable.checked_sub(stock.reserved) else {
        return Err(StockError::BelowReserved {
            reserved: stock.reserved,
            least: stock.reserved.saturating_sub(backorder),
        });
    };
    let version = stock.version + 1;
    let updated_at = now.no_earlier_than(stock.updated_at);
    Ok(Adjustment::Update(Stock {
        available,
        backorder,
        version,
        updated_at,
        event: adjusted_stamp(variant_id, &place, version, updated_at),
        ..stock.clone()
    }))
}

/// Returns the first stock of a variant, at the main place.
#[must_use]
pub fn first_stock(variant_id: VariantId, level: Level, now: Time) -> Stock {
    let place = Place::main();
    let backorder = level.backorder.unwrap_or_default();
    Stock {
        event: adjusted_stamp(variant_id, &place, 1, now),
        variant_id,
        place,
        available: level.on_hand.saturating_add(backorder),
        reserved: 0,
        backorder,
        version: 1,
        updated_at: now,
    }
}

fn adjusted_stamp(variant_id: VariantId, place: &Place, version: u64, at: Time) -> Stamp {
    let aggregate = stock_aggregate(variant_id, place);
    Stamp::new(aggregate, version, "StockAdjusted", at)
}

/// Why a step of the workflow cannot do its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    /// The order is confirmed or further along.
    #[error("the order is confirmed")]
    AlreadyConfirmed,
    /// The order has failed or is cancelled, or its stock is released.
    #[error("the order has failed or is cancelled")]
    AlreadyClosed,
    /// The order's deadline has passed and nothing is held for it.
    #[error("the order has passed its deadline")]
    Expired,
    /// The order has no outcome yet, so the step ran too early.
    #[error("the order is still pending")]
    StillPending,
    /// The order is confirmed, but nothing was held for it.
    #[error("no stock is held for the confirmed order")]
    NothingHeld,
}

/// What `reserve-inventory` does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// Nothing: the order has a reservation.
    Done,
    /// Reserve the stock.
    Reserve,
}

/// Decides what `reserve-inventory` does for an order that is on `course` and has `reservation`. No stock is reserved
/// after the deadline.
///
/// # Errors
/// [`Stop`].
pub fn decide_hold(
    reservation: Option<ReservationStatus>,
    course: Course,
    past_deadline: bool,
) -> Result<Hold, Stop> {
    match (reservation, course) {
        (
            Some(
                ReservationStatus::Held | ReservationStatus::Committed | ReservationStatus::Shipped,
            ),
            Course::Undecided | Course::Confirmed | Course::Closed,
        ) => Ok(Hold::Done),
        (
            Some(ReservationStatus::Released),
            Course::Undecided | Course::Confirmed | Course::Closed,
        )
        | (None, Course::Closed) => Err(Stop::AlreadyClosed),
        (None, Course::Confirmed) => Err(Stop::AlreadyConfirmed),
        (None, Course::Undecided) if past_deadline => Err(Stop::Expired),
        (None, Course::Undecided) => Ok(Hold::Reserve),
    }
}

/// Returns the committed reservation that `commit-inventory` has to store for an order that is on `course`, or `None`
/// if nothing is left to do.
///
/// # Errors
/// [`Stop`].
pub fn decide_commit(
    reservation: Option<&Reservation>,
    course: Course,
    now: Time,
) -> Result<Option<Reservation>, Stop> {
    match course {
        Course::Closed => return Err(Stop::AlreadyClosed),
        Course::Undecided => return Err(Stop::StillPending),
        Course::Confirmed => {}
    }
    let reservation = reservation.ok_or(Stop::NothingHeld)?;
    match reservation.status {
        ReservationStatus::Held => {
            let committed = next_reservation(reservation, ReservationStatus::Committed, now);
            Ok(Some(committed))
        }
        ReservationStatus::Committed | ReservationStatus::Shipped => Ok(None),
        ReservationStatus::Released => Err(Stop::AlreadyClosed),
    }
}

/// What `release-inventory` does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Release {
    /// Nothing: the stock is released or has been shipped.
    Done,
    /// Store this reservation and make its stock available again.
    ReleaseStock(Reservation),
    /// Store this reservation without lines, so that a delayed run cannot hold stock any more.
    PreventHold(Reservation),
}

/// Decides what `release-inventory` does for the order `order_id`, which is on `course`.
///
/// # Errors
/// [`Stop`].
pub fn decide_release(
    order_id: OrderId,
    reservation: Option<&Reservation>,
    course: Course,
    now: Time,
) -> Result<Release, Stop> {
    match course {
        Course::Confirmed => return Err(Stop::AlreadyConfirmed),
        Course::Undecided => return Err(Stop::StillPending),
        Course::Closed => {}
    }
    let released = ReservationStatus::Released;
    let Some(reservation) = reservation else {
        let empty = first_reservation(order_id, released, [], now);
        return Ok(Release::PreventHold(empty));
    };
    Ok(match reservation.status {
        ReservationStatus::Held | ReservationStatus::Committed => {
            Release::ReleaseStock(next_reservation(reservation, released, now))
        }
        ReservationStatus::Released | ReservationStatus::Shipped => Release::Done,
    })
}

/// Decides which pieces of `reservation` come back into stock if refunds have restocked as many of each variant as
/// `restocked` says, in all. Returns `None` if none do: they have come back before, or with the whole reservation.
#[must_use]
pub fn restock(
    reservation: &Reservation,
    restocked: &BTreeMap<VariantId, u64>,
    now: Time,
) -> Option<Restock> {
    if reservation.status == ReservationStatus::Released {
        return None;
    }
    let mut wanted = restocked.clone();
    let mut next = next_reservation(reservation, reservation.status, now);
    let mut pieces = Vec::new();
    for line in &mut next.lines {
        let Some(wanted) = wanted.get_mut(&line.variant_id) else {
            continue;
        };
        let of_line = line.quantity.min(*wanted);
        *wanted -= of_line;
        let back = of_line.saturating_sub(line.restocked);
        if back > 0 {
            line.restocked = of_line;
            pieces.push((line.clone(), back));
        }
    }
    if pieces.is_empty() {
        return None;
    }
    let aggregate = reservation_aggregate(next.order_id);
    next.event = Stamp::new(aggregate, next.version, RESTOCKED, next.updated_at);
    Some(Restock {
        reservation: next,
        pieces,
    })
}

/// Returns the first version of an order's reservation, with the `quantities` of each variant added up.
#[must_use]
pub fn first_reservation(
    order_id: OrderId,
    status: ReservationStatus,
    quantities: impl IntoIterator<Item = (VariantId, u32)>,
    now: Time,
) -> Reservation {
    let mut merged: BTreeMap<VariantId, u64> = BTreeMap::new();
    for (variant_id, quantity) in quantities {
        *merged.entry(variant_id).or_default() += u64::from(quantity);
    }
    let lines = merged
        .into_iter()
        .map(|(variant_id, quantity)| ReservedLine {
            variant_id,
            place: Place::main(),
            quantity,
            restocked: 0,
        });
    Reservation {
        order_id,
        status,
        lines: lines.collect(),
        version: 1,
        created_at: now,
        updated_at: now,
        event: reservation_stamp(order_id, status, 1, now),
    }
}

/// Returns the next version of `reservation`, with `status`.
#[must_use]
pub fn next_reservation(
    reservation: &Reservation,
    status: ReservationStatus,
    now: Time,
) -> Reservation {
    let version = reservation.version + 1;
    let updated_at = now.no_earlier_than(reservation.updated_at);
    Reservation {
        status,
        version,
        updated_at,
        event: reservation_stamp(reservation.order_id, status, version, updated_at),
        ..reservation.clone()
    }
}

fn reservation_stamp(
    order_id: OrderId,
    status: ReservationStatus,
    version: u64,
    at: Time,
) -> Stamp {
    let event_type = match status {
        ReservationStatus::Held => "InventoryReserved",
        ReservationStatus::Committed => "InventoryCommitted",
        ReservationStatus::Released => "InventoryReleased",
        ReservationStatus::Shipped => "InventoryShipped",
    };
    let aggregate = reservation_aggregate(order_id);
    Stamp::new(aggregate, version, event_type, at)
}

#[cfg(test)]
mod tests;
