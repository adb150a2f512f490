//! Discounts, shipping and tax as they stand in storage and in quotes. Names are short, because they are repeated for
//! every line.

use serde::{Deserialize, Serialize};

use crate::aws::dynamo::StoreError;
use crate::orders::uses::{Counter, Use};
use crate::pricing::breakdown::{Breakdown, PricedLine, PricedShipping};
use crate::pricing::discounts::{Applied, Share};
use crate::pricing::model::{Code, Rate};
use crate::pricing::shipping::DeliveryDays;
use crate::pricing::tax::Tax;
use crate::pricing::tax::registry::Check;
use crate::values::id::{CustomerId, DiscountId};
use crate::values::money::{Currency, Money};

/// The discounts and the tax of a line.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(in crate::orders) struct LineCharges {
    /// Discounts: the index of each in the order's list, and the amount that it takes off.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    d: Vec<(usize, String)>,
    /// The tax, if there is only one: the form of earlier releases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    t: Option<TaxItem>,
    /// Taxes, if there are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    x: Vec<TaxItem>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct TaxItem {
    /// Name.
    n: String,
    /// Rate.
    r: Rate,
    /// Whether the price contains it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    i: bool,
    /// Base.
    b: String,
    /// Amount.
    a: String,
}

/// The charges of the whole order.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(in crate::orders) struct Charges {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    discounts: Vec<AppliedItem>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shipping: Option<ShippingItem>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    reverse_charge: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tax_number_check: Option<Check>,
    /// The uses of discounts that the order took, as far as earlier releases know them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    uses: Vec<UseItem>,
    /// The other uses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    counts: Vec<CountItem>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct AppliedItem {
    id: DiscountId,
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    code: Option<Code>,
    amount: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct ShippingItem {
    method: String,
    name: String,
    /// The fewest and the most days of delivery.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    days: Option<(u32, u32)>,
    price: String,
    #[serde(default, skip_serializing_if = "LineCharges::is_none")]
    c: LineCharges,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct UseItem {
    discount_id: DiscountId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    customer_id: Option<CustomerId>,
    limit: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct CountItem {
    discount_id: DiscountId,
    of: Counter,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    limit: Option<u32>,
}

impl Charges {
    /// Returns whether there is no discount, no shipping, no reverse charge, no check and no use.
    pub(in crate::orders) fn is_none(&self) -> bool {
        self.discounts.is_empty()
            && self.shipping.is_none()
            && !self.reverse_charge
            && self.tax_number_check.is_none()
            && self.uses.is_empty()
            && self.counts.is_empty()
    }
}

impl Charges {
    /// Returns whether `discount` was applied without a use in the count of the order's customer or guest.
    pub(in crate::orders) fn has_uncounted(&self, discount: DiscountId) -> bool {
        let was_applied = self.discounts.iter().any(|applied| applied.id == discount);
        let of_customer = |counter: &Counter| match counter {
            Counter::Customer(_) | Counter::Guest(_) => true,
            Counter::Total | Counter::Unlimited(_) | Counter::Code(_) => false,
        };
        let known = self.uses.iter();
        let mut known = known.filter(|taken| taken.customer_id.is_some());
        let others = self.counts.iter();
        let mut others = others.filter(|taken| of_customer(&taken.of));
        was_applied
            && !known.any(|taken| taken.discount_id == discount)
            && !others.any(|taken| taken.discount_id == discount)
    }
}

fn text(money: Money) -> String {
    money.amount().to_string()
}

impl LineCharges {
    /// Returns whether there is no discount and no tax.
    pub(in crate::orders) fn is_none(&self) -> bool {
        self.d.is_empty() && self.t.is_none() && self.x.is_empty()
    }

    fn new(discounts: &[Applied], shares: &[Share], taxes: &[Tax]) -> Self {
        let place = |id: DiscountId| discounts.iter().position(|applied| applied.id == id);
        let shares = shares.iter();
        let shares =
            shares.filter_map(|share| Some((place(share.discount_id)?, text(share.amount))));
        Self {
            d: shares.collect(),
            t: match taxes {
                [tax] => Some(TaxItem::from(tax)),
                _ => None,
            },
            x: match taxes {
                [] | [_] => Vec::new(),
                several => several.iter().map(TaxItem::from).collect(),
            },
        }
    }

    fn read(
        self,
        discounts: &[AppliedItem],
        currency: Currency,
    ) -> Result<(Vec<Share>, Vec<Tax>), StoreError> {
        let money = |text: &str| Money::parse(text, currency).map_err(StoreError::unreadable);
        let share = |(place, amount): (usize, String)| {
            let discount = discounts.get(place);
            let discount =
                discount.ok_or_else(|| StoreError::unreadable("a discount is not listed"))?;
            Ok(Share {
                discount_id: discount.id,
                amount: money(&amount)?,
            })
        };
        let tax = |tax: TaxItem| {
            Ok::<_, StoreError>(Tax {
                base: money(&tax.b)?,
                amount: money(&tax.a)?,
                name: tax.n,
                rate: tax.r,
                included: tax.i,
            })
        };
        let shares: Result<_, StoreError> = self.d.into_iter().map(share).collect();
        let taxes: Result<_, StoreError> = self.t.into_iter().chain(self.x).map(tax).collect();
        Ok((shares?, taxes?))
    }
}

/// Returns the stored form of `breakdown` and `uses`: the charges of each line, and those of the whole order.
pub(in crate::orders) fn to_stored(
    breakdown: &Breakdown,
    uses: &[Use],
) -> (Vec<LineCharges>, Charges) {
    let discounts = &breakdown.discounts;
    let lines = breakdown.lines.iter();
    let lines = lines.map(|line| LineCharges::new(discounts, &line.discounts, &line.taxes));
    let (known, others): (Vec<&Use>, Vec<&Use>) = uses.iter().partition(|taken| {
        matches!(taken.counter, Counter::Total | Counter::Customer(_)) && taken.limit.is_some()
    });
    let charges = Charges {
        discounts: discounts
            .iter()
            .map(|applied| AppliedItem {
                id: applied.id,
                name: applied.name.clone(),
                code: applied.code.clone(),
                amount: text(applied.amount),
            })
            .collect(),
        shipping: breakdown.shipping.as_ref().map(|part| ShippingItem {
            method: part.method.clone(),
            name: part.name.clone(),
            days: part.delivery_days.map(|days| (days.min, days.max)),
            price: text(part.price),
            c: LineCharges::new(discounts, &part.discounts, &part.taxes),
        }),
        reverse_charge: breakdown.reverse_charge,
        tax_number_check: breakdown.tax_number_check,
        uses: known.into_iter().map(UseItem::from).collect(),
        counts: others.into_iter().map(CountItem::from).collect(),
    };
    (lines.collect(), charges)
}

/// Returns the breakdown and the uses of an order, from its lines' subtotals and stored charges.
pub(in crate::orders) fn from_stored(
    currency: Currency,
    lines: Vec<(Money, LineCharges)>,
    charges: Charges,
) -> Result<(Breakdown, Vec<Use>), StoreError> {
    let money = |text: &str| Money::parse(text, currency).map_err(StoreError::unreadable);
    let listed = charges.discounts;
    let line = |(subtotal, charges): (Money, LineCharges)| {
        let (discounts, taxes) = charges.read(&listed, currency)?;
        Ok(PricedLine {
            subtotal,
            discounts,
            taxes,
        })
    };
    let lines: Result<_, StoreError> = lines.into_iter().map(line).collect();
    let shipping = charges.shipping.map(|part| {
        let (discounts, taxes) = part.c.read(&listed, currency)?;
        Ok::<_, StoreError>(PricedShipping {
            price: money(&part.price)?,
            method: part.method,
            name: part.name,
            delivery_days: part.days.map(|(min, max)| DeliveryDays { min, max }),
            discounts,
            taxes,
        })
    });
    let shipping = shipping.transpose()?;
    let discounts = listed.iter().map(|item| {
        Ok(Applied {
            id: item.id,
            name: item.name.clone(),
            code: item.code.clone(),
            amount: money(&item.amount)?,
        })
    });
    let breakdown = Breakdown {
        currency,
        lines: lines?,
        discounts: discounts.collect::<Result<_, StoreError>>()?,
        shipping,
        reverse_charge: charges.reverse_charge,
        tax_number_check: charges.tax_number_check,
    };
    let uses = charges.uses.into_iter().map(Use::from);
    let uses = uses.chain(charges.counts.into_iter().map(Use::from));
    Ok((breakdown, uses.collect()))
}

impl From<&Tax> for TaxItem {
    fn from(tax: &Tax) -> Self {
        Self {
            n: tax.name.clone(),
            r: tax.rate,
            i: tax.included,
            b: text(tax.base),
            a: text(tax.amount),
        }
    }
}

impl From<&Use> for UseItem {
    fn from(taken: &Use) -> Self {
        Self {
            discount_id: taken.discount_id,
            customer_id: match taken.counter {
                Counter::Customer(customer) => Some(customer),
                Counter::Total | Counter::Unlimited(_) | Counter::Guest(_) | Counter::Code(_) => {
                    None
                }
            },
            limit: taken.limit.unwrap_or(u32::MAX),
        }
    }
}

impl From<UseItem> for Use {
    fn from(item: UseItem) -> Self {
        Self {
            discount_id: item.discount_id,
            counter: item.customer_id.map_or(Counter::Total, Counter::Customer),
            limit: Some(item.limit),
        }
    }
}

impl From<&Use> for CountItem {
    fn from(taken: &Use) -> Self {
        Self {
            discount_id: taken.discount_id,
            of: taken.counter.clone(),
            limit: taken.limit,
        }
    }
}

impl From<CountItem> for Use {
    fn from(item: CountItem) -> Self {
        Self {
            discount_id: item.discount_id,
            counter: item.of,
            limit: item.limit,
        }
    }
}
