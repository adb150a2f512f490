//! Laws that hold for every breakdown.

use proptest::prelude::*;
use rust_decimal::Decimal;

use super::breakdown::{Breakdown, Cart, Priced, Totals, calculate, calculate_lowest};
use super::cart::CartLine;
use super::fixtures;
use super::model::{Benefit, BuyXGetY, Discount, Rate};
use super::shipping::{Cost, NotShipped, ShippingMethod, Step, Zone};
use super::tax::Destination;
use super::tax::Tax;
use super::tax::settings::{Rounding, ShippingTax, TaxRate, TaxSettings, TaxTerms};
use crate::values::money::{Currency, Money, RoundingMode};

mod refunds;
mod shipping;

/// The input of a calculation.
#[derive(Clone, Debug)]
struct Case {
    currency: Currency,
    lines: Vec<CartLine>,
    discounts: Vec<Discount>,
    shipping: ShippingMethod,
    taxes: Vec<TaxRate>,
    terms: TaxTerms,
}

const CATEGORIES: [&str; 3] = ["tea", "cup", "books"];

fn money(units: u64, currency: Currency) -> Money {
    Money::from_minor_units(units, currency).unwrap()
}

/// Up to `pieces` that cost up to `units` each; some are not shipped.
fn line(currency: Currency, pieces: u32, units: u64) -> impl Strategy<Value = CartLine> {
    let parts = (
        0..CATEGORIES.len(),
        1..=pieces,
        0..=units,
        prop::bool::weighted(0.8),
    );
    parts.prop_map(move |(at, quantity, units, shipped)| CartLine {
        unit_price: money(units, currency),
        shipped,
        ..fixtures::line(CATEGORIES[at], quantity, "1.00")
    })
}

/// A large cart, or one that costs less than its shipping.
fn lines(currency: Currency) -> impl Strategy<Value = Vec<CartLine>> {
    prop_oneof![
        prop::collection::vec(line(currency, 999, 200_000), 1..8),
        prop::collection::vec(line(currency, 3, 500), 1..8),
    ]
}

fn rate() -> impl Strategy<Value = Rate> {
    (0_u32..=100).prop_map(|rate| format!("{}.{:02}", rate / 100, rate % 100).parse().unwrap())
}

fn bargain() -> impl Strategy<Value = BuyXGetY> {
    let given = prop::option::of(0..CATEGORIES.len());
    let parts = (0_u32..4, 1_u32..4, prop::option::of(rate()), given);
    parts.prop_map(|(buy, get, rate, given)| BuyXGetY {
        buy,
        get,
        rate,
        of_products: Vec::new(),
        of_categories: given
            .map(|at| CATEGORIES[at].parse().unwrap())
            .into_iter()
            .collect(),
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
        bargain().prop_map(Benefit::BuyXGetY),
        (prop::bool::ANY, prop::option::of(rate())).prop_map(|(parcel, rate)| {
            let method = if parcel { "parcel" } else { "pigeon" };
            Benefit::FreeShipping {
                methods: vec![method.to_owned()],
                rate,
            }
        }),
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

/// Rates of two taxes, the second of which may be compound.
fn taxes(included: bool) -> impl Strategy<Value = Vec<TaxRate>> {
    let rate = (
        0..=CATEGORIES.len(),
        0_u32..=999,
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(move |(at, rate, second, compound)| {
            let category = CATEGORIES.get(at).copied();
            let rate = fixtures::tax("AT", None, category, &format!("0.{rate:03}"), included);
            if second {
                TaxRate {
                    name: "Levy".to_owned(),
                    component: Some("levy".to_owned()),
                    compound,
                    ..rate
                }
            } else {
                rate
            }
        });
    prop::collection::vec(rate, 0..4)
}

fn terms() -> impl Strategy<Value = TaxTerms> {
    let rounding = prop_oneof![Just(Rounding::Line), Just(Rounding::Order)];
    let mode = prop_oneof![
        Just(RoundingMode::HalfEven),
        Just(RoundingMode::HalfUp),
        Just(RoundingMode::Down),
    ];
    let shipping = prop_oneof![
        Just(ShippingTax::Own),
        Just(ShippingTax::Highest),
        Just(ShippingTax::Proportional),
        Just(ShippingTax::None),
    ];
    (rounding, mode, shipping).prop_map(|(rounding, rounding_mode, shipping_tax)| TaxTerms {
        rounding,
        rounding_mode,
        shipping_tax,
        ..TaxTerms::default()
    })
}

/// A parcel for a fixed price or by pieces, with surcharges in some places.
fn parcel(currency: Currency) -> impl Strategy<Value = ShippingMethod> {
    let price = move || (0_u64..=5_000).prop_map(move |units| money(units, currency));
    let steps = (price(), price()).prop_map(|(few, many)| Cost::ByQuantity {
        steps: vec![
            Step {
                up_to: Some(500),
                price: few,
            },
            Step {
                up_to: None,
                price: many,
            },
        ],
    });
    let cost = prop_oneof![price().prop_map(|price| Cost::Flat { price }), steps];
    let zone = (
        prop_oneof![Just("1*"), Just("10*"), Just("9*")],
        prop::option::of(price()),
    )
        .prop_map(|(codes, surcharge)| Zone {
            country: "AT".to_owned(),
            regions: Vec::new(),
            postal_codes: vec![codes.parse().unwrap()],
            excluded: false,
            surcharge,
        });
    let parts = (cost, prop::collection::vec(zone, 0..4));
    parts.prop_map(|(cost, zones)| ShippingMethod {
        countries: vec!["AT".to_owned()],
        zones,
        ..fixtures::method("parcel", cost)
    })
}

fn case(included: bool) -> impl Strategy<Value = Case> {
    let currency = prop_oneof!["EUR", "JPY", "KWD"];
    let currency = currency.prop_map(|code| code.parse::<Currency>().unwrap());
    currency.prop_flat_map(move |currency| {
        let discounts = prop::collection::vec(discount(currency), 0..5);
        let parts = (
            lines(currency),
            discounts,
            parcel(currency),
            taxes(included),
            terms(),
        );
        parts.prop_map(move |(lines, discounts, shipping, taxes, terms)| Case {
            currency,
            lines,
            discounts,
            shipping,
            taxes,
            terms,
        })
    })
}

fn priced(case: &Case, discounts: &[Discount], taxes: &[TaxRate]) -> Breakdown {
    priced_by(calculate, case, discounts, taxes).breakdown
}

fn priced_by(
    calculate: fn(&Cart<'_>, &[Discount]) -> Result<Priced, NotShipped>,
    case: &Case,
    discounts: &[Discount],
    taxes: &[TaxRate],
) -> Priced {
    let destination = Destination {
        country: "AT".to_owned(),
        region: None,
        postal_code: Some("1010".to_owned()),
        tax_number: None,
    };
    let settings = TaxSettings {
        rates: taxes.to_vec(),
        terms: case.terms.clone(),
    };
    let place = settings.place(&destination).unwrap();
    let cart = Cart {
        currency: case.currency,
        lines: &case.lines,
        destination: &destination,
        shipping: Some(&case.shipping),
        taxes: &place,
    };
    calculate(&cart, discounts).unwrap()
}

fn not_negative(money: Money) -> bool {
    money.minor_units().is_some()
}

/// A thousand cases of each law, or as many as `PROPTEST_CASES` says.
fn config() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok();
    let cases = cases.and_then(|cases| cases.parse().ok());
    ProptestConfig::with_cases(cases.unwrap_or(1000))
}

/// Returns what `tax` is by its rule: out of the price with tax if it is included, else on its base.
fn by_the_rule(tax: &Tax, mode: RoundingMode) -> Money {
    let rate = tax.rate.as_decimal();
    let exact = if tax.included {
        let price = tax.base.amount() + tax.amount.amount();
        price * rate / (Decimal::ONE + rate)
    } else {
        tax.base.amount() * rate
    };
    Money::rounded_by(mode, exact, tax.amount.currency()).unwrap()
}

proptest! {
    #![proptest_config(config())]

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
        let charges = breakdown.charges().unwrap();
        prop_assert!(charges.iter().all(|charge| not_negative(*charge)));
        prop_assert_eq!(Money::sum(case.currency, charges).unwrap(), total);
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

    #[test]
    fn a_tax_is_what_its_rounding_rule_gives_on_its_base(
        case in prop_oneof![case(true), case(false)],
    ) {
        // One simple tax: the base of a compound one contains taxes that have been rounded themselves, and so
        // does the price of goods that include two.
        let taxes: Vec<TaxRate> = case.taxes.iter().filter(|rate| rate.component.is_none()).cloned().collect();
        let breakdown = priced(&case, &case.discounts, &taxes);
        let taxes = match case.terms.rounding {
            Rounding::Order => breakdown.taxes().unwrap(),
            Rounding::Line => breakdown.lines.iter().flat_map(|line| line.taxes.clone()).collect(),
        };
        for tax in taxes {
            prop_assert_eq!(tax.amount, by_the_rule(&tax, case.terms.rounding_mode));
        }
    }

    #[test]
    fn the_order_of_the_lines_does_not_matter(
        case in prop_oneof![case(true), case(false)],
        by in 0_usize..8,
    ) {
        // Without cheapest pieces, of which equal ones are taken from the earlier line.
        let discounts: Vec<Discount> = case.discounts.iter()
            .filter(|discount| matches!(discount.terms.benefit, Benefit::Percentage { .. } | Benefit::FreeShipping { .. }))
            .filter(|discount| discount.terms.categories.is_empty())
            .take(1)
            .cloned()
            .collect();
        let expected = priced(&case, &discounts, &case.taxes).check().unwrap();
        let mut other = case.clone();
        let by = by % other.lines.len();
        other.lines.rotate_left(by);
        let totals = priced(&other, &discounts, &case.taxes).check().unwrap();
        prop_assert_eq!(
            (totals.subtotal, totals.discount, totals.shipping),
            (expected.subtotal, expected.discount, expected.shipping)
        );
        if discounts.is_empty() {
            prop_assert_eq!(totals, expected);
        }
    }

    #[test]
    fn the_lowest_price_is_no_higher_than_the_price_by_priority(case in case(false)) {
        let lowest = priced_by(calculate_lowest, &case, &case.discounts, &case.taxes);
        let total = lowest.breakdown.check().unwrap().total;
        let by_priority = priced(&case, &case.discounts, &case.taxes).check().unwrap().total;
        prop_assert!(total.compare(by_priority).unwrap().is_le());
        // Every discount is either applied or passed over.
        let applied = lowest.breakdown.discounts.iter().map(|applied| applied.id);
        let mut seen: Vec<_> = applied.chain(lowest.passed_over.iter().map(|(id, _)| *id)).collect();
        seen.sort();
        let mut all: Vec<_> = case.discounts.iter().map(|discount| discount.id).collect();
        all.sort();
        prop_assert_eq!(seen, all);
    }
}
