//! Postal addresses, and how they are stored.

use celes::Country;
use serde::{Deserialize, Serialize};

use super::tax_number::TaxNumber;

mod rules;

pub(crate) use rules::Rules;

/// Where a parcel goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Who receives it.
    pub recipient: String,
    /// The business at the address.
    pub company: Option<String>,
    /// Street and number.
    pub line1: String,
    /// More that the carrier needs.
    pub line2: Option<String>,
    /// Town.
    pub city: String,
    /// State, province or county, where addresses have one.
    pub region: Option<String>,
    /// Postal code, as it is written in its country, where addresses have one.
    pub postal_code: Option<String>,
    /// Two capital letters (ISO 3166-1 alpha-2).
    pub country: String,
    /// For the carrier, in E.164.
    pub phone: Option<String>,
    /// Of the business that the goods are for.
    pub tax_number: Option<TaxNumber>,
}

impl Address {
    /// Returns what is left of the address when it is erased: the country, for the books.
    #[must_use]
    pub fn erased(&self) -> Self {
        Self {
            recipient: String::new(),
            company: None,
            line1: String::new(),
            line2: None,
            city: String::new(),
            region: None,
            postal_code: None,
            country: self.country.clone(),
            phone: None,
            tax_number: None,
        }
    }

    /// Returns whether nothing but the country is left of the address, or was ever given.
    #[must_use]
    pub fn is_erased(&self) -> bool {
        *self == self.erased()
    }
}

/// Returns whether `text` is a country's two capital letters (ISO 3166-1 alpha-2).
pub(crate) fn is_country(text: &str) -> bool {
    Country::from_alpha2(text).is_ok_and(|country| country.alpha2 == text)
}

/// An address as it is stored inside an item.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct AddressItem {
    recipient: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    company: Option<String>,
    line1: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    line2: Option<String>,
    city: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    region: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    postal_code: Option<String>,
    country: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tax_number: Option<TaxNumber>,
}

impl From<AddressItem> for Address {
    fn from(item: AddressItem) -> Self {
        Self {
            recipient: item.recipient,
            company: item.company,
            line1: item.line1,
            line2: item.line2,
            city: item.city,
            region: item.region,
            // An erased address had an empty one.
            postal_code: item.postal_code.filter(|text| !text.is_empty()),
            country: item.country,
            phone: item.phone,
            tax_number: item.tax_number,
        }
    }
}

impl From<Address> for AddressItem {
    fn from(address: Address) -> Self {
        Self {
            recipient: address.recipient,
            company: address.company,
            line1: address.line1,
            line2: address.line2,
            city: address.city,
            region: address.region,
            postal_code: address.postal_code,
            country: address.country,
            phone: address.phone,
            tax_number: address.tax_number,
        }
    }
}
