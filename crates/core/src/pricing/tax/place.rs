//! What an order's prices and taxes depend on where it goes.

use std::collections::BTreeMap;

use super::Destination;
use super::calculation::{self, Taxable};
use super::settings::{
    LocalRates, PricesElsewhere, Rounding, SHIPPING, ShippingTax, TaxRate, TaxSettings, TaxTerms,
    UnknownPlace,
};
use crate::values::money::{Money, MoneyError, RoundingMode};

/// The member states of the EU (<https://european-union.europa.eu/principles-countries-history/eu-countries_en>).
const MEMBER_STATES: [&str; 27] = [
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT",
    "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
];

/// How goods are priced and taxed in one place.
#[derive(Clone, Debug)]
pub struct TaxPlace<'a> {
    terms: &'a TaxTerms,
    here: LocalRates<'a>,
    home: LocalRates<'a>,
    reverse_charge: bool,
}

/// Goods whose tax decides about the tax on shipping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Goods<'a> {
    /// Their category.
    pub category: &'a str,
    /// What they cost.
    pub price: Money,
}

/// A share of the price of shipping, which is taxed as goods of one category.
struct ShippingShare<'a> {
    category: &'a str,
    price: Money,
}

impl TaxSettings {
    /// Returns how goods are priced and taxed in `destination`.
    ///
    /// # Errors
    /// Returns [`UnknownPlace`] if the country has rates by region and none is known for this place.
    pub fn place(&self, destination: &Destination) -> Result<TaxPlace<'_>, UnknownPlace> {
        Ok(TaxPlace {
            terms: &self.terms,
            here: self.rates_in(destination)?,
            home: self.rates_at_home(),
            reverse_charge: self.is_reverse_charge(destination),
        })
    }

    /// Returns whether a business in `destination` owes the tax itself: it has a tax number of this country,
    /// which is a member state of the EU, and the shop is in another one.
    fn is_reverse_charge(&self, destination: &Destination) -> bool {
        let home = self.terms.home.as_ref().map(|home| home.country.as_str());
        let Some((home, number)) = home.zip(destination.tax_number.as_ref()) else {
            return false;
        };
        let there = destination.country.as_str();
        let abroad = home != there && number.country() == there;
        self.terms.reverse_charge && abroad && is_member_state(home) && is_member_state(there)
    }
}

/// Returns whether `country` is a member state of the EU.
fn is_member_state(country: &str) -> bool {
    MEMBER_STATES.contains(&country)
}

impl<'a> TaxPlace<'a> {
    /// Returns whether the buyer owes the tax instead of the shop.
    #[must_use]
    pub fn is_reverse_charge(&self) -> bool {
        self.reverse_charge
    }

    /// Returns when and how tax is rounded.
    #[must_use]
    pub fn rounding(&self) -> (Rounding, RoundingMode) {
        (self.terms.rounding, self.terms.rounding_mode)
    }

    /// Returns the rates that are charged on goods of `category`.
    #[must_use]
    pub fn rates(&self, category: &str) -> Vec<&'a TaxRate> {
        if self.reverse_charge {
            Vec::new()
        } else {
            self.here.on(category)
        }
    }

    /// Returns what goods of `category` cost here, of which the shop says that they cost `price`.
    ///
    /// # Errors
    /// Returns [`MoneyError::TooLarge`] if the price exceeds what [`Money`] can hold.
    pub fn price(&self, price: Money, category: &str) -> Result<Money, MoneyError> {
        let stays = match self.terms.prices_elsewhere {
            PricesElsewhere::Keep => !self.reverse_charge,
            PricesElsewhere::Net => false,
        };
        let at_home = calculation::factor_of_included(&self.home.on(category));
        let here = calculation::factor_of_included(&self.rates(category));
        if stays || self.terms.home.is_none() || at_home == here {
            return Ok(price);
        }
        let net = price.amount().checked_div(at_home);
        let elsewhere = net.and_then(|net| net.checked_mul(here));
        let elsewhere = elsewhere.ok_or(MoneyError::TooLarge)?;
        Money::rounded_by(self.terms.rounding_mode, elsewhere, price.currency())
    }

    /// Returns what shipping `goods` costs here, of which the shop says that it costs `price`.
    ///
    /// # Errors
    /// Returns [`MoneyError::TooLarge`] if the price exceeds what [`Money`] can hold.
    pub fn shipping_price(&self, price: Money, goods: &[Goods<'_>]) -> Result<Money, MoneyError> {
        let shares = self.shipping_shares(price, goods)?;
        let Some(shares) = shares else {
            return Ok(price);
        };
        let prices = shares
            .iter()
            .map(|share| self.price(share.price, share.category));
        let prices: Vec<Money> = prices.collect::<Result<_, _>>()?;
        Money::sum(price.currency(), prices)
    }

    /// Returns the parts of the `price` of shipping `goods`, each with the rates that are charged on it.
    ///
    /// # Errors
    /// Returns [`MoneyError::TooLarge`] if an amount exceeds what [`Money`] can hold.
    pub fn tax_on_shipping(
        &self,
        price: Money,
        goods: &[Goods<'_>],
    ) -> Result<Vec<Taxable<'a>>, MoneyError> {
        let mut parts: Vec<Taxable<'a>> = Vec::new();
        for share in self.shipping_shares(price, goods)?.unwrap_or_default() {
            let rates = self.rates(share.category);
            match parts.iter_mut().find(|part| part.rates == rates) {
                Some(part) => part.price = part.price.plus(share.price)?,
                None => parts.push(Taxable {
                    price: share.price,
                    rates,
                }),
            }
        }
        Ok(parts)
    }

    /// Returns the shares of the `price` of shipping that are taxed alike; `None` if shipping is not taxed.
    fn shipping_shares<'b>(
        &self,
        price: Money,
        goods: &[Goods<'b>],
    ) -> Result<Option<Vec<ShippingShare<'b>>>, MoneyError> {
        let whole = |category| Ok(Some(vec![ShippingShare { category, price }]));
        match self.terms.shipping_tax {
            ShippingTax::None => Ok(None),
            ShippingTax::Own => whole(SHIPPING),
            ShippingTax::Highest => whole(self.most_taxed(goods)),
            ShippingTax::Proportional => {
                // By category, so that the order of the lines does not decide about the last unit.
                let mut categories: BTreeMap<&str, Money> = BTreeMap::new();
                for goods in goods {
                    let sum = categories.entry(goods.category);
                    let sum = sum.or_insert(Money::zero(price.currency()));
                    *sum = sum.plus(goods.price)?;
                }
                let weights: Vec<Money> = categories.values().copied().collect();
                if weights.iter().all(|weight| weight.is_zero()) {
                    return whole(self.most_taxed(goods));
                }
                let shares = categories.into_keys().zip(price.split(&weights)?);
                let shares = shares.map(|(category, price)| ShippingShare { category, price });
                Ok(Some(shares.collect()))
            }
        }
    }

    /// Returns the category of those `goods` on which most tax is charged.
    fn most_taxed<'b>(&self, goods: &[Goods<'b>]) -> &'b str {
        let burden = |goods: &&Goods<'b>| {
            let rates = self.here.on(goods.category);
            (calculation::burden(&rates), goods.category)
        };
        let most = goods.iter().max_by_key(burden);
        most.map_or(SHIPPING, |goods| goods.category)
    }
}

#[cfg(test)]
mod tests;
