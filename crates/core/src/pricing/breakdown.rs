//! The price of an order, part by part.

use super::cart::CartLine;
use super::discounts::{self, Applied, Reductions, Share, Shipment};
use super::model::{Discount, Refusal};
use super::shipping::{DeliveryDays, FreeFromBasis, NotShipped, ShippingMethod};
use super::tax::calculation::{self, Taxable};
use super::tax::place::{Goods, TaxPlace};
use super::tax::registry::Check;
use super::tax::{Destination, Tax};
use crate::values::id::DiscountId;
use crate::values::money::{Currency, Money, MoneyError};

mod charges;

/// A cart, and everything that its price depends on except discounts.
#[derive(Clone, Copy, Debug)]
pub struct Cart<'a> {
    /// The shop's currency.
    pub currency: Currency,
    /// The lines, one for each product.
    pub lines: &'a [CartLine],
    /// The place it is shipped to.
    pub destination: &'a Destination,
    /// The shipping method. Without one, shipping is free. It does not matter if none of the goods are shipped.
    pub shipping: Option<&'a ShippingMethod>,
    /// How it is taxed there. The lines' prices are those of this place ([`TaxPlace::price`]).
    pub taxes: &'a TaxPlace<'a>,
}

/// The price of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PricedLine {
    /// The price before discounts.
    pub subtotal: Money,
    /// The amounts that discounts took off.
    pub discounts: Vec<Share>,
    /// The taxes on the price after discounts, one for each component.
    pub taxes: Vec<Tax>,
}

/// The price of shipping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PricedShipping {
    /// The method's identifier.
    pub method: String,
    /// The method's name.
    pub name: String,
    /// How long it takes, if the method says that.
    pub delivery_days: Option<DeliveryDays>,
    /// The price before discounts.
    pub price: Money,
    /// The amounts that discounts took off.
    pub discounts: Vec<Share>,
    /// The taxes on the price after discounts, one for each component.
    pub taxes: Vec<Tax>,
}

/// The price of an order, part by part. The totals are not stored but calculated ([`Breakdown::totals`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breakdown {
    /// The order's currency.
    pub currency: Currency,
    /// The prices of the lines, in the order of the lines.
    pub lines: Vec<PricedLine>,
    /// The discounts, in the order in which they were applied.
    pub discounts: Vec<Applied>,
    /// The price of shipping, if a method was chosen.
    pub shipping: Option<PricedShipping>,
    /// Whether the buyer owes the tax instead of the shop, so that none is charged.
    pub reverse_charge: bool,
    /// What a registry says of the buyer's tax number; `None` without a number, and for orders of earlier releases.
    pub tax_number_check: Option<Check>,
}

/// The totals of a breakdown: `total = subtotal - discount + shipping + tax that is not included`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Totals {
    /// The sum of the lines, before discounts.
    pub subtotal: Money,
    /// The sum of the discounts on lines and on shipping.
    pub discount: Money,
    /// The price of shipping, before discounts.
    pub shipping: Money,
    /// The sum of the taxes, included in prices or not.
    pub tax: Money,
    /// The amount that is charged.
    pub total: Money,
}

/// An inconsistency between the parts of a breakdown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BreakdownError {
    /// The discounts do not match the prices of the parts.
    #[error("the discounts on the order do not match the prices of its parts")]
    Discount,
    /// The shares of a discount do not add up to its amount.
    #[error("the shares of discount {0} do not add up to its amount")]
    Shares(DiscountId),
    /// A tax does not match the price of its part.
    #[error("a tax does not match the price of its part of the order")]
    Tax,
    /// The amounts cannot be added.
    #[error(transparent)]
    Money(#[from] MoneyError),
}

/// The price of an order, and the discounts that were not applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Priced {
    /// The price.
    pub breakdown: Breakdown,
    /// The discounts that took nothing off, and why.
    pub passed_over: Vec<(DiscountId, Refusal)>,
}

impl<'a> Cart<'a> {
    /// Returns the shipping method, if any of the goods are shipped.
    fn method(&self) -> Option<&'a ShippingMethod> {
        let is_shipped = self.lines.iter().any(|line| line.shipped);
        self.shipping.filter(|_| is_shipped)
    }

    /// Returns the goods that are shipped; `subtotals` are the prices of the lines before discounts.
    fn shipped(&self, subtotals: &[Money]) -> Vec<Goods<'a>> {
        let lines = self.lines.iter().zip(subtotals);
        let lines = lines.filter(|(line, _)| line.shipped);
        let goods = lines.map(|(line, subtotal)| Goods {
            category: line.category.as_str(),
            price: *subtotal,
        });
        goods.collect()
    }

    /// Returns the price of shipping `shipped` by `method` before discounts, unless it is free after discounts.
    fn price_of_shipping(
        &self,
        method: &ShippingMethod,
        shipped: &[Goods<'_>],
    ) -> Result<Money, NotShipped> {
        let subtotal = Money::sum(self.currency, shipped.iter().map(|goods| goods.price))?;
        let price = method.price(self.lines, subtotal, self.destination)?;
        Ok(self.taxes.shipping_price(price, shipped)?)
    }

    /// Returns the price of shipping by `method`, which costs `price` unless it is free, and what `discounts` take off.
    ///
    /// Whether shipping is free after discounts depends on the discounts that the order has if it is.
    fn reduce(
        &self,
        method: &ShippingMethod,
        price: Money,
        subtotals: &[Money],
        discounts: &[Discount],
    ) -> Result<(Money, Reductions), MoneyError> {
        let reduce = |price| {
            let method = &method.id;
            let shipment = Some(Shipment { method, price });
            discounts::reduce(self.lines, shipment, discounts, self.currency)
        };
        let Some(free_from) = method.free_from(FreeFromBasis::AfterDiscounts) else {
            return Ok((price, reduce(price)?));
        };
        let free = Money::zero(self.currency);
        let reduced = reduce(free)?;
        let lines = self.lines.iter().zip(subtotals).zip(&reduced.lines);
        let shipped = lines.filter(|((line, _), _)| line.shipped);
        let left = shipped.map(|((_, subtotal), shares)| after_discounts(*subtotal, shares));
        let left: Vec<Money> = left.collect::<Result<_, _>>()?;
        if Money::sum(self.currency, left)?.compare(free_from)?.is_ge() {
            Ok((free, reduced))
        } else {
            Ok((price, reduce(price)?))
        }
    }
}

/// Calculates the price of `cart` with `discounts`, which can be in any order and must all be allowed
/// ([`discounts::allow`]).
///
/// # Errors
/// Returns [`NotShipped`] if the method cannot ship the cart, or an amount exceeds what [`Money`] can hold.
pub fn calculate(cart: &Cart<'_>, discounts: &[Discount]) -> Result<Priced, NotShipped> {
    let subtotals = cart.lines.iter().map(CartLine::subtotal);
    let subtotals: Vec<Money> = subtotals.collect::<Result<_, _>>()?;
    let shipped = cart.shipped(&subtotals);
    let (mut shipping, reduced) = match cart.method() {
        None => {
            let reduced = discounts::reduce(cart.lines, None, discounts, cart.currency)?;
            (None, reduced)
        }
        Some(method) => {
            let price = cart.price_of_shipping(method, &shipped)?;
            let (price, mut reduced) = cart.reduce(method, price, &subtotals, discounts)?;
            let shipping = PricedShipping {
                method: method.id.clone(),
                name: method.name.clone(),
                delivery_days: method.delivery_days,
                price,
                discounts: std::mem::take(&mut reduced.shipping),
                taxes: Vec::new(),
            };
            (Some(shipping), reduced)
        }
    };
    let mut lines: Vec<PricedLine> = subtotals
        .into_iter()
        .zip(reduced.lines)
        .map(|(subtotal, discounts)| PricedLine {
            subtotal,
            discounts,
            taxes: Vec::new(),
        })
        .collect();
    tax(cart, &shipped, &mut lines, shipping.as_mut())?;
    Ok(Priced {
        breakdown: Breakdown {
            currency: cart.currency,
            lines,
            discounts: reduced.discounts,
            shipping,
            reverse_charge: cart.taxes.is_reverse_charge(),
            tax_number_check: None,
        },
        passed_over: reduced.passed_over,
    })
}

/// Adds the taxes on the prices after discounts to `lines` and `shipping`. The goods that are `shipped` decide about the
/// tax on shipping with their prices before discounts, so that no discount can move it to goods that are taxed more.
fn tax(
    cart: &Cart<'_>,
    shipped: &[Goods<'_>],
    lines: &mut [PricedLine],
    shipping: Option<&mut PricedShipping>,
) -> Result<(), MoneyError> {
    let taxable = cart.lines.iter().zip(&*lines).map(|(line, priced)| {
        Ok::<_, MoneyError>(Taxable {
            price: after_discounts(priced.subtotal, &priced.discounts)?,
            rates: cart.taxes.rates(line.category.as_str()),
        })
    });
    let mut parts: Vec<Taxable<'_>> = taxable.collect::<Result<_, _>>()?;
    if let Some(part) = &shipping {
        let price = after_discounts(part.price, &part.discounts)?;
        parts.extend(cart.taxes.tax_on_shipping(price, shipped)?);
    }
    let mut taxes = calculation::taxes(&parts, cart.taxes.rounding(), cart.currency)?.into_iter();
    for (line, taxes) in lines.iter_mut().zip(taxes.by_ref()) {
        line.taxes = taxes;
    }
    if let Some(part) = shipping {
        let rest: Vec<Tax> = taxes.flatten().collect();
        part.taxes = sums(&rest)?;
    }
    Ok(())
}

/// Returns one entry for each name and rate of `taxes`, in the order in which they first occur, with the sums of
/// their bases and amounts.
fn sums<'a>(taxes: impl IntoIterator<Item = &'a Tax>) -> Result<Vec<Tax>, MoneyError> {
    let mut sums: Vec<Tax> = Vec::new();
    for tax in taxes {
        match sums.iter_mut().find(|sum| sum.is_like(tax)) {
            Some(sum) => {
                sum.base = sum.base.plus(tax.base)?;
                sum.amount = sum.amount.plus(tax.amount)?;
            }
            None => sums.push(tax.clone()),
        }
    }
    Ok(sums)
}

/// Calculates the price of `cart` as [`calculate`] does, but with those of `discounts` with which it is the lowest: all
/// that are stackable, or one that is not. Of combinations with the same price, the stackable ones come first, then the
/// one with the lowest [`Discount::precedence`].
///
/// # Errors
/// As [`calculate`].
pub fn calculate_lowest(cart: &Cart<'_>, discounts: &[Discount]) -> Result<Priced, NotShipped> {
    let (stackable, mut alone): (Vec<Discount>, Vec<Discount>) = discounts
        .iter()
        .cloned()
        .partition(|discount| discount.terms.stackable);
    alone.sort_by_key(Discount::precedence);
    let mut lowest = calculate(cart, &stackable)?;
    let mut passed_over = Vec::new();
    for discount in alone {
        let mut other = calculate(cart, std::slice::from_ref(&discount))?;
        let total = other.breakdown.totals()?.total;
        if total.compare(lowest.breakdown.totals()?.total)?.is_lt() {
            std::mem::swap(&mut lowest, &mut other);
        }
        passed_over.append(&mut other.passed_over);
        let lost = other.breakdown.discounts.iter();
        passed_over.extend(lost.map(|lost| (lost.id, Refusal::NotCombinable)));
    }
    lowest.passed_over.append(&mut passed_over);
    Ok(lowest)
}

/// Returns `price` less `discounts`.
fn after_discounts(price: Money, discounts: &[Share]) -> Result<Money, MoneyError> {
    let mut shares = discounts.iter();
    shares.try_fold(price, |left, share| left.minus(share.amount))
}

/// Returns `price` without those of `taxes` that it includes.
fn without_included(price: Money, taxes: &[Tax]) -> Result<Money, MoneyError> {
    let mut included = taxes.iter().filter(|tax| tax.included);
    included.try_fold(price, |left, tax| left.minus(tax.amount))
}

impl Breakdown {
    /// Returns the price before discounts, the discounts and the taxes of each line and of shipping.
    fn parts(&self) -> impl Iterator<Item = (Money, &[Share], &[Tax])> {
        let lines = self.lines.iter();
        let lines = lines.map(|line| (line.subtotal, &*line.discounts, &*line.taxes));
        let shipping = self.shipping.iter();
        lines.chain(shipping.map(|part| (part.price, &*part.discounts, &*part.taxes)))
    }

    /// Returns the taxes of all parts together: one entry for each name and rate, in the order in which they
    /// first occur, with the sums of their bases and amounts.
    ///
    /// # Errors
    /// Returns [`MoneyError`] if amounts cannot be added.
    pub fn taxes(&self) -> Result<Vec<Tax>, MoneyError> {
        sums(self.parts().flat_map(|(_, _, taxes)| taxes))
    }

    /// Returns what the lines cost after discounts, without shipping and without tax that prices do not include.
    ///
    /// # Errors
    /// Returns [`MoneyError`] if amounts cannot be added.
    pub fn goods(&self) -> Result<Money, MoneyError> {
        let lines = self.lines.iter();
        let left = lines.map(|line| after_discounts(line.subtotal, &line.discounts));
        let left: Vec<Money> = left.collect::<Result<_, _>>()?;
        Money::sum(self.currency, left)
    }

    /// Returns the totals.
    ///
    /// # Errors
    /// Returns [`MoneyError`] if amounts cannot be added.
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
        for (price, discounts, taxes) in self.parts() {
            let off = Money::sum(self.currency, discounts.iter().map(|share| share.amount))?;
            totals.discount = totals.discount.plus(off)?;
            totals.total = totals.total.plus(price.minus(off)?)?;
            for tax in taxes {
                totals.tax = totals.tax.plus(tax.amount)?;
                totals.total = totals.total.plus(tax.added())?;
            }
        }
        Ok(totals)
    }

    /// Returns how many shares of shipping may be taxed apart: one for each set of taxes that lines have.
    fn shares_of_shipping(&self) -> usize {
        let mut sets: Vec<&[Tax]> = Vec::new();
        for line in &self.lines {
            let is_same = |set: &&[Tax]| {
                let mut taxes = set.iter().zip(&line.taxes);
                set.len() == line.taxes.len() && taxes.all(|(one, other)| one.is_like(other))
            };
            if !sets.iter().any(is_same) {
                sets.push(&line.taxes);
            }
        }
        sets.len()
    }

    /// Checks that the parts are consistent and returns the totals.
    ///
    /// # Errors
    /// Returns [`BreakdownError`] if they are not.
    pub fn check(&self) -> Result<Totals, BreakdownError> {
        let shares = self.lines.iter().map(|_| 1);
        let shares = shares.chain([self.shares_of_shipping()]);
        for ((price, discounts, taxes), shares) in self.parts().zip(shares) {
            let remaining = after_discounts(price, discounts)?;
            let nothing = Money::zero(self.currency);
            let mut amounts = discounts.iter().map(|share| share.amount);
            let positive = amounts.all(Money::is_positive);
            if !positive || remaining.compare(nothing)?.is_lt() {
                return Err(BreakdownError::Discount);
            }
            let net = without_included(remaining, taxes)?;
            let consistent = taxes.iter().all(|tax| tax.is_consistent(shares));
            if net.compare(nothing)?.is_lt() || !consistent {
                return Err(BreakdownError::Tax);
            }
        }
        for line in &self.lines {
            let remaining = after_discounts(line.subtotal, &line.discounts)?;
            let net = without_included(remaining, &line.taxes)?;
            // A compound tax stands last, because its base contains the others.
            if line.taxes.first().is_some_and(|tax| tax.base != net) {
                return Err(BreakdownError::Tax);
            }
        }
        for applied in &self.discounts {
            let shares = self.parts().flat_map(|(_, discounts, _)| discounts.iter());
            let shares = shares.filter(|share| share.discount_id == applied.id);
            let sum = Money::sum(self.currency, shares.map(|share| share.amount))?;
            if sum != applied.amount {
                return Err(BreakdownError::Shares(applied.id));
            }
        }
        let totals = self.totals()?;
        let applied = self.discounts.iter().map(|applied| applied.amount);
        if Money::sum(self.currency, applied)? == totals.discount {
            Ok(totals)
        } else {
            Err(BreakdownError::Discount)
        }
    }
}

#[cfg(test)]
mod tests;
