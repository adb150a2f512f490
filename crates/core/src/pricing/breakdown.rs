//! What an order costs, part by part.

use super::cart::CartLine;
use super::discounts::{self, Applied, Share};
use super::model::{Discount, Refusal};
use super::shipping::{NotShipped, ShippingMethod};
use super::tax::{self, Destination, Tax, TaxRate};
use crate::values::id::DiscountId;
use crate::values::money::{Currency, Money, MoneyError};

/// What is priced, and by what.
#[derive(Clone, Copy, Debug)]
pub struct Cart<'a> {
    /// The shop's currency.
    pub currency: Currency,
    /// One for each product.
    pub lines: &'a [CartLine],
    /// Where it goes.
    pub destination: &'a Destination,
    /// How it is shipped; without one, shipping costs nothing.
    pub shipping: Option<&'a ShippingMethod>,
    /// All rates of tax.
    pub taxes: &'a [TaxRate],
}

/// A line, priced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PricedLine {
    /// What it costs before discounts.
    pub subtotal: Money,
    /// What discounts took off.
    pub discounts: Vec<Share>,
    /// The tax on what is left, if any holds.
    pub tax: Option<Tax>,
}

/// Shipping, priced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PricedShipping {
    /// The method's identifier.
    pub method: String,
    /// The method's name.
    pub name: String,
    /// What it costs before discounts.
    pub price: Money,
    /// What discounts took off.
    pub discounts: Vec<Share>,
    /// The tax on what is left, if any holds.
    pub tax: Option<Tax>,
}

/// What an order costs, part by part. What it comes to is not kept but added up ([`Breakdown::totals`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breakdown {
    /// The order's currency.
    pub currency: Currency,
    /// One for each line, in their order.
    pub lines: Vec<PricedLine>,
    /// What each discount took off, in the order in which they were applied.
    pub discounts: Vec<Applied>,
    /// Shipping, if a method was chosen.
    pub shipping: Option<PricedShipping>,
}

/// What the parts come to: `total = subtotal - discount + shipping + tax that is not included`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Totals {
    /// All lines, before discounts.
    pub subtotal: Money,
    /// All discounts, on lines and on shipping.
    pub discount: Money,
    /// Shipping, before discounts.
    pub shipping: Money,
    /// All tax, whether prices contain it or not.
    pub tax: Money,
    /// What is charged.
    pub total: Money,
}

/// Parts that do not go together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// A discount takes more than there is.
    #[error("discounts take more than a part of the order costs")]
    Discount,
    /// A discount's shares are not its amount.
    #[error("the shares of the discount {0} do not add up")]
    Shares(DiscountId),
    /// A tax's base is not what is taxed.
    #[error("a tax is not on what a part of the order costs")]
    Tax,
    /// Amounts that cannot be added.
    #[error(transparent)]
    Money(#[from] MoneyError),
}

/// What an order costs, and which discounts took nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Priced {
    /// What it costs.
    pub breakdown: Breakdown,
    /// The discounts that took nothing, and why.
    pub passed_over: Vec<(DiscountId, Refusal)>,
}

/// What `cart` costs with `discounts`, in whatever order they are given; all of them are allowed
/// ([`discounts::allow`]).
///
/// # Errors
/// [`NotShipped`] if the method does not ship it, or amounts are beyond what [`Money`] holds.
pub fn calculate(cart: &Cart<'_>, discounts: &[Discount]) -> Result<Priced, NotShipped> {
    let subtotals = cart.lines.iter().map(CartLine::subtotal);
    let subtotals: Vec<Money> = subtotals.collect::<Result<_, _>>()?;
    let subtotal = Money::sum(cart.currency, subtotals.iter().copied())?;
    let shipping = cart.shipping;
    let shipping = shipping.map(|method| method.price(cart.lines, subtotal, cart.destination));
    let shipping = shipping.transpose()?;
    let reduced = discounts::reduce(cart.lines, shipping, discounts, cart.currency)?;
    let taxed = |price: Money, shares: &[Share], category: &str| {
        let rate = tax::rate(cart.taxes, cart.destination, category);
        let price = left(price, shares)?;
        rate.map(|rate| Tax::on(price, rate)).transpose()
    };
    let mut lines = Vec::with_capacity(cart.lines.len());
    for ((line, subtotal), shares) in cart.lines.iter().zip(subtotals).zip(reduced.lines) {
        lines.push(PricedLine {
            subtotal,
            tax: taxed(subtotal, &shares, &line.category.to_string())?,
            discounts: shares,
        });
    }
    let shipping = match (cart.shipping, shipping) {
        (Some(method), Some(price)) => Some(PricedShipping {
            method: method.id.clone(),
            name: method.name.clone(),
            price,
            tax: taxed(price, &reduced.shipping, tax::SHIPPING)?,
            discounts: reduced.shipping,
        }),
        (None, _) | (_, None) => None,
    };
    Ok(Priced {
        breakdown: Breakdown {
            currency: cart.currency,
            lines,
            discounts: reduced.discounts,
            shipping,
        },
        passed_over: reduced.passed_over,
    })
}

/// What is left of `price` after discounts.
fn left(price: Money, discounts: &[Share]) -> Result<Money, MoneyError> {
    let mut shares = discounts.iter();
    shares.try_fold(price, |left, share| left.minus(share.amount))
}

impl Breakdown {
    /// The parts that have a price of their own: price, what discounts took, tax.
    fn parts(&self) -> impl Iterator<Item = (Money, &[Share], Option<&Tax>)> {
        let lines = self.lines.iter();
        let lines = lines.map(|line| (line.subtotal, &*line.discounts, line.tax.as_ref()));
        let shipping = self.shipping.iter();
        lines.chain(shipping.map(|part| (part.price, &*part.discounts, part.tax.as_ref())))
    }

    /// What the parts come to.
    ///
    /// # Errors
    /// [`MoneyError`] if they cannot be added.
    pub fn totals(&self) -> Result<Totals, MoneyError> {
        let nothing = Money::zero(self.currency);
        let subtotals = self.lines.iter().map(|line| line.subtotal);
        let mut totals = Totals {
            subtotal: Money::sum(self.currency, subtotals)?,
            discount: nothing,
            shipping: self.shipping.as_ref().map_or(nothing, |part| part.price),
            tax: nothing,
            total: nothing,
        };
        for (price, discounts, tax) in self.parts() {
            let off = Money::sum(self.currency, discounts.iter().map(|share| share.amount))?;
            totals.discount = totals.discount.plus(off)?;
            totals.total = totals.total.plus(price.minus(off)?)?;
            if let Some(tax) = tax {
                totals.tax = totals.tax.plus(tax.amount)?;
                totals.total = totals.total.plus(tax.added())?;
            }
        }
        Ok(totals)
    }

    /// What the parts come to, if they go together.
    ///
    /// # Errors
    /// [`Broken`].
    pub fn check(&self) -> Result<Totals, Broken> {
        for (price, discounts, tax) in self.parts() {
            let left = left(price, discounts)?;
            let nothing = Money::zero(self.currency);
            let shares = discounts.iter().map(|share| share.amount);
            let positive = shares.into_iter().all(Money::is_positive);
            if !positive || left.compare(nothing)?.is_lt() {
                return Err(Broken::Discount);
            }
            if let Some(tax) = tax {
                let taxed = if tax.included {
                    tax.base.plus(tax.amount)?
                } else {
                    tax.base
                };
                if taxed != left || tax.amount.compare(nothing)?.is_lt() {
                    return Err(Broken::Tax);
                }
            }
        }
        for applied in &self.discounts {
            let shares = self.parts().flat_map(|(_, discounts, _)| discounts.iter());
            let shares = shares.filter(|share| share.discount_id == applied.id);
            let sum = Money::sum(self.currency, shares.map(|share| share.amount))?;
            if sum != applied.amount {
                return Err(Broken::Shares(applied.id));
            }
        }
        let totals = self.totals()?;
        let named = self.discounts.iter().map(|applied| applied.amount);
        if Money::sum(self.currency, named)? == totals.discount {
            Ok(totals)
        } else {
            Err(Broken::Discount)
        }
    }
}

#[cfg(test)]
mod tests;
