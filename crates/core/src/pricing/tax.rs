//! Tax: which rate applies, and how much tax it gives.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::model::Rate;
use crate::catalog::model::Category;
use crate::values::money::{Money, MoneyError};

/// The category of a rate for shipping, for shops whose shipping is not taxed at the general rate.
pub const SHIPPING: &str = "shipping";

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
}

impl Destination {
    /// Returns whether `other` is the same place, as far as this one says.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let postal_code = self.postal_code.as_ref();
        self.country == other.country
            && self.region == other.region
            && postal_code.is_none_or(|code| Some(code) == other.postal_code.as_ref())
    }
}

/// A tax rate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxRate {
    /// The name that customers see, such as `VAT`.
    pub name: String,
    /// The country where the rate applies.
    pub country: String,
    /// The region where the rate applies, ignoring case, or `None` for the whole country.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The category the rate applies to, or `None` for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<Category>,
    /// The rate.
    pub rate: Rate,
    /// Whether prices include the tax. Included tax is shown, but not added to the total.
    pub included: bool,
}

impl TaxRate {
    fn applies_in(&self, destination: &Destination) -> bool {
        let in_region = match (&self.region, &destination.region) {
            (None, _) => true,
            (Some(region), Some(wanted)) => region.to_lowercase() == wanted.trim().to_lowercase(),
            (Some(_), None) => false,
        };
        self.country == destination.country && in_region
    }
}

/// Returns the most specific of `rates` for `category` in `destination`, or `None` if none applies. The
/// place weighs more than the category: a rate for the region takes precedence over one for the whole
/// country, and for the same place a rate for the category over the general one.
#[must_use]
pub fn find_rate<'a>(
    rates: &'a [TaxRate],
    destination: &Destination,
    category: &str,
) -> Option<&'a TaxRate> {
    let in_category = |rate: &TaxRate| match &rate.category {
        None => true,
        Some(wanted) => wanted.to_string() == category,
    };
    let found = rates
        .iter()
        .filter(|rate| rate.applies_in(destination) && in_category(rate));
    found.max_by_key(|rate| (rate.region.is_some(), rate.category.is_some()))
}

/// The tax on a line or on shipping.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tax {
    /// The name that customers see.
    pub name: String,
    /// The rate.
    pub rate: Rate,
    /// Whether the price includes the tax.
    pub included: bool,
    /// The taxable amount, without the tax.
    pub base: Money,
    /// The amount of tax.
    pub amount: Money,
}

impl Tax {
    /// Returns the tax at `rate` on `price`, which is after all discounts; rounded once, half to even.
    ///
    /// # Errors
    /// Returns [`MoneyError::TooLarge`] if an amount exceeds what [`Money`] can hold.
    pub fn from_price(price: Money, rate: &TaxRate) -> Result<Self, MoneyError> {
        let currency = price.currency();
        let part = rate.rate.as_decimal();
        let (base, amount) = if rate.included {
            let base = price.amount().checked_div(Decimal::ONE + part);
            let base = Money::rounded(base.ok_or(MoneyError::TooLarge)?, currency)?;
            (base, price.minus(base)?)
        } else {
            let amount = price.amount().checked_mul(part);
            let amount = Money::rounded(amount.ok_or(MoneyError::TooLarge)?, currency)?;
            (price, amount)
        };
        Ok(Self {
            name: rate.name.clone(),
            rate: rate.rate,
            included: rate.included,
            base,
            amount,
        })
    }

    /// Returns whether `other` is the same tax, on another part of an order.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        (&self.name, self.rate, self.included) == (&other.name, other.rate, other.included)
    }

    /// Returns whether no amount is negative, and the amount is what the rate gives on the base, but for
    /// rounding: of the base, of the amount, and of the shares of an amount that was rounded for the whole order.
    #[must_use]
    pub fn is_consistent(&self) -> bool {
        let exact = self.base.amount().checked_mul(self.rate.as_decimal());
        let tolerance = Decimal::new(2, self.amount.currency().exponent());
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pricing::fixtures::{eur, tax};

    fn destination(country: &str, region: Option<&str>) -> Destination {
        Destination {
            country: country.to_owned(),
            region: region.map(str::to_owned),
            postal_code: None,
        }
    }

    #[test]
    fn the_most_specific_rate_applies_and_the_place_outweighs_the_category() {
        let rates = [
            tax("DE", None, None, "0.19", true),
            tax("DE", None, Some("books"), "0.07", true),
            tax("US", Some("CA"), None, "0.0725", false),
            tax("US", None, Some("books"), "0.01", false),
            tax("US", Some("NY"), Some("books"), "0", false),
            tax("US", Some("NY"), None, "0.04", false),
        ];
        for (country, region, category, expected) in [
            ("DE", None, "tea", Some("0.19")),
            ("DE", Some("Bayern"), "books", Some("0.07")),
            ("US", Some("ca"), "books", Some("0.0725")),
            ("US", Some(" NY "), "books", Some("0")),
            ("US", Some("NY"), "tea", Some("0.04")),
            ("US", Some("TX"), "books", Some("0.01")),
            ("US", Some("TX"), "tea", None),
            ("FR", None, "tea", None),
        ] {
            let found = find_rate(&rates, &destination(country, region), category);
            let found = found.map(|found| found.rate.to_string());
            assert_eq!(
                found.as_deref(),
                expected,
                "{country} {region:?} {category}"
            );
        }
    }

    #[test]
    fn tax_is_rounded_once_half_to_even() {
        let excluded = tax("DE", None, None, "0.05", false);
        let added = Tax::from_price(eur("0.50"), &excluded).unwrap();
        assert_eq!((added.base, added.amount), (eur("0.50"), eur("0.02")));
        let included = tax("DE", None, None, "0.19", true);
        let shown = Tax::from_price(eur("119.00"), &included).unwrap();
        assert_eq!((shown.base, shown.amount), (eur("100.00"), eur("19.00")));
        assert_eq!(shown.added(), eur("0.00"));
        assert_eq!(added.added(), eur("0.02"));
    }

    #[test]
    fn a_rate_is_a_plain_decimal_from_0_to_1() {
        for (text, good) in [
            ("0", true),
            ("0.19", true),
            ("1", true),
            ("1.00", true),
            ("0.000001", true),
            ("1.01", false),
            ("-0.1", false),
            ("0.0000001", false),
            (".1", false),
            ("1.", false),
            ("1e-1", false),
            ("", false),
        ] {
            assert_eq!(text.parse::<Rate>().is_ok(), good, "{text:?}");
        }
    }
}
