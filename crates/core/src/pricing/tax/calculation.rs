//! How much tax is due on the parts of an order.

use rust_decimal::Decimal;

use super::Tax;
use super::sheet::{Rounding, TaxRate};
use crate::values::money::{Currency, Money, MoneyError, RoundingMode};

/// A price after discounts, on which the same rates apply: a line, shipping, or a share of shipping.
#[derive(Clone, Debug)]
pub struct Taxable<'a> {
    /// The price.
    pub price: Money,
    /// The rates, compound ones last.
    pub rates: Vec<&'a TaxRate>,
}

/// An amount of tax that is not rounded yet.
struct Exact<'a> {
    rate: &'a TaxRate,
    amount: Decimal,
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
    fn exact(&self) -> Result<Vec<Exact<'a>>, MoneyError> {
        let factor = factor_of_included(&self.rates);
        let net = self.price.amount().checked_div(factor);
        let net = net.ok_or(MoneyError::TooLarge)?;
        let exact = self.rates.iter().map(|rate| {
            let amount = net.checked_mul(effective(rate, &self.rates));
            let amount = amount.ok_or(MoneyError::TooLarge)?;
            Ok(Exact { rate, amount })
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
    let exact: Vec<Vec<Exact<'_>>> = parts.iter().map(Taxable::exact).collect::<Result<_, _>>()?;
    let mut amounts: Vec<Vec<Money>> = match rounding {
        Rounding::Line => exact
            .iter()
            .map(|taxes| {
                let rounded = taxes.iter();
                rounded
                    .map(|tax| Money::rounded_by(mode, tax.amount, currency))
                    .collect()
            })
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
            let amounts: Vec<Decimal> = places
                .iter()
                .map(|(at, of)| exact[*at][*of].amount)
                .collect();
            let total = Money::rounded_by(mode, amounts.iter().sum(), currency)?;
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
