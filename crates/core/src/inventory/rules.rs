//! What may happen to stock and reservations: pure decisions.

use std::collections::BTreeMap;

use crate::http::exchange::IfMatch;
use crate::orders::model::Course;
use crate::values::clock::Time;
use crate::values::event::Stamp;
use crate::values::id::{OrderId, ProductId};

use super::model::{
    Place, Reservation, ReservationStatus, ReservedLine, Stock, StockError, reservation_aggregate,
    stock_aggregate,
};

/// How many of a product there are at all its places.
#[must_use]
pub fn reserved(stocks: &[Stock]) -> u64 {
    stocks.iter().map(|stock| stock.reserved).sum()
}

/// The entity tag of all stock of a product: `<version>-<reserved>`, because reservations change
/// what `GET` answers and leave the version alone.
#[must_use]
pub fn tag(stocks: &[Stock]) -> String {
    let version: u64 = stocks.iter().map(|stock| stock.version).sum();
    format!("{version}-{}", reserved(stocks))
}

/// What setting the stock of a product comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Adjustment {
    /// There is as much already.
    None,
    /// This is its first stock.
    First(Stock),
    /// This is its next state, if nothing was set in between.
    Next(Stock),
}

/// `on_hand` of `product_id`, whose stock is `stocks`, at the main place.
///
/// # Errors
/// [`StockError::Stale`] if `expected` is another state, [`StockError::BelowReserved`].
pub fn set_on_hand(
    product_id: ProductId,
    stocks: &[Stock],
    on_hand: u64,
    expected: &IfMatch,
    now: Time,
) -> Result<Adjustment, StockError> {
    let place = Place::main();
    let allowed = match expected {
        IfMatch::Any => true,
        IfMatch::Tags(_) => !stocks.is_empty() && expected.allows(&tag(stocks)),
    };
    if !allowed {
        return Err(StockError::Stale);
    }
    let Some(stock) = stocks.iter().find(|stock| stock.place == place) else {
        return Ok(Adjustment::First(first(product_id, on_hand, now)));
    };
    if stock.on_hand() == on_hand {
        return Ok(Adjustment::None);
    }
    let Some(available) = on_hand.checked_sub(stock.reserved) else {
        let reserved = stock.reserved;
        return Err(StockError::BelowReserved { reserved });
    };
    let version = stock.version + 1;
    let updated_at = now.no_earlier_than(stock.updated_at);
    Ok(Adjustment::Next(Stock {
        available,
        version,
        updated_at,
        event: adjusted(product_id, &place, version, updated_at),
        ..stock.clone()
    }))
}

/// The first stock of a product, at the main place.
#[must_use]
pub fn first(product_id: ProductId, on_hand: u64, now: Time) -> Stock {
    let place = Place::main();
    Stock {
        event: adjusted(product_id, &place, 1, now),
        product_id,
        place,
        available: on_hand,
        reserved: 0,
        version: 1,
        updated_at: now,
    }
}

fn adjusted(product_id: ProductId, place: &Place, version: u64, at: Time) -> Stamp {
    let aggregate = stock_aggregate(product_id, place);
    Stamp::new(aggregate, version, "StockAdjusted", at)
}

/// Why a step of the workflow goes another way, or cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    /// The order is confirmed or beyond.
    #[error("the order is confirmed")]
    AlreadyConfirmed,
    /// The order has failed or is cancelled, or its stock is given back.
    #[error("the order has failed or is cancelled")]
    AlreadyClosed,
    /// The order's deadline has passed and nothing is held for it.
    #[error("the order was not decided in time")]
    Expired,
    /// The order has no outcome yet: this step came too early.
    #[error("the order is still pending")]
    StillPending,
    /// The order is confirmed though nothing was ever held for it.
    #[error("nothing is held for the confirmed order")]
    NothingHeld,
}

/// What is left to do for a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// Nothing.
    Done,
    /// Take the stock.
    Take,
}

/// What `reserve-inventory` has to do for an order that goes the `course`, by its reservation.
/// Nothing new begins after the deadline.
///
/// # Errors
/// [`Stop`].
pub fn hold(
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
        (None, Course::Undecided) => Ok(Hold::Take),
    }
}

/// The commitment that `commit-inventory` has to store for an order that goes the `course`; `None` if
/// nothing is left to do.
///
/// # Errors
/// [`Stop`].
pub fn commit(
    found: Option<&Reservation>,
    course: Course,
    now: Time,
) -> Result<Option<Reservation>, Stop> {
    match course {
        Course::Closed => return Err(Stop::AlreadyClosed),
        Course::Undecided => return Err(Stop::StillPending),
        Course::Confirmed => {}
    }
    let found = found.ok_or(Stop::NothingHeld)?;
    match found.status {
        ReservationStatus::Held => Ok(Some(next(found, ReservationStatus::Committed, now))),
        ReservationStatus::Committed | ReservationStatus::Shipped => Ok(None),
        ReservationStatus::Released => Err(Stop::AlreadyClosed),
    }
}

/// What is left to do for a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Release {
    /// Nothing.
    Done,
    /// Give the stock of this reservation back, and store it.
    GiveBack(Reservation),
    /// Store that nothing will ever be held, so that a run that was asleep cannot hold it now.
    Bar(Reservation),
}

/// What `release-inventory` has to do for the order `order_id`, which goes the `course`.
///
/// # Errors
/// [`Stop`].
pub fn release(
    order_id: OrderId,
    found: Option<&Reservation>,
    course: Course,
    now: Time,
) -> Result<Release, Stop> {
    match course {
        Course::Confirmed => return Err(Stop::AlreadyConfirmed),
        Course::Undecided => return Err(Stop::StillPending),
        Course::Closed => {}
    }
    let released = ReservationStatus::Released;
    let Some(found) = found else {
        return Ok(Release::Bar(reservation(order_id, released, [], now)));
    };
    Ok(match found.status {
        ReservationStatus::Held | ReservationStatus::Committed => {
            Release::GiveBack(next(found, released, now))
        }
        ReservationStatus::Released | ReservationStatus::Shipped => Release::Done,
    })
}

/// The first version of an order's reservation: held with `quantities`, those of one product added
/// up; or barred ([`ReservationStatus::Released`]).
#[must_use]
pub fn reservation(
    order_id: OrderId,
    status: ReservationStatus,
    quantities: impl IntoIterator<Item = (ProductId, u32)>,
    now: Time,
) -> Reservation {
    let mut merged: BTreeMap<ProductId, u64> = BTreeMap::new();
    for (product_id, quantity) in quantities {
        *merged.entry(product_id).or_default() += u64::from(quantity);
    }
    let lines = merged
        .into_iter()
        .map(|(product_id, quantity)| ReservedLine {
            product_id,
            place: Place::main(),
            quantity,
        });
    Reservation {
        order_id,
        status,
        lines: lines.collect(),
        version: 1,
        created_at: now,
        updated_at: now,
        event: changed(order_id, status, 1, now),
    }
}

/// The version after `reservation`, with `status`.
#[must_use]
pub fn next(reservation: &Reservation, status: ReservationStatus, now: Time) -> Reservation {
    let version = reservation.version + 1;
    let updated_at = now.no_earlier_than(reservation.updated_at);
    Reservation {
        status,
        version,
        updated_at,
        event: changed(reservation.order_id, status, version, updated_at),
        ..reservation.clone()
    }
}

fn changed(order_id: OrderId, status: ReservationStatus, version: u64, at: Time) -> Stamp {
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
