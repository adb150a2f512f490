use super::*;
use crate::pricing::fixtures::{eur, tax};

fn compound(rate: TaxRate) -> TaxRate {
    TaxRate {
        compound: true,
        ..rate
    }
}

/// Returns the base and the amount of each tax on one price.
fn on_price(price: &str, rates: &[TaxRate], mode: RoundingMode) -> Vec<(String, String)> {
    let part = Taxable {
        price: eur(price),
        rates: rates.iter().collect(),
    };
    let taxes = taxes(&[part], (Rounding::Line, mode), eur("0").currency()).unwrap();
    let text = |money: Money| money.amount().to_string();
    let taxes = taxes.into_iter().flatten();
    taxes
        .map(|tax| (text(tax.base), text(tax.amount)))
        .collect()
}

fn check(price: &str, rates: &[TaxRate], expected: &[(&str, &str)]) {
    let found = on_price(price, rates, RoundingMode::HalfEven);
    let expected = expected
        .iter()
        .map(|(base, amount)| ((*base).to_owned(), (*amount).to_owned()));
    assert_eq!(found, expected.collect::<Vec<_>>(), "{price}");
}

#[test]
fn a_rate_gives_tax_on_the_price_or_out_of_it() {
    let added = tax("DE", None, None, "0.05", false);
    let included = tax("DE", None, None, "0.19", true);
    check("0.50", std::slice::from_ref(&added), &[("0.50", "0.02")]);
    check(
        "119.00",
        std::slice::from_ref(&included),
        &[("100.00", "19.00")],
    );
    check("0.01", &[included], &[("0.01", "0.00")]);
    check("0.00", &[added], &[("0.00", "0.00")]);
}

#[test]
fn several_rates_are_charged_on_the_same_price_and_compound_ones_on_the_others_too() {
    let federal = tax("CA", None, None, "0.05", false);
    let provincial = tax("CA", Some("BC"), None, "0.07", false);
    check(
        "100.00",
        &[federal.clone(), provincial],
        &[("100.00", "5.00"), ("100.00", "7.00")],
    );
    let quebec = compound(tax("CA", Some("QC"), None, "0.095", false));
    check(
        "100.00",
        &[federal, quebec],
        &[("100.00", "5.00"), ("105.00", "9.98")],
    );
    let included = [
        tax("IN", None, None, "0.09", true),
        tax("IN", None, None, "0.09", true),
    ];
    check(
        "118.00",
        &included,
        &[("100.00", "9.00"), ("100.00", "9.00")],
    );
    let included = [
        tax("CA", None, None, "0.05", true),
        compound(tax("CA", None, None, "0.10", true)),
    ];
    check(
        "115.50",
        &included,
        &[("100.00", "5.00"), ("105.00", "10.50")],
    );
}

#[test]
fn each_mode_rounds_halves_its_own_way() {
    let half = tax("DE", None, None, "0.05", false);
    for (mode, of_half, of_more) in [
        (RoundingMode::HalfEven, "0.02", "0.04"),
        (RoundingMode::HalfUp, "0.03", "0.04"),
        (RoundingMode::Down, "0.02", "0.03"),
    ] {
        assert_eq!(
            on_price("0.50", std::slice::from_ref(&half), mode)[0].1,
            of_half
        );
        assert_eq!(
            on_price("0.78", std::slice::from_ref(&half), mode)[0].1,
            of_more
        );
    }
}

#[test]
fn tax_rounded_for_the_order_is_shared_by_its_parts() {
    let rate = tax("DE", None, None, "0.10", false);
    let currency = eur("0").currency();
    let part = |price: &str| Taxable {
        price: eur(price),
        rates: vec![&rate],
    };
    let parts = [part("0.14"), part("0.14"), part("0.13")];
    let amounts = |rounding| {
        let taxes = taxes(&parts, (rounding, RoundingMode::HalfEven), currency).unwrap();
        let amounts = taxes.into_iter().flatten();
        amounts
            .map(|tax| tax.amount.amount().to_string())
            .collect::<Vec<_>>()
    };
    // 0.014 + 0.014 + 0.013 = 0.041
    assert_eq!(amounts(Rounding::Line), ["0.01", "0.01", "0.01"]);
    assert_eq!(amounts(Rounding::Order), ["0.02", "0.01", "0.01"]);
}

#[test]
fn included_taxes_are_never_more_than_the_price() {
    let many: Vec<TaxRate> = (0..3).map(|_| tax("XX", None, None, "1", true)).collect();
    let found = on_price("0.02", &many, RoundingMode::HalfUp);
    let amounts: Vec<&str> = found.iter().map(|(_, amount)| amount.as_str()).collect();
    assert_eq!(amounts, ["0.01", "0.01", "0.00"]);
}

/// A calculation that others have published: the prices of the lines, the rates (`*` is compound, `=` is
/// included), how it is rounded, and the tax at each rate.
struct Published {
    source: &'static str,
    prices: &'static [&'static str],
    rates: &'static [&'static str],
    rounding: Rounding,
    taxes: &'static [&'static str],
}

/// Amounts of several calculations, all of which round half up. Magento's are its integration tests' data
/// (`dev/tests/integration/testsuite/Magento/Tax/_files/scenarios` in magento/magento2), for lines (`row`) and
/// for the order (`total`).
const PUBLISHED: [Published; 7] = [
    Published {
        source: "https://www.revenuquebec.ca/en/businesses/consumption-taxes/gsthst-and-qst/collecting-gst-and-qst/calculating-the-taxes/",
        prices: &["100.00"],
        rates: &["0.05", "0.09975"],
        rounding: Rounding::Order,
        taxes: &["5.00", "9.98"],
    },
    Published {
        source: "Magento: excluding_tax_multi_item_total",
        prices: &["10.00", "11.00"],
        rates: &["0.0825"],
        rounding: Rounding::Order,
        taxes: &["1.73"],
    },
    Published {
        source: "Magento: excluding_tax_multi_item_row",
        prices: &["10.00", "11.00"],
        rates: &["0.0825"],
        rounding: Rounding::Line,
        taxes: &["1.74"],
    },
    Published {
        source: "Magento: multi_tax_rule_two_row_calculate_subtotal_yes_row",
        prices: &["10.05", "10.45"],
        rates: &["0.09", "0.05"],
        rounding: Rounding::Line,
        taxes: &["1.84", "1.02"],
    },
    Published {
        source: "Magento: multi_tax_rule_two_row_calculate_subtotal_yes_total",
        prices: &["10.05", "10.45"],
        rates: &["0.09", "0.05"],
        rounding: Rounding::Order,
        taxes: &["1.85", "1.03"],
    },
    Published {
        source: "Magento: multi_tax_rule_total_calculate_subtotal_no",
        prices: &["10.00"],
        rates: &["0.075", "0.055*"],
        rounding: Rounding::Order,
        taxes: &["0.75", "0.59"],
    },
    Published {
        source: "Magento: including_tax_total",
        prices: &["19.98"],
        rates: &["0.20="],
        rounding: Rounding::Order,
        taxes: &["3.33"],
    },
];

#[test]
fn published_calculations_give_the_published_amounts() {
    for example in PUBLISHED {
        let rates = example.rates.iter().map(|text| {
            let rate = text.trim_end_matches(['*', '=']);
            let rate = tax("XX", None, None, rate, text.ends_with('='));
            TaxRate {
                compound: text.ends_with('*'),
                ..rate
            }
        });
        let rates: Vec<TaxRate> = rates.collect();
        let parts = example.prices.iter().map(|price| Taxable {
            price: eur(price),
            rates: rates.iter().collect(),
        });
        let parts: Vec<Taxable<'_>> = parts.collect();
        let currency = eur("0").currency();
        let taxed = taxes(&parts, (example.rounding, RoundingMode::HalfUp), currency).unwrap();
        for (at, expected) in example.taxes.iter().enumerate() {
            let sum = taxed.iter().map(|taxes| taxes[at].amount);
            let sum = Money::sum(currency, sum).unwrap();
            assert_eq!(sum, eur(expected), "{}", example.source);
        }
    }
}
