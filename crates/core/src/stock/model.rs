//! The stock of a product, and where it is.

use std::fmt;
use std::str::FromStr;

use crate::values::clock::Time;
use crate::values::event::Stamp;
use crate::values::id::ProductId;

/// The place of stock: a location, and one of the shards into which the stock of a popular product is split.
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
    /// Returns the place that every product's stock has by default.
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

/// A text that is not a [`Place`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a place of stock")]
pub struct InvalidPlace;

impl FromStr for Place {
    type Err = InvalidPlace;

    fn from_str(text: &str) -> Result<Self, InvalidPlace> {
        let (location, shard) = text.rsplit_once('#').ok_or(InvalidPlace)?;
        Ok(Self {
            location: location.to_owned(),
            shard: shard.parse().map_err(|_| InvalidPlace)?,
        })
    }
}

/// Returns the aggregate id of a product's stock at `place` in events. The product's own id is the aggregate id of
/// the catalogue's events.
#[must_use]
pub fn stock_aggregate(product_id: ProductId, place: &Place) -> String {
    format!("stock#{product_id}#{place}")
}

/// Returns the product of the stock with the id `aggregate`, or `None` if it is not an id of stock.
#[must_use]
pub fn product_of_stock(aggregate: &str) -> Option<ProductId> {
    let mut parts = aggregate.split('#');
    parts.next().filter(|kind| *kind == "stock")?;
    parts.next()?.parse().ok()
}

/// The stock of a product at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stock {
    /// The product.
    pub product_id: ProductId,
    /// The place.
    pub place: Place,
    /// How many can be reserved.
    pub available: u64,
    /// How many are reserved for orders.
    pub reserved: u64,
    /// How often `on_hand` was set, from 1; reservations do not count.
    pub version: u64,
    /// When `on_hand` was last set.
    pub updated_at: Time,
    /// Its last event, number `version`.
    pub event: Stamp,
}

impl Stock {
    /// Returns how many are on hand.
    #[must_use]
    pub fn on_hand(&self) -> u64 {
        self.available.saturating_add(self.reserved)
    }
}
