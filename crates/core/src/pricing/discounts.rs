//! How much discounts take off an order.

use std::cmp::Ordering;

use super::cart::CartLine;
use super::model::{Benefit, Code, Discount, Group, Refusal};
use crate::values::clock::Time;
use crate::values::id::DiscountId;
use crate::values::money::{Currency, Money, MoneyError};

/// The amount that a discount took off a line or off shipping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// The discount.
    pub discount_id: DiscountId,
    /// The amount.
    pub amount: Money,
}

/// A discount that was applied to an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The discount.
    pub id: DiscountId,
    /// The discount's name.
    pub name: String,
    /// The discount's code, if it has one.
    pub code: Option<Code>,
    /// The amount it took off: the sum of its shares.
    pub amount: Money,
}

/// The facts about the customer that discounts depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shopper {
    /// Whether the customer has an account.
    pub group: Group,
    /// Whether this would be the customer's first order. Irrelevant for guests.
    pub first_order: bool,
}

/// Checks that the terms of `discount` allow it for `shopper`, `lines` and `now`. Usage limits are checked
/// when the order is placed, and combination with other discounts when it is priced.
///
/// # Errors
/// Returns the first [`Refusal`] that applies. A minimum in another currency counts as not reached.
pub fn allow(
    discount: &Discount,
    lines: &[CartLine],
    shopper: Shopper,
    now: Time,
) -> Result<(), Refusal> {
    let terms = &discount.terms;
    if discount.ended || terms.ends_at.is_some_and(|end| now >= end) {
        return Err(Refusal::Expired);
    }
    if terms.starts_at.is_some_and(|start| now < start) {
        return Err(Refusal::NotStarted);
    }
    match shopper.group {
        Group::Guest if terms.needs_account() => return Err(Refusal::AccountNeeded),
        group if terms.customer_group.is_some_and(|wanted| wanted != group) => {
            return Err(Refusal::OtherCustomers);
        }
        Group::Guest | Group::Customer => {}
    }
    if terms.first_order && !shopper.first_order {
        return Err(Refusal::NotFirstOrder);
    }
    let matching: Vec<&CartLine> = lines
        .iter()
        .filter(|line| terms.matches(line.product_id, &line.category))
        .collect();
    if matching.is_empty() {
        return Err(Refusal::NoMatchingItems);
    }
    let Some(minimum) = terms.minimum_amount else {
        return Ok(());
    };
    let sum = matching
        .into_iter()
        .try_fold(Money::zero(minimum.currency()), |sum, line| {
            sum.plus(line.subtotal()?)
        });
    match sum.and_then(|sum| sum.compare(minimum)) {
        Ok(Ordering::Equal | Ordering::Greater) => Ok(()),
        Ok(Ordering::Less) | Err(_) => Err(Refusal::BelowMinimumAmount),
    }
}

/// Everything that the discounts of an order take off.
#[derive(Debug)]
pub(super) struct Reductions {
    /// The shares of each line.
    pub(super) lines: Vec<Vec<Share>>,
    /// The shares of shipping.
    pub(super) shipping: Vec<Share>,
    /// The discounts, in the order in which they were applied.
    pub(super) discounts: Vec<Applied>,
    /// The discounts that took nothing off, and why.
    pub(super) passed_over: Vec<(DiscountId, Refusal)>,
}

/// The prices of lines and shipping that remain after the discounts so far.
struct Remaining<'a> {
    lines: &'a [CartLine],
    goods: Vec<Money>,
    shipping: Money,
    currency: Currency,
}

/// The amounts that one discount takes off.
struct Reduction {
    goods: Vec<Money>,
    shipping: Money,
}

/// Returns what `discounts`, all of which are allowed, take off `lines` and `shipping`.
///
/// The stacking rule: discounts are applied in the order of [`Discount::precedence`], each to the price
/// that the earlier ones leave. A discount that is not stackable is applied only if no other was applied
/// before it, and none is applied after it.
pub(super) fn reduce(
    lines: &[CartLine],
    shipping: Option<Money>,
    discounts: &[Discount],
    currency: Currency,
) -> Result<Reductions, MoneyError> {
    let mut ordered: Vec<&Discount> = discounts.iter().collect();
    ordered.sort_by_key(|discount| discount.precedence());
    let mut remaining = Remaining {
        lines,
        goods: lines
            .iter()
            .map(CartLine::subtotal)
            .collect::<Result<_, _>>()?,
        shipping: shipping.unwrap_or(Money::zero(currency)),
        currency,
    };
    let mut reduced = Reductions {
        lines: vec![Vec::new(); lines.len()],
        shipping: Vec::new(),
        discounts: Vec::new(),
        passed_over: Vec::new(),
    };
    let mut alone = false;
    for discount in ordered {
        let first = reduced.discounts.is_empty();
        if alone || !(discount.terms.stackable || first) {
            reduced
                .passed_over
                .push((discount.id, Refusal::NotCombinable));
            continue;
        }
        let reduction = remaining.reduction_by(discount)?;
        let amount =
            Money::sum(currency, reduction.goods.iter().copied())?.plus(reduction.shipping)?;
        if amount.is_zero() {
            reduced.passed_over.push((discount.id, Refusal::NoEffect));
            continue;
        }
        remaining.subtract(&reduction)?;
        reduced.record(discount, reduction, amount);
        alone = !discount.terms.stackable;
    }
    Ok(reduced)
}

impl Reductions {
    fn record(&mut self, discount: &Discount, reduction: Reduction, amount: Money) {
        let share = |amount| Share {
            discount_id: discount.id,
            amount,
        };
        for (shares, part) in self.lines.iter_mut().zip(reduction.goods) {
            if part.is_positive() {
                shares.push(share(part));
            }
        }
        if reduction.shipping.is_positive() {
            self.shipping.push(share(reduction.shipping));
        }
        self.discounts.push(Applied {
            id: discount.id,
            name: discount.terms.name.clone(),
            code: discount.code.clone(),
            amount,
        });
    }
}

impl Remaining<'_> {
    /// Returns what `discount` takes off the remaining prices, never more than the price of a line.
    fn reduction_by(&self, discount: &Discount) -> Result<Reduction, MoneyError> {
        let nothing = Money::zero(self.currency);
        let matching: Vec<Money> = self
            .lines
            .iter()
            .zip(&self.goods)
            .map(|(line, left)| {
                let matches = discount.terms.matches(line.product_id, &line.category);
                if matches { *left } else { nothing }
            })
            .collect();
        let mut reduction = Reduction {
            goods: vec![nothing; self.lines.len()],
            shipping: nothing,
        };
        match &discount.terms.benefit {
            Benefit::Percentage { rate } => {
                let all = Money::sum(self.currency, matching.iter().copied())?;
                let part = all.amount().checked_mul(rate.as_decimal());
                let part = Money::rounded(part.ok_or(MoneyError::TooLarge)?, self.currency)?;
                reduction.goods = part.split(&matching)?;
            }
            Benefit::Amount { amount } => {
                let all = Money::sum(self.currency, matching.iter().copied())?;
                reduction.goods = smaller(*amount, all)?.split(&matching)?;
            }
            Benefit::FixedPrice { price } => {
                reduction.goods = self.excess_over(*price, &matching)?;
            }
            Benefit::BuyXGetY { buy, get } => {
                reduction.goods = self.free_pieces(*buy, *get, &matching)?;
            }
            Benefit::FreeShipping => reduction.shipping = self.shipping,
        }
        match discount.terms.max_amount {
            Some(most) => reduction.capped(most),
            None => Ok(reduction),
        }
    }

    /// Returns by how much each of the `matching` lines exceeds `price` per piece.
    fn excess_over(&self, price: Money, matching: &[Money]) -> Result<Vec<Money>, MoneyError> {
        let lines = self.lines.iter().zip(matching);
        lines
            .map(|(line, left)| {
                // A price too large to represent is more than the line costs.
                match price.times(line.quantity) {
                    Err(MoneyError::TooLarge) => Ok(Money::zero(self.currency)),
                    wanted => left.minus(smaller(wanted?, *left)?),
                }
            })
            .collect()
    }

    /// Returns the price of the cheapest `get` of every `buy + get` pieces of the `matching` lines. Of
    /// pieces with the same price, those of earlier lines are free first.
    fn free_pieces(
        &self,
        buy: u32,
        get: u32,
        matching: &[Money],
    ) -> Result<Vec<Money>, MoneyError> {
        let mut by_price: Vec<usize> = (0..self.lines.len())
            .filter(|at| matching[*at].is_positive())
            .collect();
        by_price.sort_by_key(|at| self.lines[*at].unit_price.amount());
        let pieces = by_price
            .iter()
            .map(|at| u64::from(self.lines[*at].quantity));
        let set = u64::from(buy) + u64::from(get);
        let sets = pieces.sum::<u64>().checked_div(set).unwrap_or(0);
        let mut free = sets * u64::from(get);
        let mut taken = vec![Money::zero(self.currency); self.lines.len()];
        for at in by_price {
            let quantity = self.lines[at].quantity;
            let free_of_line = u32::try_from(free).unwrap_or(u32::MAX).min(quantity);
            // The same fraction of the line's remaining price as of its pieces.
            let part = matching[at].amount().checked_mul(free_of_line.into());
            let part = part.and_then(|part| part.checked_div(quantity.into()));
            taken[at] = Money::rounded(part.unwrap_or_default(), self.currency)?;
            free -= u64::from(free_of_line);
        }
        Ok(taken)
    }

    fn subtract(&mut self, reduction: &Reduction) -> Result<(), MoneyError> {
        for (left, part) in self.goods.iter_mut().zip(&reduction.goods) {
            *left = left.minus(*part)?;
        }
        self.shipping = self.shipping.minus(reduction.shipping)?;
        Ok(())
    }
}

impl Reduction {
    /// Limits the sum to `most` by reducing all parts in proportion.
    fn capped(self, most: Money) -> Result<Self, MoneyError> {
        let mut parts = self.goods;
        parts.push(self.shipping);
        let all = Money::sum(most.currency(), parts.iter().copied())?;
        let mut goods = smaller(most, all)?.split(&parts)?;
        let shipping = goods.pop().unwrap_or(Money::zero(most.currency()));
        Ok(Self { goods, shipping })
    }
}

/// Returns the smaller amount.
fn smaller(one: Money, other: Money) -> Result<Money, MoneyError> {
    Ok(match one.compare(other)? {
        Ordering::Less => one,
        Ordering::Equal | Ordering::Greater => other,
    })
}
