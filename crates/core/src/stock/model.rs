//! The stock of a variant, and where it is.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::values::clock::Time;
use crate::values::event::Stamp;
use crate::values::id::VariantId;

/// The place of stock: a location, and one of the shards into which the stock of a popular variant is split.
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
    /// Returns the place that every variant's stock has by default.
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

/// Returns the aggregate id of a variant's stock at `place` in events. A product's id is the aggregate id of
/// the catalogue's events.
#[must_use]
pub fn stock_aggregate(variant_id: VariantId, place: &Place) -> String {
    format!("stock#{variant_id}#{place}")
}

/// Returns the variant of the stock with the id `aggregate`, or `None` if it is not an id of stock.
#[must_use]
pub fn variant_of_stock(aggregate: &str) -> Option<VariantId> {
    let mut parts = aggregate.split('#');
    parts.next().filter(|kind| *kind == "stock")?;
    parts.next()?.parse().ok()
}

/// The stock of a variant at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stock {
    /// The variant.
    pub variant_id: VariantId,
    /// The place.
    pub place: Place,
    /// How many can be reserved: those on hand and those on backorder, less those that are reserved.
    pub available: u64,
    /// How many are reserved for orders.
    pub reserved: u64,
    /// How many may be sold before they are on hand.
    pub backorder: u64,
    /// How often `on_hand` or `backorder` was set, from 1; reservations do not count.
    pub version: u64,
    /// When one of them was last set.
    pub updated_at: Time,
    /// Its last event, number `version`.
    pub event: Stamp,
}

impl Stock {
    /// Returns how many are on hand.
    #[must_use]
    pub fn on_hand(&self) -> u64 {
        let sellable = self.available.saturating_add(self.reserved);
        sellable.saturating_sub(self.backorder)
    }

    /// Returns whether shoppers can have the variant, which is low if at most `low_level` are left on hand.
    #[must_use]
    pub fn availability(&self, low_level: u64) -> Availability {
        if self.available == 0 {
            return Availability::OutOfStock;
        }
        match self.left_on_hand() {
            0 => Availability::Backorder,
            left if left <= low_level => Availability::Low,
            _ => Availability::InStock,
        }
    }

    /// Returns how many of those on hand are not reserved.
    #[must_use]
    pub fn left_on_hand(&self) -> u64 {
        self.available.saturating_sub(self.backorder)
    }
}

/// Whether shoppers can have a variant, as its stock says; the best comes first.
///
/// Wire and stored shape: `in_stock`, `low`, `backorder`, `out_of_stock`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Availability {
    /// There is enough of it.
    InStock,
    /// Few are left.
    Low,
    /// None is left, but it can be ordered, and is sent when it comes in.
    Backorder,
    /// It cannot be ordered.
    OutOfStock,
}
