//! The parts of an order's total, as a mail lists them.

use super::numbers::Numbers;
use crate::orders::model::Order;
use crate::values::money::{Money, MoneyError};

/// A part of an order's total.
pub(super) struct Part<'a> {
    /// What it is.
    pub(super) what: What<'a>,
    /// The amount, as the locale writes it; of a discount, with a minus.
    pub(super) amount: String,
}

/// What a part of an order's total is.
pub(super) enum What<'a> {
    Line {
        quantity: u32,
        name: &'a str,
        unit_price: String,
    },
    /// The sum of the lines.
    Subtotal,
    Discount {
        name: &'a str,
    },
    /// Shipping, before discounts.
    Shipping {
        method: &'a str,
    },
    /// A tax that is added to the prices.
    Tax {
        name: String,
        percent: String,
    },
    Total,
    /// A tax that the prices include. It follows the total.
    IncludedTax {
        name: String,
        percent: String,
    },
}

impl Part<'_> {
    pub(super) fn is_total(&self) -> bool {
        matches!(self.what, What::Total)
    }
}

/// Returns the parts of the total of `order`. Those before the total add up to it, not counting the subtotal, which is
/// left out if it would repeat the only line just before the total.
///
/// # Errors
/// Returns [`MoneyError`] if the amounts cannot be added.
pub(super) fn of_order<'a>(
    order: &'a Order,
    numbers: &Numbers,
) -> Result<Vec<Part<'a>>, MoneyError> {
    let mut parts = Vec::new();
    let mut add = |what, amount| {
        let amount = numbers.amount(amount);
        parts.push(Part { what, amount });
    };
    for line in &order.lines {
        let what = What::Line {
            quantity: line.quantity,
            name: &line.name,
            unit_price: numbers.amount(line.unit_price),
        };
        add(what, line.subtotal()?);
    }
    let breakdown = &order.breakdown;
    let (included, added): (Vec<_>, Vec<_>) =
        breakdown.taxes()?.into_iter().partition(|tax| tax.included);
    let only_lines =
        breakdown.discounts.is_empty() && breakdown.shipping.is_none() && added.is_empty();
    if order.lines.len() > 1 || !only_lines {
        add(What::Subtotal, breakdown.totals()?.subtotal);
    }
    for discount in &breakdown.discounts {
        let name = &discount.name;
        let nothing = Money::zero(breakdown.currency);
        add(What::Discount { name }, nothing.minus(discount.amount)?);
    }
    if let Some(shipping) = &breakdown.shipping {
        let method = &shipping.name;
        add(What::Shipping { method }, shipping.price);
    }
    for tax in added {
        let (name, percent) = (tax.name, numbers.percent(tax.rate));
        add(What::Tax { name, percent }, tax.amount);
    }
    add(What::Total, order.total);
    for tax in included {
        let (name, percent) = (tax.name, numbers.percent(tax.rate));
        add(What::IncludedTax { name, percent }, tax.amount);
    }
    Ok(parts)
}
