//! The tax settings: all rates of a shop, how it computes tax with them, and which of them apply in a place.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Destination;
use crate::catalog::model::Category;
use crate::pricing::model::Rate;
use crate::pricing::postal_codes::PostalCodePattern;
use crate::values::money::RoundingMode;
use crate::values::region::Region;

/// The category of a rate for shipping, for shops whose shipping is not taxed at the general rate.
pub const SHIPPING: &str = "shipping";

/// A tax rate.
///
/// Of the rates of one component, the most specific applies; different components apply together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxRate {
    /// The name that customers see, such as `VAT`.
    pub name: String,
    /// The country where the rate applies.
    pub country: String,
    /// The region where the rate applies, by its code or name, or `None` for the whole country.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The postal codes where the rate applies, or empty for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub postal_codes: Vec<PostalCodePattern>,
    /// The category the rate applies to, or `None` for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<Category>,
    /// The tax that it is a rate of, where several are charged on the same goods, such as `federal`. All
    /// rates without one are of the same tax.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    /// Whether it is also charged on the taxes that are not compound.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub compound: bool,
    /// The rate.
    pub rate: Rate,
    /// Whether prices include the tax. Included tax is shown, but not added to the total.
    pub included: bool,
}

/// How tax is rounded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// For each line and for shipping.
    #[default]
    Line,
    /// Once for each rate and order. The parts of the order get shares of the rounded amount.
    Order,
}

/// How shipping is taxed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShippingTax {
    /// As goods of the category `shipping`.
    #[default]
    Own,
    /// As those goods of the order with the highest tax.
    Highest,
    /// In parts, as the goods of the order, in proportion to their prices.
    Proportional,
    /// Not at all.
    None,
}

/// What becomes of a price that includes tax where another tax is due, or none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PricesElsewhere {
    /// The price stays, whatever tax is in it there.
    #[default]
    Keep,
    /// The price without tax stays, and the tax that is due there is added.
    Net,
}

/// The place whose taxes the shop's prices include.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Home {
    /// The country.
    pub country: String,
    /// The region, if the country has rates by region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

/// How a shop computes tax.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxTerms {
    /// When tax is rounded.
    #[serde(default)]
    pub rounding: Rounding,
    /// How tax is rounded.
    #[serde(default)]
    pub rounding_mode: RoundingMode,
    /// How shipping is taxed.
    #[serde(default)]
    pub shipping_tax: ShippingTax,
    /// Where the shop is: prices include the taxes of this place that are marked as included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub home: Option<Home>,
    /// What prices are where other taxes are due than at home.
    #[serde(default)]
    pub prices_elsewhere: PricesElsewhere,
    /// Whether businesses in other member states of the EU owe the tax themselves.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reverse_charge: bool,
}

/// All tax rates, and how tax is computed with them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaxSettings {
    /// The rates.
    pub rates: Vec<TaxRate>,
    /// How tax is computed.
    pub terms: TaxTerms,
}

/// Why it cannot be told which rates apply.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnknownPlace {
    /// The country has rates by region, and the address has no region.
    #[error("tax depends on the region here; give one of: {0}")]
    RegionRequired(String),
    /// The country has rates by region, and none is known for this one.
    #[error("no tax rate is known for this region; give one of: {0}")]
    UnknownRegion(String),
    /// The country has rates by postal code, and the address has none.
    #[error("tax depends on the postal code here")]
    PostalCodeRequired,
}

/// Why the terms of the tax settings cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTerms {
    /// The terms depend on where the shop is, and it has not said so.
    #[error("prices_elsewhere \"net\" and reverse_charge depend on where the shop is")]
    HomeRequired,
    /// It is not known which rates apply at the shop's home.
    #[error(transparent)]
    HomeRegion(UnknownPlace),
}

/// The rates that apply in a place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LocalRates<'a>(Vec<&'a TaxRate>);

impl TaxRate {
    /// Returns whether this rate and `other` can apply to the same goods.
    fn shares_goods_with(&self, other: &Self) -> bool {
        self.category.is_none() || other.category.is_none() || self.category == other.category
    }

    /// Returns whether the place of this rate is a part of that of `other`.
    fn is_within(&self, other: &Self) -> bool {
        let smaller_region = self.region.is_some() && other.region.is_none();
        let same_region = self.region == other.region;
        let some_codes = !self.postal_codes.is_empty() && other.postal_codes.is_empty();
        self.country == other.country && (smaller_region || (same_region && some_codes))
    }

    /// Returns whether the rate applies at `postal_code` of its country, if it applies in its region.
    fn applies_at(&self, postal_code: Option<&str>) -> bool {
        let mut patterns = self.postal_codes.iter();
        self.postal_codes.is_empty()
            || postal_code
                .is_some_and(|code| patterns.any(|pattern| pattern.matches_in(&self.country, code)))
    }

    /// Returns how specific the rate is: the place weighs more than the category.
    fn specificity(&self) -> (bool, bool, bool) {
        let by_postal_code = !self.postal_codes.is_empty();
        (
            by_postal_code,
            self.region.is_some(),
            self.category.is_some(),
        )
    }
}

/// Returns the index of the first rate of which it is not clear whether it is charged together with an
/// earlier one or in its place, and the name of that one: their names differ, one is for a part of the other's
/// place, and no component says that they are different taxes or the same one.
#[must_use]
pub fn find_ambiguous(rates: &[TaxRate]) -> Option<(usize, &str)> {
    let unclear = |one: &TaxRate, other: &TaxRate| {
        let named = one.component.is_some() || other.component.is_some();
        let overlap = one.is_within(other) || other.is_within(one);
        !named && overlap && one.shares_goods_with(other) && one.name != other.name
    };
    rates.iter().enumerate().find_map(|(at, rate)| {
        let earlier = rates.iter().take(at);
        let mut earlier = earlier.filter(|earlier| unclear(rate, earlier));
        earlier.next().map(|earlier| (at, earlier.name.as_str()))
    })
}

impl TaxSettings {
    /// Returns the destination that the shop's home is, if the shop has said where it is.
    fn home(&self) -> Option<Destination> {
        self.terms.home.as_ref().map(|home| Destination {
            country: home.country.clone(),
            region: home.region.clone(),
            postal_code: None,
            tax_number: None,
        })
    }

    /// Checks that the terms have what they need.
    ///
    /// # Errors
    /// Returns [`InvalidTerms`] if they do not.
    pub fn check(&self) -> Result<(), InvalidTerms> {
        let needs_home =
            self.terms.prices_elsewhere == PricesElsewhere::Net || self.terms.reverse_charge;
        match self.home() {
            None if needs_home => Err(InvalidTerms::HomeRequired),
            None => Ok(()),
            Some(home) => match self.rates_in_region(&home) {
                Ok(_) => Ok(()),
                Err(unknown) => Err(InvalidTerms::HomeRegion(unknown)),
            },
        }
    }

    /// Returns the rates that apply in `destination`.
    ///
    /// # Errors
    /// Returns [`UnknownPlace`] if the country has rates by region or postal code and it is not known which of
    /// them apply.
    pub fn rates_in(&self, destination: &Destination) -> Result<LocalRates<'_>, UnknownPlace> {
        let rates = self.rates_in_region(destination)?.0;
        let postal_code = destination.postal_code.as_deref();
        let by_code = rates.iter().any(|rate| !rate.postal_codes.is_empty());
        if by_code && postal_code.is_none() {
            return Err(UnknownPlace::PostalCodeRequired);
        }
        let here = rates
            .into_iter()
            .filter(|rate| rate.applies_at(postal_code));
        Ok(LocalRates(here.collect()))
    }

    /// Returns the rates for the region of `destination`, whatever its postal code.
    fn rates_in_region(&self, destination: &Destination) -> Result<LocalRates<'_>, UnknownPlace> {
        let country = destination.country.as_str();
        let here = || self.rates.iter().filter(|rate| rate.country == country);
        let regional: BTreeSet<&str> = here().filter_map(|rate| rate.region.as_deref()).collect();
        if regional.is_empty() {
            return Ok(LocalRates(here().collect()));
        }
        let everywhere = here().any(|rate| rate.region.is_none());
        let list = || {
            let names: Vec<&str> = regional.iter().copied().collect();
            let others = "another region of the country, by its code in ISO 3166-2";
            let mut names = names.join(", ");
            if everywhere {
                names = format!("{names}; or {others}");
            }
            names
        };
        let Some(text) = &destination.region else {
            return Err(UnknownPlace::RegionRequired(list()));
        };
        let listed = Region::find(country, text);
        let is_listed = listed.is_some();
        let region = listed.unwrap_or_else(|| Region::unlisted(country, text));
        let is_here = |rate: &&TaxRate| match &rate.region {
            None => true,
            Some(named) => region.is_called(country, named),
        };
        let rates: Vec<&TaxRate> = here().filter(is_here).collect();
        let is_named = rates.iter().any(|rate| rate.region.is_some());
        if is_named || (everywhere && is_listed) {
            Ok(LocalRates(rates))
        } else {
            Err(UnknownPlace::UnknownRegion(list()))
        }
    }

    /// Returns the rates of the place whose taxes prices include, without those for some of its postal codes;
    /// none if the shop has not said where it is.
    #[must_use]
    pub fn rates_at_home(&self) -> LocalRates<'_> {
        let rates = self
            .home()
            .and_then(|home| self.rates_in_region(&home).ok());
        let rates = rates.unwrap_or_default().0.into_iter();
        LocalRates(rates.filter(|rate| rate.applies_at(None)).collect())
    }
}

impl<'a> LocalRates<'a> {
    /// Returns the rates for goods of `category`: the most specific one of each component. The place weighs
    /// more than the category. Compound rates come last.
    #[must_use]
    pub fn on(&self, category: &str) -> Vec<&'a TaxRate> {
        let in_category = |rate: &TaxRate| match &rate.category {
            None => true,
            Some(wanted) => wanted.as_str() == category,
        };
        let mut applied: Vec<&TaxRate> = Vec::new();
        for rate in self.0.iter().copied().filter(|rate| in_category(rate)) {
            let mut same = applied.iter_mut();
            match same.find(|other| other.component == rate.component) {
                Some(other) if rate.specificity() >= other.specificity() => *other = rate,
                Some(_) => {}
                None => applied.push(rate),
            }
        }
        applied.sort_by_key(|rate| rate.compound);
        applied
    }
}

#[cfg(test)]
mod tests;
