//! What discounts take off, one after another.

use std::cmp::Ordering;

use super::cart::CartLine;
use super::model::{Benefit, Code, Discount, Group, Refusal};
use crate::values::clock::Time;
use crate::values::id::DiscountId;
use crate::values::money::{Currency, Money, MoneyError};

/// What a discount took off a line, or off shipping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// The discount.
    pub discount_id: DiscountId,
    /// How much.
    pub amount: Money,
}

/// What a discount took off the order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The discount.
    pub id: DiscountId,
    /// Its name.
    pub name: String,
    /// Its code, if it came by one.
    pub code: Option<Code>,
    /// How much: the sum of its shares.
    pub amount: Money,
}

/// Who shops, as far as discounts ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shopper {
    /// With or without an account.
    pub group: Group,
    /// Whether this would be the customer's first order; not asked of guests.
    pub first_order: bool,
}

/// Whether `shopper` may have `discount` on `lines` at `now`, as far as its own terms say: its uses are
/// counted when the order is placed, and others may exclude it.
///
/// # Errors
/// [`Refusal`]; a minimum in another currency is one that is not reached.
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

/// What discounts have taken off.
#[derive(Debug)]
pub(super) struct Reduced {
    /// Of each line.
    pub(super) lines: Vec<Vec<Share>>,
    /// Of shipping.
    pub(super) shipping: Vec<Share>,
    /// By discount, in the order in which they were applied.
    pub(super) discounts: Vec<Applied>,
    /// Those that took nothing.
    pub(super) passed_over: Vec<(DiscountId, Refusal)>,
}

/// What is left of the prices of lines and shipping.
struct Left<'a> {
    lines: &'a [CartLine],
    goods: Vec<Money>,
    shipping: Money,
    currency: Currency,
}

/// What one discount takes off.
struct Taken {
    goods: Vec<Money>,
    shipping: Money,
}

/// What `discounts`, all of which are allowed, take off `lines` and `shipping`.
///
/// The rule of stacking: discounts come in the order of their places ([`Discount::place`]), each on what
/// the ones before have left. One that is not stackable is applied only if none has been before it, and
/// then none is after it.
pub(super) fn reduce(
    lines: &[CartLine],
    shipping: Option<Money>,
    discounts: &[Discount],
    currency: Currency,
) -> Result<Reduced, MoneyError> {
    let mut ordered: Vec<&Discount> = discounts.iter().collect();
    ordered.sort_by_key(|discount| discount.place());
    let mut left = Left {
        lines,
        goods: lines
            .iter()
            .map(CartLine::subtotal)
            .collect::<Result<_, _>>()?,
        shipping: shipping.unwrap_or(Money::zero(currency)),
        currency,
    };
    let mut reduced = Reduced {
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
        let taken = left.taken_by(discount)?;
        let amount = Money::sum(currency, taken.goods.iter().copied())?.plus(taken.shipping)?;
        if amount.is_zero() {
            reduced.passed_over.push((discount.id, Refusal::NoEffect));
            continue;
        }
        left.take(&taken)?;
        reduced.note(discount, taken, amount);
        alone = !discount.terms.stackable;
    }
    Ok(reduced)
}

impl Reduced {
    fn note(&mut self, discount: &Discount, taken: Taken, amount: Money) {
        let share = |amount| Share {
            discount_id: discount.id,
            amount,
        };
        for (shares, part) in self.lines.iter_mut().zip(taken.goods) {
            if part.is_positive() {
                shares.push(share(part));
            }
        }
        if taken.shipping.is_positive() {
            self.shipping.push(share(taken.shipping));
        }
        self.discounts.push(Applied {
            id: discount.id,
            name: discount.terms.name.clone(),
            code: discount.code.clone(),
            amount,
        });
    }
}

impl Left<'_> {
    /// What `discount` takes off what is left: on no line more than is left of it.
    fn taken_by(&self, discount: &Discount) -> Result<Taken, MoneyError> {
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
        let mut taken = Taken {
            goods: vec![nothing; self.lines.len()],
            shipping: nothing,
        };
        match &discount.terms.benefit {
            Benefit::Percentage { rate } => {
                let all = Money::sum(self.currency, matching.iter().copied())?;
                let part = all.amount().checked_mul(rate.as_decimal());
                let part = Money::rounded(part.ok_or(MoneyError::TooLarge)?, self.currency)?;
                taken.goods = part.split(&matching)?;
            }
            Benefit::Amount { amount } => {
                let all = Money::sum(self.currency, matching.iter().copied())?;
                taken.goods = least(*amount, all)?.split(&matching)?;
            }
            Benefit::FixedPrice { price } => {
                taken.goods = self.beyond(*price, &matching)?;
            }
            Benefit::BuyXGetY { buy, get } => {
                taken.goods = self.cheapest(*buy, *get, &matching)?;
            }
            Benefit::FreeShipping => taken.shipping = self.shipping,
        }
        match discount.terms.max_amount {
            Some(most) => taken.capped(most),
            None => Ok(taken),
        }
    }

    /// What each of the `matching` lines costs beyond `price` for a piece.
    fn beyond(&self, price: Money, matching: &[Money]) -> Result<Vec<Money>, MoneyError> {
        let lines = self.lines.iter().zip(matching);
        lines
            .map(|(line, left)| {
                // A price beyond what can be counted is more than what is left.
                match price.times(line.quantity) {
                    Err(MoneyError::TooLarge) => Ok(Money::zero(self.currency)),
                    wanted => left.minus(least(wanted?, *left)?),
                }
            })
            .collect()
    }

    /// What the cheapest `get` of every `buy` and `get` pieces of the `matching` lines cost; of equally
    /// cheap ones the first.
    fn cheapest(&self, buy: u32, get: u32, matching: &[Money]) -> Result<Vec<Money>, MoneyError> {
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
            let of_line = u32::try_from(free).unwrap_or(u32::MAX).min(quantity);
            // Of what is left of the line, as much as so many of its pieces are of all.
            let part = matching[at].amount().checked_mul(of_line.into());
            let part = part.and_then(|part| part.checked_div(quantity.into()));
            taken[at] = Money::rounded(part.unwrap_or_default(), self.currency)?;
            free -= u64::from(of_line);
        }
        Ok(taken)
    }

    fn take(&mut self, taken: &Taken) -> Result<(), MoneyError> {
        for (left, part) in self.goods.iter_mut().zip(&taken.goods) {
            *left = left.minus(*part)?;
        }
        self.shipping = self.shipping.minus(taken.shipping)?;
        Ok(())
    }
}

impl Taken {
    /// No more than `most` of it, off each part in proportion.
    fn capped(self, most: Money) -> Result<Self, MoneyError> {
        let mut parts = self.goods;
        parts.push(self.shipping);
        let all = Money::sum(most.currency(), parts.iter().copied())?;
        let mut goods = least(most, all)?.split(&parts)?;
        let shipping = goods.pop().unwrap_or(Money::zero(most.currency()));
        Ok(Self { goods, shipping })
    }
}

fn least(one: Money, other: Money) -> Result<Money, MoneyError> {
    Ok(match one.compare(other)? {
        Ordering::Less => one,
        Ordering::Equal | Ordering::Greater => other,
    })
}
