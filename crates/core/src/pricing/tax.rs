//! Tax: which rate holds where, and what it comes to.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::model::Rate;
use crate::catalog::model::Category;
use crate::values::money::{Money, MoneyError};

/// The category that a rate for shipping has, if shipping is taxed otherwise than goods.
pub const SHIPPING: &str = "shipping";

/// Where an order goes, as far as prices depend on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destination {
    /// Two capital letters (ISO 3166-1 alpha-2).
    pub country: String,
    /// State, province or county, as the address has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

/// A rate of tax.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxRate {
    /// What the customer reads: `VAT`.
    pub name: String,
    /// The country where it holds.
    pub country: String,
    /// The region where it holds, as addresses have it, in any case; without one in the whole country.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The category that it is for; without one for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<Category>,
    /// How much.
    pub rate: Rate,
    /// Whether prices contain it: then it is shown, and the total stays as it is.
    pub included: bool,
}

impl TaxRate {
    fn holds_in(&self, destination: &Destination) -> bool {
        let there = match (&self.region, &destination.region) {
            (None, _) => true,
            (Some(region), Some(given)) => region.to_lowercase() == given.trim().to_lowercase(),
            (Some(_), None) => false,
        };
        self.country == destination.country && there
    }
}

/// The rate of `rates` for `category` in `destination`: the place is looked at before the goods, so a
/// rate of the region comes before one of the whole country, and of the same place one of the category
/// before the general one.
#[must_use]
pub fn rate<'a>(
    rates: &'a [TaxRate],
    destination: &Destination,
    category: &str,
) -> Option<&'a TaxRate> {
    let of_category = |rate: &TaxRate| match &rate.category {
        None => true,
        Some(wanted) => wanted.to_string() == category,
    };
    let found = rates
        .iter()
        .filter(|rate| rate.holds_in(destination) && of_category(rate));
    found.max_by_key(|rate| (rate.region.is_some(), rate.category.is_some()))
}

/// The tax on something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tax {
    /// What the customer reads.
    pub name: String,
    /// How much.
    pub rate: Rate,
    /// Whether the price contains it.
    pub included: bool,
    /// What is taxed, without the tax.
    pub base: Money,
    /// The tax.
    pub amount: Money,
}

impl Tax {
    /// The tax by `rate` on what costs `price` after all discounts, rounded once, half to even.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`].
    pub fn on(price: Money, rate: &TaxRate) -> Result<Self, MoneyError> {
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

    /// What the tax adds to the price: nothing, if that contains it.
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
        }
    }

    #[test]
    fn the_most_specific_rate_holds_and_the_place_comes_before_the_goods() {
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
            let found = rate(&rates, &destination(country, region), category);
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
        let added = Tax::on(eur("0.50"), &excluded).unwrap();
        assert_eq!((added.base, added.amount), (eur("0.50"), eur("0.02")));
        let included = tax("DE", None, None, "0.19", true);
        let shown = Tax::on(eur("119.00"), &included).unwrap();
        assert_eq!((shown.base, shown.amount), (eur("100.00"), eur("19.00")));
        assert_eq!(shown.added(), eur("0.00"));
        assert_eq!(added.added(), eur("0.02"));
    }

    #[test]
    fn a_rate_is_a_plain_decimal_from_nothing_to_all() {
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
