//! Reservations.

use serde::{Deserialize, Serialize};

use crate::aws::dynamo::StoreError;
use crate::http::problem::Problem;
use crate::stock::model::Place;
use crate::values::clock::Time;
use crate::values::event::Stamp;
use crate::values::id::{OrderId, VariantId};

/// The type of the event that pieces of a reservation have come back into stock.
pub const RESTOCKED: &str = "InventoryRestocked";

/// Returns the aggregate id of an order's reservation in events.
#[must_use]
pub fn reservation_aggregate(order_id: OrderId) -> String {
    format!("reservation#{order_id}")
}

/// Returns the order of the reservation with the id `aggregate`, or `None` if it is not an id of a reservation.
#[must_use]
pub fn order_of_reservation(aggregate: &str) -> Option<OrderId> {
    aggregate.strip_prefix("reservation#")?.parse().ok()
}

/// The status of a reservation.
///
/// Stored shape: `held`, `committed`, `released`, `shipped`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReservationStatus {
    /// The stock is reserved for an order that is not confirmed yet.
    Held,
    /// The stock is reserved for a confirmed order.
    Committed,
    /// The stock is available again. Nothing can be held for this order any more.
    Released,
    /// The stock has been shipped.
    Shipped,
}

impl ReservationStatus {
    /// Every status.
    pub const ALL: [Self; 4] = [Self::Held, Self::Committed, Self::Released, Self::Shipped];

    /// Returns whether its stock is still reserved.
    #[must_use]
    pub fn is_open(self) -> bool {
        match self {
            Self::Held | Self::Committed => true,
            Self::Released | Self::Shipped => false,
        }
    }
}

/// The reserved stock of one variant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReservedLine {
    /// The variant.
    pub variant_id: VariantId,
    /// The place of the stock.
    pub place: Place,
    /// How many.
    pub quantity: u64,
    /// How many of them refunds have brought back into stock.
    pub restocked: u64,
}

impl ReservedLine {
    /// Returns how many are reserved for the order, or have gone to its customer.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.quantity.saturating_sub(self.restocked)
    }
}

/// The stock that is reserved for an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reservation {
    /// The order.
    pub order_id: OrderId,
    /// Its status.
    pub status: ReservationStatus,
    /// The reserved stock, which a released reservation keeps on record. Empty if the order ended before
    /// anything was held.
    pub lines: Vec<ReservedLine>,
    /// How often it was written, from 1.
    pub version: u64,
    /// When it was created.
    pub created_at: Time,
    /// When it last changed.
    pub updated_at: Time,
    /// Its last event, number `version`.
    pub event: Stamp,
}

/// Pieces that come back into stock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restock {
    /// The reservation as it is then.
    pub reservation: Reservation,
    /// The lines of which pieces come back, in the order of the reservation's, with how many pieces that is.
    pub pieces: Vec<(ReservedLine, u64)>,
}

/// Why stock cannot be read or set.
#[derive(Debug, thiserror::Error)]
pub enum StockError {
    /// The variant has no stock item, not even one of zero.
    #[error("there is no stock of this variant")]
    NotFound,
    /// The stock has changed since it was read.
    #[error("the stock has changed since it was read")]
    Stale,
    /// More are reserved than would be on hand.
    #[error("{reserved} are reserved for orders. Set on_hand to {least} or more.")]
    BelowReserved {
        /// The number of reserved pieces.
        reserved: u64,
        /// The number that has to be on hand beside those on backorder.
        least: u64,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<StockError> for Problem {
    fn from(error: StockError) -> Self {
        match error {
            StockError::NotFound => Self::NotFound("stock"),
            StockError::Stale => Self::PreconditionFailed,
            StockError::BelowReserved { .. } => Self::Conflict(error.to_string()),
            StockError::Store(error) => error.into(),
        }
    }
}
