//! How lists of products are sorted.

use std::str::FromStr;

use icu_collator::options::CollatorOptions;
use icu_collator::{CollatorBorrowed, CollatorPreferences};
use serde::{Deserialize, Serialize};

use crate::aws::dynamo::StoreError;
use crate::values::digest::hex;
use crate::values::id::ProductId;
use crate::values::money::Money;

/// The most bytes of a name's collation key that are stored. Names that are the same as far as these go, about the first
/// 50 letters or 40 Chinese characters, follow each other by their identifier.
const MOST_KEY_BYTES: usize = 150;

/// The order of a list of products.
///
/// Wire and stored shape: `newest`, `name`, `price`, `-price`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Sort {
    /// By the time of creation, the last first.
    #[default]
    Newest,
    /// By name, as the Unicode Collation Algorithm sorts texts of all languages.
    Name,
    /// By price, without sales, the lowest first.
    Price,
    /// By price, without sales, the highest first.
    HighestPrice,
}

impl Sort {
    const ALL: [Self; 4] = [Self::Newest, Self::Name, Self::Price, Self::HighestPrice];

    /// Returns the text on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Newest => "newest",
            Self::Name => "name",
            Self::Price => "price",
            Self::HighestPrice => "-price",
        }
    }

    /// Returns whether the highest sort key comes first.
    #[must_use]
    pub fn descending(self) -> bool {
        match self {
            Self::Newest | Self::HighestPrice => true,
            Self::Name | Self::Price => false,
        }
    }
}

/// A text that is not an order of products.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this must be newest, name, price or -price")]
pub struct InvalidSort;

impl FromStr for Sort {
    type Err = InvalidSort;

    fn from_str(text: &str) -> Result<Self, InvalidSort> {
        let found = Self::ALL.into_iter().find(|sort| sort.as_str() == text);
        found.ok_or(InvalidSort)
    }
}

impl TryFrom<String> for Sort {
    type Error = InvalidSort;

    fn try_from(text: String) -> Result<Self, InvalidSort> {
        text.parse()
    }
}

impl From<Sort> for String {
    fn from(sort: Sort) -> Self {
        sort.as_str().to_owned()
    }
}

/// Returns the place of the product `id` called `name` in lists by name: `<collation key in hexadecimal>#<product_id>`. The
/// key is that of the root collation of CLDR, which suits all languages that do not sort some letters in a way of their own.
///
/// # Errors
/// [`StoreError::Unreadable`] if the collation's data is not part of the program.
pub(super) fn name_position(name: &str, id: ProductId) -> Result<String, StoreError> {
    let collator =
        CollatorBorrowed::try_new(CollatorPreferences::default(), CollatorOptions::default());
    let collator = collator.map_err(StoreError::unreadable)?;
    let mut key = Vec::new();
    let Ok(()) = collator.write_sort_key_to(name, &mut key);
    key.truncate(MOST_KEY_BYTES);
    Ok(format!("{}#{id}", hex(&key)))
}

/// Returns the place of the product `id` in lists by `price`: `<minor units in 20 digits>#<product_id>`.
///
/// # Errors
/// [`StoreError::Unreadable`] if the price is below zero, which none is.
pub(super) fn price_position(price: Money, id: ProductId) -> Result<String, StoreError> {
    let units = price.minor_units();
    let units = units.ok_or_else(|| StoreError::unreadable("a price below zero"))?;
    Ok(format!("{units:020}#{id}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u32) -> ProductId {
        ProductId::derived(&[&number.to_string()])
    }

    /// The order is that of the root collation, with the scripts in the order of the Unicode Collation Algorithm's table.
    #[test]
    fn names_are_sorted_as_people_read_them() {
        let names = [
            "10 filters",
            "Äpfel",
            "apple",
            "Apple",
            "Birne",
            "éclair",
            "Zitrone",
            "Ωμέγα",
            "Борщ",
            "תה",
            "شاي",
            "चाय",
            "ชา",
            "녹차",
            "あずき",
            "さくら",
            "煎茶",
        ];
        let mut sorted = names;
        sorted.sort_by_cached_key(|name| name_position(name, id(1)).unwrap());
        assert_eq!(sorted, names);
    }

    #[test]
    fn the_place_of_the_longest_name_fits_in_a_key_and_in_a_cursor() {
        let longest = ["W", "ﷺ", "鬱", "🏴"].map(|text| text.repeat(255));
        for name in longest {
            let position = name_position(&name, id(1)).unwrap();
            assert!(position.len() <= 2 * MOST_KEY_BYTES + 37, "{position}");
        }
        assert!(
            name_position("", id(1))
                .unwrap()
                .ends_with(&id(1).to_string())
        );
    }

    #[test]
    fn prices_are_sorted_by_what_they_are() {
        let euro = "EUR".parse().unwrap();
        let place = |units| price_position(Money::from_minor_units(units, euro).unwrap(), id(1));
        let mut places = [900, 1_000, 99_999, 100_000, 1].map(|units| place(units).unwrap());
        places.sort();
        let units = places.map(|place| place.split('#').next().unwrap().parse::<u64>().unwrap());
        assert_eq!(units, [1, 900, 1_000, 99_999, 100_000]);
    }

    #[test]
    fn a_sort_is_read_as_it_is_written() {
        for sort in Sort::ALL {
            assert_eq!(sort.as_str().parse(), Ok(sort));
        }
        assert_eq!("Price".parse::<Sort>(), Err(InvalidSort));
    }
}
