//! How much discounts take off an order.

use std::cmp::Ordering;

use rust_decimal::Decimal;

use super::cart::CartLine;
use super::model::{Benefit, BuyXGetY, Code, Discount, Group, Rate, Refusal, Terms};
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
    /// Whether the customer can be recognised: by an account, or by a guest's email address.
    pub is_known: bool,
    /// Whether this would be the customer's first order.
    pub first_order: bool,
}

/// Checks that the terms of `discount` allow it for `shopper`, `lines` and `now`. Usage limits are checked
/// when the order is placed, and combination with other discounts when it is priced.
///
/// # Errors
/// Returns the first [`Refusal`] that applies.
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
    if let Some(currency) = terms.only_currency()
        && lines
            .iter()
            .any(|line| line.unit_price.currency() != currency)
    {
        return Err(Refusal::OtherCurrency);
    }
    match shopper.group {
        Group::Guest if terms.customer_group == Some(Group::Customer) => {
            return Err(Refusal::AccountNeeded);
        }
        group if terms.customer_group.is_some_and(|wanted| wanted != group) => {
            return Err(Refusal::OtherCustomers);
        }
        Group::Guest | Group::Customer => {}
    }
    if terms.limit_per_customer().is_some() && !shopper.is_known {
        return Err(Refusal::EmailNeeded);
    }
    if terms.first_order && !shopper.first_order {
        return Err(Refusal::NotFirstOrder);
    }
    let matching: Vec<&CartLine> = lines.iter().filter(|line| terms.matches(line)).collect();
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

/// Pieces of one line that still cost the same. A line's pieces part when some of them become cheaper than the others.
#[derive(Clone, Copy)]
struct Pieces {
    /// The index of the line.
    line: usize,
    quantity: u32,
    /// What they still cost together.
    left: Money,
}

impl Pieces {
    /// Returns what one piece still costs, unrounded.
    fn price_of_one(&self) -> Decimal {
        let price = self.left.amount().checked_div(self.quantity.into());
        price.unwrap_or_default()
    }
}

/// Shipping, as discounts see it.
#[derive(Clone, Copy)]
pub(super) struct Shipment<'a> {
    /// The method's identifier.
    pub(super) method: &'a str,
    /// The price.
    pub(super) price: Money,
}

/// The prices that remain after the discounts so far.
struct Remaining<'a> {
    lines: &'a [CartLine],
    goods: Vec<Pieces>,
    method: Option<&'a str>,
    shipping: Money,
    currency: Currency,
}

/// The amounts that one discount takes off.
struct Reduction {
    /// The pieces that it tells apart, and what it takes off them.
    goods: Vec<(Pieces, Money)>,
    shipping: Money,
}

/// Returns what `discounts`, all of which are allowed, take off `lines` and `shipping`.
///
/// The stacking rule: discounts are applied in the order of [`Discount::precedence`], each to the price
/// that the earlier ones leave. A discount that is not stackable is applied only if no other was applied
/// before it, and none is applied after it.
pub(super) fn reduce(
    lines: &[CartLine],
    shipment: Option<Shipment<'_>>,
    discounts: &[Discount],
    currency: Currency,
) -> Result<Reductions, MoneyError> {
    let mut ordered: Vec<&Discount> = discounts.iter().collect();
    ordered.sort_by_key(|discount| discount.precedence());
    let mut remaining = Remaining {
        lines,
        goods: pieces_of(lines)?,
        method: shipment.map(|shipment| shipment.method),
        shipping: shipment.map_or(Money::zero(currency), |shipment| shipment.price),
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
        let amount = reduction.sum(currency)?;
        if amount.is_zero() {
            reduced.passed_over.push((discount.id, Refusal::NoEffect));
            continue;
        }
        remaining.subtract(&reduction)?;
        reduced.record(discount, &reduction, amount)?;
        alone = !discount.terms.stackable;
    }
    Ok(reduced)
}

/// Returns the pieces of `lines` before discounts.
fn pieces_of(lines: &[CartLine]) -> Result<Vec<Pieces>, MoneyError> {
    let pieces = lines.iter().enumerate().map(|(at, line)| {
        Ok(Pieces {
            line: at,
            quantity: line.quantity,
            left: line.subtotal()?,
        })
    });
    pieces.collect()
}

impl Reductions {
    fn record(
        &mut self,
        discount: &Discount,
        reduction: &Reduction,
        amount: Money,
    ) -> Result<(), MoneyError> {
        let share = |amount| Share {
            discount_id: discount.id,
            amount,
        };
        for (at, shares) in self.lines.iter_mut().enumerate() {
            let of_line = reduction.goods.iter().filter(|(of, _)| of.line == at);
            let part = Money::sum(amount.currency(), of_line.map(|(_, part)| *part))?;
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
        Ok(())
    }
}

impl Remaining<'_> {
    /// Returns what `discount` takes off the remaining prices, never more than the price of a piece.
    fn reduction_by(&self, discount: &Discount) -> Result<Reduction, MoneyError> {
        let terms = &discount.terms;
        let nothing = Money::zero(self.currency);
        let matching: Vec<Money> = self
            .goods
            .iter()
            .map(|pieces| {
                let line = &self.lines[pieces.line];
                let matches = terms.matches(line);
                if matches { pieces.left } else { nothing }
            })
            .collect();
        let all = || Money::sum(self.currency, matching.iter().copied());
        let off = |goods: Vec<Money>| Reduction {
            goods: self.goods.iter().copied().zip(goods).collect(),
            shipping: nothing,
        };
        let reduction = match &terms.benefit {
            Benefit::Percentage { rate } => {
                off(fraction(all()?, rate.as_decimal())?.split(&matching)?)
            }
            Benefit::Amount { amount } => off(smaller(*amount, all()?)?.split(&matching)?),
            Benefit::FixedPrice { price } => off(self.excess_over(*price, &matching)?),
            Benefit::BuyXGetY(bargain) => self.bargain(bargain, terms)?,
            Benefit::FreeShipping { methods, rate } => Reduction {
                shipping: match self.method {
                    Some(method) if methods.is_empty() || methods.iter().any(|of| of == method) => {
                        fraction(self.shipping, rate.map_or(Decimal::ONE, Rate::as_decimal))?
                    }
                    Some(_) | None => nothing,
                },
                ..off(vec![nothing; matching.len()])
            },
        };
        match terms.max_amount {
            Some(most) => reduction.capped(most),
            None => Ok(reduction),
        }
    }

    /// Returns by how much the `matching` pieces exceed `price` each.
    fn excess_over(&self, price: Money, matching: &[Money]) -> Result<Vec<Money>, MoneyError> {
        let goods = self.goods.iter().zip(matching);
        goods
            .map(|(pieces, left)| {
                // A price too large to represent is more than the pieces cost.
                match price.times(pieces.quantity) {
                    Err(MoneyError::TooLarge) => Ok(Money::zero(self.currency)),
                    wanted => left.minus(smaller(wanted?, *left)?),
                }
            })
            .collect()
    }

    /// Returns what `bargain` takes off the cheapest pieces of each set. Of pieces with the same price, those of
    /// earlier lines come first. Pieces that cost nothing any more belong to no set.
    fn bargain(&self, bargain: &BuyXGetY, terms: &Terms) -> Result<Reduction, MoneyError> {
        let among = |wanted: &dyn Fn(&CartLine) -> bool| {
            let places = 0..self.goods.len();
            let counts =
                |pieces: &Pieces| pieces.left.is_positive() && wanted(&self.lines[pieces.line]);
            places
                .filter(|at| counts(&self.goods[*at]))
                .collect::<Vec<usize>>()
        };
        let bought = |line: &CartLine| terms.matches(line);
        let given = |line: &CartLine| bargain.gives(line);
        let (counted, mut cheaper, set) = if bargain.gives_other_goods() {
            let counted = among(&|line| bought(line) && !given(line));
            (counted, among(&given), u64::from(bargain.buy))
        } else {
            let set = u64::from(bargain.buy) + u64::from(bargain.get);
            (among(&bought), among(&bought), set)
        };
        let counted = counted
            .into_iter()
            .map(|at| u64::from(self.goods[at].quantity));
        let sets = counted.sum::<u64>().checked_div(set).unwrap_or(0);
        let mut wanted = sets * u64::from(bargain.get);
        cheaper.sort_by_key(|at| self.goods[*at].price_of_one());
        let nothing = Money::zero(self.currency);
        let goods = self.goods.iter().map(|pieces| (*pieces, nothing));
        let mut goods: Vec<(Pieces, Money)> = goods.collect();
        for at in cheaper {
            let (pieces, _) = goods[at];
            let quantity = u32::try_from(wanted)
                .unwrap_or(u32::MAX)
                .min(pieces.quantity);
            wanted -= u64::from(quantity);
            if quantity == 0 {
                break;
            }
            let left = pieces.left.amount().checked_mul(quantity.into());
            let left = left.and_then(|left| left.checked_div(pieces.quantity.into()));
            let left = Money::rounded(left.unwrap_or_default(), self.currency)?;
            let off = fraction(left, bargain.rate.map_or(Decimal::ONE, Rate::as_decimal))?;
            goods[at] = (
                Pieces {
                    quantity,
                    left,
                    ..pieces
                },
                off,
            );
            if quantity < pieces.quantity {
                let rest = Pieces {
                    quantity: pieces.quantity - quantity,
                    left: pieces.left.minus(left)?,
                    ..pieces
                };
                goods.push((rest, nothing));
            }
        }
        Ok(Reduction {
            goods,
            shipping: nothing,
        })
    }

    fn subtract(&mut self, reduction: &Reduction) -> Result<(), MoneyError> {
        let goods = reduction.goods.iter().map(|(pieces, off)| {
            let left = pieces.left.minus(*off)?;
            Ok(Pieces { left, ..*pieces })
        });
        self.goods = goods.collect::<Result<_, MoneyError>>()?;
        self.shipping = self.shipping.minus(reduction.shipping)?;
        Ok(())
    }
}

impl Reduction {
    /// Returns everything that is taken off.
    fn sum(&self, currency: Currency) -> Result<Money, MoneyError> {
        let goods = self.goods.iter().map(|(_, off)| *off);
        Money::sum(currency, goods)?.plus(self.shipping)
    }

    /// Limits the sum to `most` by reducing all parts in proportion.
    fn capped(self, most: Money) -> Result<Self, MoneyError> {
        let mut parts: Vec<Money> = self.goods.iter().map(|(_, off)| *off).collect();
        parts.push(self.shipping);
        let all = Money::sum(most.currency(), parts.iter().copied())?;
        let mut parts = smaller(most, all)?.split(&parts)?;
        let shipping = parts.pop().unwrap_or(Money::zero(most.currency()));
        let goods = self.goods.into_iter().map(|(pieces, _)| pieces).zip(parts);
        Ok(Self {
            goods: goods.collect(),
            shipping,
        })
    }
}

/// Returns the part `rate` of `money`, rounded half to even.
fn fraction(money: Money, rate: Decimal) -> Result<Money, MoneyError> {
    let part = money.amount().checked_mul(rate);
    Money::rounded(part.ok_or(MoneyError::TooLarge)?, money.currency())
}

/// Returns the smaller amount.
fn smaller(one: Money, other: Money) -> Result<Money, MoneyError> {
    Ok(match one.compare(other)? {
        Ordering::Less => one,
        Ordering::Equal | Ordering::Greater => other,
    })
}
