//! Orders with every kind of total.

use rust_decimal::Decimal;

use super::super::super::tests::{confirmed, failed};
use crate::orders::model::{Line, Order};
use crate::pricing::breakdown::{Breakdown, PricedLine, PricedShipping};
use crate::pricing::discounts::{Applied, Share};
use crate::pricing::shipping::DeliveryDays;
use crate::pricing::tax::Tax;
use crate::values::id::{DiscountId, ProductId};
use crate::values::money::{Currency, Money};

/// The discounts of an order.
#[derive(Clone, Copy, Debug)]
pub(super) enum Discounts {
    None,
    OnALine,
    OnLinesAndShipping,
}

/// The price of an order's shipping.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shipping {
    None,
    Free,
    Priced,
}

/// The taxes on each part of an order: their names, rates in percent, and whether they are included.
pub(super) type Taxes = &'static [(&'static str, i64, bool)];

pub(super) const TAXES: [Taxes; 5] = [
    &[],
    &[("VAT", 19, true)],
    &[("Sales tax", 7, false)],
    &[("GST", 5, false), ("PST", 7, false)],
    &[("VAT", 7, true), ("Levy", 1, false)],
];

/// Everything in which orders differ.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kind {
    pub(super) currency: &'static str,
    pub(super) lines: usize,
    pub(super) discounts: Discounts,
    pub(super) shipping: Shipping,
    pub(super) taxes: Taxes,
    pub(super) reverse_charge: bool,
}

pub(super) fn kinds() -> Vec<Kind> {
    let mut kinds = Vec::new();
    for currency in ["JPY", "EUR", "KWD"] {
        for lines in [1, 3] {
            for discounts in [
                Discounts::None,
                Discounts::OnALine,
                Discounts::OnLinesAndShipping,
            ] {
                for shipping in [Shipping::None, Shipping::Free, Shipping::Priced] {
                    for taxes in TAXES {
                        kinds.push(Kind {
                            currency,
                            lines,
                            discounts,
                            shipping,
                            taxes,
                            reverse_charge: taxes.is_empty(),
                        });
                    }
                }
            }
        }
    }
    kinds
}

/// Returns the amount of `units` in the smallest unit of `currency`.
pub(super) fn money(units: u64, currency: Currency) -> Money {
    Money::from_minor_units(units, currency).unwrap()
}

/// Returns the taxes on a part that costs `price`.
fn taxed(price: Money, taxes: Taxes) -> Vec<Tax> {
    let taxes = taxes.iter().map(|(name, percent, included)| {
        let whole = if *included { 100 + percent } else { 100 };
        let amount = price.amount() * Decimal::from(*percent) / Decimal::from(whole);
        Tax {
            name: (*name).to_owned(),
            rate: Decimal::new(*percent, 2).to_string().parse().unwrap(),
            included: *included,
            base: price,
            amount: Money::rounded(amount, price.currency()).unwrap(),
        }
    });
    taxes.collect()
}

/// Returns the discounts with these names, and takes `units` for each off each of `parts`.
fn discounted<const N: usize>(
    names: [&str; N],
    units: u64,
    currency: Currency,
    parts: &mut [&mut Vec<Share>],
) -> Vec<Applied> {
    let amount = money(units, currency);
    let applied = names.map(|name| {
        let id = DiscountId::derived(&[name]);
        for shares in &mut *parts {
            shares.push(Share {
                discount_id: id,
                amount,
            });
        }
        Applied {
            id,
            name: name.to_owned(),
            code: None,
            amount: Money::sum(currency, parts.iter().map(|_| amount)).unwrap(),
        }
    });
    applied.into()
}

/// Returns an order of this kind, in a state that every template can be filled in with.
pub(super) fn order(kind: Kind) -> Order {
    let currency: Currency = kind.currency.parse().unwrap();
    let goods = [
        ("Tea 1: 5.00 EUR", 3, 1_234_567),
        ("Cup", 1, 99_950),
        ("Pot", 40, 700),
    ];
    let lines = goods[..kind.lines]
        .iter()
        .map(|(name, quantity, units)| Line {
            product_id: ProductId::derived(&[name]),
            variant_id: ProductId::derived(&[name]).into(),
            sku: None,
            name: (*name).to_owned(),
            quantity: *quantity,
            unit_price: money(*units, currency),
            price_list: None,
        });
    let lines: Vec<Line> = lines.collect();
    let mut priced: Vec<PricedLine> = Breakdown::plain(&lines).lines;
    for line in &mut priced {
        line.taxes = taxed(line.subtotal, kind.taxes);
    }
    let price = match kind.shipping {
        Shipping::None => None,
        Shipping::Free => Some(0),
        Shipping::Priced => Some(49_500),
    };
    let mut shipping = price.map(|units| PricedShipping {
        method: "parcel".to_owned(),
        name: "Parcel".to_owned(),
        delivery_days: None,
        price: money(units, currency),
        discounts: Vec::new(),
        taxes: taxed(money(units, currency), kind.taxes),
    });
    let discounts = match kind.discounts {
        Discounts::None => Vec::new(),
        Discounts::OnALine => discounted(
            ["Spring"],
            30_000,
            currency,
            &mut [&mut priced[0].discounts],
        ),
        Discounts::OnLinesAndShipping => {
            let parts = priced.iter_mut().map(|line| &mut line.discounts);
            let shipping = shipping.iter_mut().filter(|part| !part.price.is_zero());
            let parts = parts.chain(shipping.map(|part| &mut part.discounts));
            let mut parts: Vec<_> = parts.collect();
            discounted(["Spring", "Welcome"], 1_250, currency, &mut parts)
        }
    };
    let breakdown = Breakdown {
        currency,
        lines: priced,
        discounts,
        shipping,
        reverse_charge: kind.reverse_charge,
        tax_number_check: None,
    };
    Order {
        total: breakdown.totals().unwrap().total,
        lines,
        breakdown,
        ..failed()
    }
}

/// Returns an order of two for 20.00 each, less 25 %, with shipping for 5.00 and 10 % tax on top.
pub(super) fn case_c01() -> Order {
    let eur = |units| money(units, "EUR".parse().unwrap());
    let tax = |base, amount| Tax {
        name: "Tax".to_owned(),
        rate: "0.1".parse().unwrap(),
        included: false,
        base,
        amount,
    };
    let id = DiscountId::derived(&["spring"]);
    let lines = vec![Line {
        product_id: ProductId::derived(&["tea"]),
        variant_id: ProductId::derived(&["tea"]).into(),
        sku: None,
        name: "Tea & {{total}}".to_owned(),
        quantity: 2,
        unit_price: eur(2_000),
        price_list: None,
    }];
    let breakdown = Breakdown {
        lines: vec![PricedLine {
            subtotal: eur(4_000),
            discounts: vec![Share {
                discount_id: id,
                amount: eur(1_000),
            }],
            taxes: vec![tax(eur(3_000), eur(300))],
        }],
        discounts: vec![Applied {
            id,
            name: "25 % off".to_owned(),
            code: None,
            amount: eur(1_000),
        }],
        shipping: Some(PricedShipping {
            method: "parcel".to_owned(),
            name: "Parcel".to_owned(),
            delivery_days: Some(DeliveryDays { min: 2, max: 4 }),
            price: eur(500),
            discounts: Vec::new(),
            taxes: vec![tax(eur(500), eur(50))],
        }),
        ..Breakdown::plain(&lines)
    };
    Order {
        total: eur(3_850),
        lines,
        breakdown,
        ..confirmed()
    }
}
