//! Tax rates and shipping methods: each all together one thing, read and replaced as a whole, so that a
//! change of several rates is one change.

use std::collections::BTreeSet;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::shipping::ShippingMethod;
use super::tax::TaxRate;
use crate::http::exchange::IfMatch;
use crate::values::clock::Time;
use crate::values::event::Stamp;

/// The most entries of a sheet.
pub const MOST: usize = 200;

/// What a sheet has entries of.
pub trait Entry: Clone + PartialEq + Serialize + DeserializeOwned {
    /// The sheet's name: its key, its path and the aggregate of its events.
    const SHEET: &str;
    /// The event of its changes.
    const CHANGED: &str;

    /// What no two entries of a sheet share.
    fn key(&self) -> String;
}

impl Entry for TaxRate {
    const SHEET: &str = "tax-rates";
    const CHANGED: &str = "TaxRatesChanged";

    fn key(&self) -> String {
        let region = self.region.as_deref().unwrap_or_default();
        let category = self.category.as_ref().map(ToString::to_string);
        let category = category.unwrap_or_default();
        format!("{}/{}/{category}", self.country, region.to_lowercase())
    }
}

impl Entry for ShippingMethod {
    const SHEET: &str = "shipping-methods";
    const CHANGED: &str = "ShippingMethodsChanged";

    fn key(&self) -> String {
        self.id.clone()
    }
}

/// All entries of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet<T> {
    /// The entries, as they were given.
    pub entries: Vec<T>,
    /// Counts its changes; 0 if it was never written.
    pub version: u64,
    /// Its last event.
    pub event: Option<Stamp>,
}

impl<T> Default for Sheet<T> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            version: 0,
            event: None,
        }
    }
}

/// The entity tag of a sheet: its version.
#[must_use]
pub fn tag<T>(sheet: &Sheet<T>) -> String {
    sheet.version.to_string()
}

/// Where in `entries` one has the key of an earlier one.
#[must_use]
pub fn repeated<T: Entry>(entries: &[T]) -> Option<usize> {
    let mut seen = BTreeSet::new();
    entries.iter().position(|entry| !seen.insert(entry.key()))
}

/// A sheet is not what was expected: somebody else has changed it since it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the entries have changed since they were read")]
pub struct Stale;

/// `sheet` with `entries` in place of its own, and the event of the change; `None` if it has them
/// already.
///
/// # Errors
/// [`Stale`] if `expected` is another version.
pub fn replace<T: Entry>(
    sheet: &Sheet<T>,
    entries: Vec<T>,
    expected: &IfMatch,
    now: Time,
) -> Result<Option<(Sheet<T>, Stamp)>, Stale> {
    if sheet.entries == entries && sheet.version > 0 {
        return Ok(None);
    }
    if !expected.allows(&tag(sheet)) {
        return Err(Stale);
    }
    let version = sheet.version + 1;
    let at = sheet
        .event
        .as_ref()
        .map_or(now, |event| now.no_earlier_than(event.at));
    let next = Sheet {
        entries,
        version,
        event: None,
    };
    Ok(Some((next, Stamp::new(T::SHEET, version, T::CHANGED, at))))
}
