//! What stock and reservations are.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::aws::dynamo::StoreError;
use crate::http::problem::Problem;
use crate::values::clock::Time;
use crate::values::event::Stamp;
use crate::values::id::{OrderId, ProductId};

/// Where stock lies: a location, and one of the shards that a hot product's stock is split in.
///
/// Stored shape: `<location>#<shard>`, such as `main#0`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The location.
    pub location: String,
    /// The shard, from 0.
    pub shard: u32,
}

impl Place {
    /// The one place there is until more are asked for.
    #[must_use]
    pub fn main() -> Self {
        Self {
            location: "main".to_owned(),
            shard: 0,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.location, self.shard)
    }
}

/// A text that is no [`Place`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a place of stock")]
pub struct NotAPlace;

impl FromStr for Place {
    type Err = NotAPlace;

    fn from_str(text: &str) -> Result<Self, NotAPlace> {
        let (location, shard) = text.rsplit_once('#').ok_or(NotAPlace)?;
        Ok(Self {
            location: location.to_owned(),
            shard: shard.parse().map_err(|_| NotAPlace)?,
        })
    }
}

/// The aggregate that a place's stock of a product is in events. A product's own identifier is the
/// catalogue's aggregate.
#[must_use]
pub fn stock_aggregate(product_id: ProductId, place: &Place) -> String {
    format!("stock#{product_id}#{place}")
}

/// The aggregate that an order's reservation is in events.
#[must_use]
pub fn reservation_aggregate(order_id: OrderId) -> String {
    format!("reservation#{order_id}")
}

/// The product whose stock at some place is `aggregate`; `None` if it is none.
#[must_use]
pub fn stock_of(aggregate: &str) -> Option<ProductId> {
    let mut parts = aggregate.split('#');
    parts.next().filter(|kind| *kind == "stock")?;
    parts.next()?.parse().ok()
}

/// What there is of a product at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stock {
    /// The product.
    pub product_id: ProductId,
    /// Where.
    pub place: Place,
    /// How many may be promised to orders.
    pub available: u64,
    /// How many are promised to orders.
    pub reserved: u64,
    /// How often what is on hand was set, from 1; reservations do not count.
    pub version: u64,
    /// When what is on hand was last set.
    pub updated_at: Time,
    /// Its last event, number `version`.
    pub event: Stamp,
}

impl Stock {
    /// How many there are.
    #[must_use]
    pub fn on_hand(&self) -> u64 {
        self.available.saturating_add(self.reserved)
    }
}

/// How far a reservation is.
///
/// Stored shape: `held`, `committed`, `released`, `shipped`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReservationStatus {
    /// The stock is kept for an order that is not confirmed yet.
    Held,
    /// The stock is kept for a confirmed order.
    Committed,
    /// The stock is given back; nothing will ever be held for this order again.
    Released,
    /// The stock has left.
    Shipped,
}

impl ReservationStatus {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Held, Self::Committed, Self::Released, Self::Shipped];

    /// Whether its stock is reserved.
    #[must_use]
    pub fn is_open(self) -> bool {
        match self {
            Self::Held | Self::Committed => true,
            Self::Released | Self::Shipped => false,
        }
    }
}

/// How many of a product are kept, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReservedLine {
    /// The product.
    pub product_id: ProductId,
    /// Where they lie.
    pub place: Place,
    /// How many.
    pub quantity: u64,
}

/// What is kept for an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reservation {
    /// The order.
    pub order_id: OrderId,
    /// How far it is.
    pub status: ReservationStatus,
    /// What; once released, what it was. Empty if the order ended before anything was held.
    pub lines: Vec<ReservedLine>,
    /// How often it has changed, from 1.
    pub version: u64,
    /// When it was made.
    pub created_at: Time,
    /// When it last changed.
    pub updated_at: Time,
    /// Its last event, number `version`.
    pub event: Stamp,
}

/// Why stock cannot be read or set.
#[derive(Debug, thiserror::Error)]
pub enum StockError {
    /// There is none of this product, not even zero.
    #[error("there is no stock of this product")]
    NotFound,
    /// It has changed since it was read.
    #[error("the stock has changed since it was read")]
    Stale,
    /// More are reserved than there would be.
    #[error("{reserved} are reserved for orders: on_hand cannot be less")]
    BelowReserved {
        /// How many are reserved.
        reserved: u64,
    },
    /// The database gave no answer.
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
