//! Laws that hold for every breakdown.

use proptest::prelude::*;

use super::breakdown::{Breakdown, Cart, Totals, calculate};
use super::cart::CartLine;
use super::fixtures;
use super::model::{Benefit, Discount};
use super::shipping::{Cost, ShippingMethod};
use super::tax::{Destination, TaxRate};
use crate::values::money::{Currency, Money};

/// The input of a calculation.
#[derive(Clone, Debug)]
struct Case {
    currency: Currency,
    lines: Vec<CartLine>,
    discounts: Vec<Discount>,
    shipping: ShippingMethod,
    taxes: Vec<TaxRate>,
}

const CATEGORIES: [&str; 3] = ["tea", "cup", "books"];

fn money(units: u64, currency: Currency) -> Money {
    Money::from_minor_units(units, currency).unwrap()
}

fn line(currency: Currency) -> impl Strategy<Value = CartLine> {
    (0..CATEGORIES.len(), 1_u32..=999, 0_u64..=200_000).prop_map(move |(at, quantity, units)| {
        CartLine {
            unit_price: money(units, currency),
            ..fixtures::line(CATEGORIES[at], quantity, "1.00")
        }
    })
}

fn benefit(currency: Currency) -> impl Strategy<Value = Benefit> {
    prop_oneof![
        (0_u32..=100).prop_map(|rate| fixtures::percent(&format!(
            "{}.{:02}",
            rate / 100,
            rate % 100
        ))),
        (0_u64..=5_000_000).prop_map(move |units| Benefit::Amount {
            amount: money(units, currency)
        }),
        (0_u64..=200_000).prop_map(move |units| Benefit::FixedPrice {
            price: money(units, currency)
        }),
        (0_u32..4, 1_u32..4).prop_map(|(buy, get)| Benefit::BuyXGetY { buy, get }),
        Just(Benefit::FreeShipping),
    ]
}

fn discount(currency: Currency) -> impl Strategy<Value = Discount> {
    let cap = prop::option::of((0_u64..=1_000_000).prop_map(move |units| money(units, currency)));
    let only = prop::option::of(0..CATEGORIES.len());
    let parts = (
        benefit(currency),
        0_u32..3,
        prop::bool::weighted(0.8),
        cap,
        only,
        any::<u64>(),
    );
    parts.prop_map(|(benefit, priority, stackable, cap, only, name)| {
        let mut made = fixtures::discount(&name.to_string(), benefit);
        made.terms.priority = priority;
        made.terms.stackable = stackable;
        made.terms.max_amount = cap;
        made.terms.categories = only
            .map(|at| CATEGORIES[at].parse().unwrap())
            .into_iter()
            .collect();
        made
    })
}

fn taxes(included: bool) -> impl Strategy<Value = Vec<TaxRate>> {
    let rate = (0..=CATEGORIES.len(), 0_u32..=999).prop_map(move |(at, rate)| {
        fixtures::tax(
            "AT",
            None,
            CATEGORIES.get(at).copied(),
            &format!("0.{rate:03}"),
            included,
        )
    });
    prop::collection::vec(rate, 0..4)
}

fn case(included: bool) -> impl Strategy<Value = Case> {
    let currency = prop_oneof!["EUR", "JPY", "KWD"];
    let currency = currency.prop_map(|code| code.parse::<Currency>().unwrap());
    currency.prop_flat_map(move |currency| {
        let lines = prop::collection::vec(line(currency), 1..8);
        let discounts = prop::collection::vec(discount(currency), 0..5);
        (lines, discounts, 0_u64..=5_000, taxes(included)).prop_map(
            move |(lines, discounts, units, taxes)| Case {
                currency,
                lines,
                discounts,
                shipping: fixtures::method(
                    "parcel",
                    Cost::Flat {
                        price: money(units, currency),
                    },
                ),
                taxes,
            },
        )
    })
}

fn priced(case: &Case, discounts: &[Discount], taxes: &[TaxRate]) -> Breakdown {
    let destination = Destination {
        country: "AT".to_owned(),
        region: None,
        postal_code: None,
    };
    let cart = Cart {
        currency: case.currency,
        lines: &case.lines,
        destination: &destination,
        shipping: Some(&case.shipping),
        taxes,
    };
    calculate(&cart, discounts).unwrap().breakdown
}

fn not_negative(money: Money) -> bool {
    money.minor_units().is_some()
}

proptest! {
    #[test]
    fn parts_add_up_and_no_amount_is_negative(
        case in prop_oneof![case(true), case(false)],
    ) {
        let breakdown = priced(&case, &case.discounts, &case.taxes);
        // `check` fails if discounts exceed a line or shares do not add up.
        let Totals { subtotal, discount, shipping, tax, total } = breakdown.check().unwrap();
        for part in [subtotal, discount, shipping, tax, total] {
            prop_assert!(not_negative(part));
        }
        let taxes = breakdown.lines.iter().map(|line| &line.taxes);
        let taxes = taxes.chain(breakdown.shipping.iter().map(|part| &part.taxes));
        let added = taxes.flatten().filter(|tax| !tax.included).map(|tax| tax.amount);
        let added = Money::sum(case.currency, added).unwrap();
        let sum = subtotal.minus(discount).unwrap().plus(shipping).unwrap().plus(added).unwrap();
        prop_assert_eq!(sum, total);
        for applied in &breakdown.discounts {
            let discount = case.discounts.iter().find(|discount| discount.id == applied.id).unwrap();
            if let Some(most) = discount.terms.max_amount {
                prop_assert!(applied.amount.compare(most).unwrap().is_le());
            }
        }
    }

    #[test]
    fn included_tax_does_not_change_the_total(case in case(true)) {
        let with = priced(&case, &case.discounts, &case.taxes).check().unwrap();
        let without = priced(&case, &case.discounts, &[]).check().unwrap();
        prop_assert_eq!(with.total, without.total);
    }

    #[test]
    fn the_order_of_the_discounts_does_not_matter(
        case in case(true),
        shuffled in any::<prop::sample::Index>(),
    ) {
        let expected = priced(&case, &case.discounts, &case.taxes);
        let mut other = case.discounts.clone();
        other.reverse();
        if !other.is_empty() {
            let at = shuffled.index(other.len());
            other.rotate_left(at);
        }
        prop_assert_eq!(expected, priced(&case, &other, &case.taxes));
    }

    #[test]
    fn discounts_never_raise_the_total(case in case(false)) {
        let stackable: Vec<Discount> = case.discounts.iter().filter(|discount| discount.terms.stackable).cloned().collect();
        let all = priced(&case, &stackable, &case.taxes).check().unwrap();
        let none = priced(&case, &[], &case.taxes).check().unwrap();
        prop_assert!(all.total.compare(none.total).unwrap().is_le());
    }
}
