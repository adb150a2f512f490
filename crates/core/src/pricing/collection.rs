//! The collections of tax rates, of shipping methods and of price lists. Each is read and replaced as a whole, so that
//! several entries change at once.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::lists::{MOST_LISTS, PriceList};
use super::model::DiscountSettings;
use super::shipping::ShippingMethod;
use super::tax::settings::{TaxRate, TaxTerms};
use crate::http::exchange::IfMatch;
use crate::values::clock::Time;
use crate::values::event::Stamp;

/// The most entries of most collections.
pub const MAX_ENTRIES: usize = 200;

/// An entry of a collection.
pub trait Entry: Clone + PartialEq + Serialize + DeserializeOwned {
    /// What is set for the collection as a whole.
    type Terms: Clone + Default + PartialEq + Serialize + DeserializeOwned;

    /// The collection's name: its key, its path and the aggregate of its events.
    const COLLECTION: &str;
    /// The type of the event of a change.
    const CHANGED: &str;
    /// The fault of an entry that has the key of an earlier one.
    const REPEATED: &str;
    /// The most entries of the collection.
    const MOST: usize = MAX_ENTRIES;

    /// Returns the entry's key, which is unique in its collection.
    fn key(&self) -> String;
}

impl Entry for TaxRate {
    type Terms = TaxTerms;

    const COLLECTION: &str = "tax-rates";
    const CHANGED: &str = "TaxRatesChanged";
    const REPEATED: &str = "an earlier rate is for the same place, category and component";

    fn key(&self) -> String {
        let region = self.region.as_deref().unwrap_or_default();
        let category = self.category.as_ref().map(ToString::to_string);
        let category = category.unwrap_or_default();
        let component = self.component.as_deref().unwrap_or_default();
        let region = region.to_lowercase();
        let codes = self.postal_codes.iter().map(ToString::to_string);
        let codes = codes.collect::<Vec<_>>().join(",");
        format!("{}/{region}/{codes}/{category}/{component}", self.country)
    }
}

impl Entry for ShippingMethod {
    type Terms = NoTerms;

    const COLLECTION: &str = "shipping-methods";
    const CHANGED: &str = "ShippingMethodsChanged";
    const REPEATED: &str = "an earlier method has this id";

    fn key(&self) -> String {
        self.id.clone()
    }
}

impl Entry for PriceList {
    type Terms = NoTerms;

    const COLLECTION: &str = "price-lists";
    const CHANGED: &str = "PriceListsChanged";
    const REPEATED: &str = "an earlier list has this id";
    const MOST: usize = MOST_LISTS;

    fn key(&self) -> String {
        self.id.clone()
    }
}

/// Nothing is set for the collection as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoTerms {}

impl Entry for DiscountSettings {
    type Terms = NoTerms;

    const COLLECTION: &str = "discount-settings";
    const CHANGED: &str = "DiscountSettingsChanged";
    const REPEATED: &str = "the settings are there already";

    fn key(&self) -> String {
        String::new()
    }
}

/// All tax rates, all shipping methods, or all price lists. The settings of discounts are a collection of one or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collection<T: Entry> {
    /// What is set for all of them.
    pub terms: T::Terms,
    /// The entries, in the order in which an admin listed them.
    pub entries: Vec<T>,
    /// The version, which grows by 1 with each change; 0 if the collection was never written.
    pub version: u64,
    /// The event of the last change, if there was one.
    pub event: Option<Stamp>,
}

impl<T: Entry> Default for Collection<T> {
    fn default() -> Self {
        Self {
            terms: T::Terms::default(),
            entries: Vec::new(),
            version: 0,
            event: None,
        }
    }
}

/// Returns the entity tag of a collection: its version.
#[must_use]
pub fn tag<T: Entry>(collection: &Collection<T>) -> String {
    collection.version.to_string()
}

/// Returns the index of the first entry that has the key of an earlier one.
#[must_use]
pub fn find_repeated<T: Entry>(entries: &[T]) -> Option<usize> {
    let mut seen = BTreeSet::new();
    entries.iter().position(|entry| !seen.insert(entry.key()))
}

/// The collection has changed since it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the entries have changed since they were read")]
pub struct Stale;

/// Returns the next version of `collection`, which has `terms` and `entries`, and the event of the change; `None` if
/// the collection has these already.
///
/// # Errors
/// Returns [`Stale`] if `expected` names another version.
pub fn replace<T: Entry>(
    collection: &Collection<T>,
    terms: T::Terms,
    entries: Vec<T>,
    expected: &IfMatch,
    now: Time,
) -> Result<Option<(Collection<T>, Stamp)>, Stale> {
    let unchanged = collection.entries == entries && collection.terms == terms;
    if unchanged && collection.version > 0 {
        return Ok(None);
    }
    if !expected.allows(&tag(collection)) {
        return Err(Stale);
    }
    let version = collection.version + 1;
    let at = collection
        .event
        .as_ref()
        .map_or(now, |event| now.no_earlier_than(event.at));
    let next = Collection {
        terms,
        entries,
        version,
        event: None,
    };
    Ok(Some((
        next,
        Stamp::new(T::COLLECTION, version, T::CHANGED, at),
    )))
}
