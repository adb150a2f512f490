//! Tax: which rates apply ([`settings`]), what prices are where an order goes ([`place`]), and how much tax is due
//! ([`calculation`]).

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::model::Rate;
use crate::values::address::Address;
use crate::values::money::Money;
use crate::values::tax_number::TaxNumber;

pub mod calculation;
pub mod place;
pub mod registry;
pub mod settings;

/// The part of an order's address that prices depend on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destination {
    /// Two capital letters (ISO 3166-1 alpha-2).
    pub country: String,
    /// State, province or county, as written in the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The postal code, as written in the address. A quote may do without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// The tax number of the business that the goods are for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_number: Option<TaxNumber>,
}

impl From<&Address> for Destination {
    fn from(address: &Address) -> Self {
        Self {
            country: address.country.clone(),
            region: address.region.clone(),
            postal_code: address.postal_code.clone(),
            tax_number: address.tax_number.clone(),
        }
    }
}

impl Destination {
    /// Returns whether `other` is the same place, as far as this one says.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let postal_code = self.postal_code.as_ref();
        self.country == other.country
            && self.region == other.region
            && self.tax_number == other.tax_number
            && postal_code.is_none_or(|code| Some(code) == other.postal_code.as_ref())
    }
}

/// A tax on a line or on shipping.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tax {
    /// The name that customers see.
    pub name: String,
    /// The rate.
    pub rate: Rate,
    /// Whether the price includes the tax.
    pub included: bool,
    /// The taxable amount, without the tax. That of a compound tax contains the other taxes.
    pub base: Money,
    /// The amount of tax.
    pub amount: Money,
}

impl Tax {
    /// Returns whether `other` is the same tax, on another part of an order.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        (&self.name, self.rate, self.included) == (&other.name, other.rate, other.included)
    }

    /// Returns whether no amount is negative, and the amount is what the rate gives on the base, but for
    /// rounding: of the amount, of other taxes that the base contains or lacks, and of the shares of an amount
    /// that was rounded for the whole order. Together these are less than five of the smallest units for each of the
    /// `shares` of the price that were taxed apart.
    #[must_use]
    pub fn is_consistent(&self, shares: usize) -> bool {
        let exact = self.base.amount().checked_mul(self.rate.as_decimal());
        let tolerance = Decimal::new(5, self.amount.currency().exponent()) * Decimal::from(shares);
        let near = exact.is_some_and(|exact| (self.amount.amount() - exact).abs() <= tolerance);
        let negative = self.base.minor_units().is_none() || self.amount.minor_units().is_none();
        near && !negative
    }

    /// Returns what the tax adds to the price: zero if the price includes it.
    #[must_use]
    pub fn added(&self) -> Money {
        if self.included {
            Money::zero(self.amount.currency())
        } else {
            self.amount
        }
    }
}
