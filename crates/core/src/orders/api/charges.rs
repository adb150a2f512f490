//! Totals, discounts, shipping and tax on the wire, for orders and for quotes.

use serde::Serialize;

use crate::catalog::sku::Sku;
use crate::http::problem::Problem;
use crate::orders::model::Line;
use crate::pricing::breakdown::{Breakdown, PricedLine, PricedShipping};
use crate::pricing::discounts::{Applied, Share};
use crate::pricing::model::{Code, Rate};
use crate::pricing::shipping::DeliveryDays;
use crate::pricing::tax::Tax;
use crate::pricing::tax::registry::Check;
use crate::values::id::{DiscountId, ProductId, VariantId};
use crate::values::money::Money;

/// A line: `subtotal` is before discounts.
#[derive(Debug, Serialize)]
pub(in crate::orders) struct LineBody {
    product_id: ProductId,
    variant_id: VariantId,
    sku: Sku,
    name: String,
    quantity: u32,
    unit_price: Money,
    price_list: Option<String>,
    subtotal: Money,
    discounts: Vec<ShareBody>,
    taxes: Vec<TaxBody>,
}

#[derive(Debug, Serialize)]
struct ShareBody {
    discount_id: DiscountId,
    amount: Money,
}

#[derive(Debug, Serialize)]
struct TaxBody {
    name: String,
    rate: Rate,
    included: bool,
    base: Money,
    amount: Money,
}

#[derive(Debug, Serialize)]
struct DiscountBody {
    id: DiscountId,
    name: String,
    code: Option<Code>,
    amount: Money,
}

#[derive(Debug, Serialize)]
struct ShippingBody {
    method: String,
    name: String,
    delivery_days: Option<DeliveryDays>,
    price: Money,
    discounts: Vec<ShareBody>,
    taxes: Vec<TaxBody>,
}

/// The lines and their totals: `total_amount = subtotal - discount + shipping's price + tax that is not included`.
#[derive(Debug, Serialize)]
pub(in crate::orders) struct TotalsBody {
    items: Vec<LineBody>,
    subtotal: Money,
    discounts: Vec<DiscountBody>,
    discount: Money,
    shipping: Option<ShippingBody>,
    tax: Money,
    taxes: Vec<TaxBody>,
    reverse_charge: bool,
    tax_number_check: Option<Check>,
    total_amount: Money,
}

impl TotalsBody {
    /// Returns the totals of `lines` by `breakdown`; `total` is the amount that is charged.
    pub(in crate::orders) fn new(
        lines: &[Line],
        breakdown: &Breakdown,
        total: Money,
    ) -> Result<Self, Problem> {
        let totals = breakdown.totals().map_err(Problem::internal)?;
        let items = lines.iter().zip(&breakdown.lines);
        let discounts = breakdown.discounts.iter();
        Ok(Self {
            items: items
                .map(|(line, priced)| LineBody::new(line, priced))
                .collect(),
            subtotal: totals.subtotal,
            discounts: discounts.map(DiscountBody::from_discount).collect(),
            discount: totals.discount,
            shipping: breakdown.shipping.as_ref().map(ShippingBody::from_shipping),
            tax: totals.tax,
            taxes: taxes(&breakdown.taxes().map_err(Problem::internal)?),
            reverse_charge: breakdown.reverse_charge,
            tax_number_check: breakdown.tax_number_check,
            total_amount: total,
        })
    }
}

impl LineBody {
    fn new(line: &Line, priced: &PricedLine) -> Self {
        Self {
            product_id: line.product_id,
            variant_id: line.variant_id,
            sku: line.sku(),
            name: line.name.clone(),
            quantity: line.quantity,
            unit_price: line.unit_price,
            price_list: line.price_list.clone(),
            subtotal: priced.subtotal,
            discounts: shares(&priced.discounts),
            taxes: taxes(&priced.taxes),
        }
    }
}

fn shares(shares: &[Share]) -> Vec<ShareBody> {
    let shares = shares.iter();
    shares
        .map(|share| ShareBody {
            discount_id: share.discount_id,
            amount: share.amount,
        })
        .collect()
}

fn taxes(taxes: &[Tax]) -> Vec<TaxBody> {
    taxes.iter().map(TaxBody::from_tax).collect()
}

impl TaxBody {
    fn from_tax(tax: &Tax) -> Self {
        Self {
            name: tax.name.clone(),
            rate: tax.rate,
            included: tax.included,
            base: tax.base,
            amount: tax.amount,
        }
    }
}

impl DiscountBody {
    fn from_discount(applied: &Applied) -> Self {
        Self {
            id: applied.id,
            name: applied.name.clone(),
            code: applied.code.clone(),
            amount: applied.amount,
        }
    }
}

impl ShippingBody {
    fn from_shipping(part: &PricedShipping) -> Self {
        Self {
            method: part.method.clone(),
            name: part.name.clone(),
            delivery_days: part.delivery_days,
            price: part.price,
            discounts: shares(&part.discounts),
            taxes: taxes(&part.taxes),
        }
    }
}
