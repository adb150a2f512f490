//! How much tax is due on the parts of an order.

use rust_decimal::Decimal;

use super::Tax;
use super::settings::{Rounding, TaxRate};
use crate::values::money::{Currency, Money, MoneyError, RoundingMode};

/// A price after discounts, on which the same rates apply: a line, shipping, or a share of shipping.
#[derive(Clone, Debug)]
pub struct Taxable<'a> {
    /// The price.
    pub price: Money,
    /// The rates, compound ones last.
    pub rates: Vec<&'a TaxRate>,
}

/// A tax that is not rounded yet: `price * effective / factor`.
struct Exact<'a> {
    rate: &'a TaxRate,
    /// The price that it is charged on, with the taxes that are included.
    price: Decimal,
    /// The part of the price without tax that it is.
    effective: Decimal,
    /// The price is so many times the price without tax.
    factor: Decimal,
}

impl Exact<'_> {
    /// Returns the amount on `price`, which may be the sum of several. It is multiplied first, so that what lies
    /// exactly between two amounts is found there.
    fn on(&self, price: Decimal) -> Result<Decimal, MoneyError> {
        let amount = price.checked_mul(self.effective);
        let amount = amount.and_then(|amount| amount.checked_div(self.factor));
        amount.ok_or(MoneyError::TooLarge)
    }

    fn amount(&self) -> Result<Decimal, MoneyError> {
        self.on(self.price)
    }
}

/// Returns 1 and the parts of a price without tax that the included ones of `rates` are together: 1.19 for 19
/// percent.
#[must_use]
pub fn factor_of_included(rates: &[&TaxRate]) -> Decimal {
    let included = rates.iter().filter(|rate| rate.included);
    Decimal::ONE + included.map(|rate| effective(rate, rates)).sum::<Decimal>()
}

/// Returns the part of a price without tax that `rate` is: more than the rate for a compound one.
fn effective(rate: &TaxRate, rates: &[&TaxRate]) -> Decimal {
    let simple = rates.iter().filter(|rate| !rate.compound);
    let on = if rate.compound {
        Decimal::ONE + simple.map(|rate| rate.rate.as_decimal()).sum::<Decimal>()
    } else {
        Decimal::ONE
    };
    rate.rate.as_decimal() * on
}

/// Returns the part of a price without tax that all `rates` are together.
#[must_use]
pub fn burden(rates: &[&TaxRate]) -> Decimal {
    rates.iter().map(|rate| effective(rate, rates)).sum()
}

impl<'a> Taxable<'a> {
    fn exact(&self) -> Vec<Exact<'a>> {
        let factor = factor_of_included(&self.rates);
        let exact = self.rates.iter().map(|rate| Exact {
            rate,
            price: self.price.amount(),
            effective: effective(rate, &self.rates),
            factor,
        });
        exact.collect()
    }

    /// Returns the taxes with these `amounts`, in the order of the rates.
    fn taxes(&self, amounts: &[Money]) -> Result<Vec<Tax>, MoneyError> {
        let nothing = Money::zero(self.price.currency());
        let (mut net, mut simple) = (self.price, nothing);
        for (rate, amount) in self.rates.iter().zip(amounts) {
            if rate.included {
                net = net.minus(*amount)?;
            }
            if !rate.compound {
                simple = simple.plus(*amount)?;
            }
        }
        let taxes = self.rates.iter().zip(amounts).map(|(rate, amount)| {
            Ok(Tax {
                name: rate.name.clone(),
                rate: rate.rate,
                included: rate.included,
                base: if rate.compound {
                    net.plus(simple)?
                } else {
                    net
                },
                amount: *amount,
            })
        });
        taxes.collect()
    }
}

/// Returns the taxes on each of `parts`: those of its rates, rounded for itself or as its share of what is
/// rounded for the whole order.
///
/// # Errors
/// Returns [`MoneyError::TooLarge`] if an amount exceeds what [`Money`] can hold.
pub fn taxes(
    parts: &[Taxable<'_>],
    (rounding, mode): (Rounding, RoundingMode),
    currency: Currency,
) -> Result<Vec<Vec<Tax>>, MoneyError> {
    let exact: Vec<Vec<Exact<'_>>> = parts.iter().map(Taxable::exact).collect();
    let rounded = |tax: &Exact<'_>| Money::rounded_by(mode, tax.amount()?, currency);
    let mut amounts: Vec<Vec<Money>> = match rounding {
        Rounding::Line => exact
            .iter()
            .map(|taxes| taxes.iter().map(rounded).collect())
            .collect::<Result<_, _>>()?,
        Rounding::Order => shares(&exact, mode, currency)?,
    };
    for (part, amounts) in parts.iter().zip(&mut amounts) {
        limit_to_price(part, amounts)?;
    }
    let parts = parts.iter().zip(&amounts);
    parts.map(|(part, amounts)| part.taxes(amounts)).collect()
}

/// Reduces those `amounts` that the price includes so that they are together not more than the price, which
/// rounding can make them if the price is a few of the smallest units.
fn limit_to_price(part: &Taxable<'_>, amounts: &mut [Money]) -> Result<(), MoneyError> {
    let mut left = part.price;
    let included = part.rates.iter().zip(amounts);
    for (_, amount) in included.filter(|(rate, _)| rate.included) {
        if amount.compare(left)?.is_gt() {
            *amount = left;
        }
        left = left.minus(*amount)?;
    }
    Ok(())
}

/// Returns the shares of the taxes, each of which is rounded once for all parts.
fn shares(
    exact: &[Vec<Exact<'_>>],
    mode: RoundingMode,
    currency: Currency,
) -> Result<Vec<Vec<Money>>, MoneyError> {
    let mut shares: Vec<Vec<Option<Money>>> =
        exact.iter().map(|taxes| vec![None; taxes.len()]).collect();
    for (at, taxes) in exact.iter().enumerate() {
        for (of, tax) in taxes.iter().enumerate() {
            if shares[at][of].is_some() {
                continue;
            }
            let places: Vec<(usize, usize)> = places_of(tax.rate, exact);
            let same: Vec<&Exact<'_>> = places.iter().map(|(at, of)| &exact[*at][*of]).collect();
            let total = Money::rounded_by(mode, sum(&same)?, currency)?;
            let amounts = same.iter().map(|tax| tax.amount());
            let amounts: Vec<Decimal> = amounts.collect::<Result<_, _>>()?;
            for ((at, of), share) in places.iter().zip(allocate(total, &amounts)?) {
                shares[*at][*of] = Some(share);
            }
        }
    }
    let nothing = Money::zero(currency);
    let known = |taxes: Vec<Option<Money>>| {
        let taxes = taxes.into_iter();
        taxes.map(|share| share.unwrap_or(nothing)).collect()
    };
    Ok(shares.into_iter().map(known).collect())
}

/// Returns the sum of `taxes`. Prices are added first where the same rates apply to them.
fn sum(taxes: &[&Exact<'_>]) -> Result<Decimal, MoneyError> {
    let mut prices: Vec<(&Exact<'_>, Decimal)> = Vec::new();
    for tax in taxes {
        let is_like =
            |other: &Exact<'_>| (other.effective, other.factor) == (tax.effective, tax.factor);
        match prices.iter_mut().find(|(other, _)| is_like(other)) {
            Some((_, price)) => *price += tax.price,
            None => prices.push((tax, tax.price)),
        }
    }
    let amounts = prices.iter().map(|(tax, price)| tax.on(*price));
    amounts.sum()
}

/// Returns where taxes with the name and rate of `rate` stand, as the index of the part and of its tax.
fn places_of(rate: &TaxRate, exact: &[Vec<Exact<'_>>]) -> Vec<(usize, usize)> {
    let key = |rate: &TaxRate| (rate.name.clone(), rate.rate, rate.included, rate.compound);
    let wanted = key(rate);
    let parts = exact.iter().enumerate();
    parts
        .flat_map(|(at, taxes)| {
            let same = taxes.iter().enumerate();
            let same = same.filter(|(_, tax)| key(tax.rate) == wanted);
            same.map(move |(of, _)| (at, of)).collect::<Vec<_>>()
        })
        .collect()
}

/// Splits `total` into a share for each of `exact`: its whole smallest units, and one more for those with the
/// largest fractions, until the shares add up.
fn allocate(total: Money, exact: &[Decimal]) -> Result<Vec<Money>, MoneyError> {
    let currency = total.currency();
    let whole = exact
        .iter()
        .map(|amount| Money::rounded_by(RoundingMode::Down, *amount, currency));
    let mut shares: Vec<Money> = whole.collect::<Result<_, _>>()?;
    let unit = Money::from_minor_units(1, currency)?;
    let mut left = total.minus(Money::sum(currency, shares.iter().copied())?)?;
    let mut by_fraction: Vec<usize> = (0..exact.len()).collect();
    by_fraction.sort_by_key(|at| shares[*at].amount() - exact[*at]);
    for at in by_fraction {
        if !left.is_positive() {
            break;
        }
        shares[at] = shares[at].plus(unit)?;
        left = left.minus(unit)?;
    }
    Ok(shares)
}

#[cfg(test)]
mod tests;
