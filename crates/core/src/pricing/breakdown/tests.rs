//! Examples of breakdowns. The laws that hold for all of them are in `laws`.

use super::*;
use crate::pricing::discounts::{Shopper, allow};
use crate::pricing::fixtures::{discount, eur, line, method, noon, percent, tax, tax_settings};
use crate::pricing::model::{Benefit, BuyXGetY, Exclusive, Group, Terms};
use crate::pricing::shipping::{Cost, Zone};
use crate::pricing::tax::settings::{ShippingTax, TaxRate, TaxSettings};
use crate::values::money::RoundingMode;

type Calculation = fn(&Cart<'_>, &[Discount]) -> Result<Priced, NotShipped>;

/// Returns what `calculation` gives for `lines` that are sent to Vienna by `shipping`, where `rates` are the taxes.
fn priced_by(
    calculation: Calculation,
    lines: &[CartLine],
    shipping: Option<&ShippingMethod>,
    rates: &[TaxRate],
    discounts: &[Discount],
) -> Priced {
    priced_in(
        calculation,
        lines,
        shipping,
        &tax_settings(rates),
        discounts,
    )
}

/// Returns what [`priced_by`] does, with the taxes of `settings`.
fn priced_in(
    calculation: Calculation,
    lines: &[CartLine],
    shipping: Option<&ShippingMethod>,
    settings: &TaxSettings,
    discounts: &[Discount],
) -> Priced {
    let destination = Destination {
        country: "AT".to_owned(),
        region: None,
        postal_code: None,
        tax_number: None,
    };
    let cart = Cart {
        currency: "EUR".parse().unwrap(),
        lines,
        destination: &destination,
        shipping,
        taxes: &settings.place(&destination).unwrap(),
    };
    calculation(&cart, discounts).unwrap()
}

/// Returns the amounts taken off each line and off shipping, and the total.
fn reductions(lines: &[CartLine], discounts: &[Discount]) -> (Vec<String>, String) {
    let parcel = method("parcel", Cost::Flat { price: eur("4.90") });
    let breakdown = priced_by(calculate, lines, Some(&parcel), &[], discounts).breakdown;
    let totals = breakdown.check().unwrap();
    let off = breakdown.parts().map(|(_, shares, _)| {
        let shares = shares.iter().map(|share| share.amount);
        let sum = Money::sum("EUR".parse().unwrap(), shares).unwrap();
        sum.amount().to_string()
    });
    (off.collect(), totals.total.amount().to_string())
}

fn with(name: &str, benefit: Benefit, change: impl FnOnce(&mut Terms)) -> Discount {
    let mut made = discount(name, benefit);
    change(&mut made.terms);
    made
}

fn buy_get(buy: u32, get: u32) -> BuyXGetY {
    BuyXGetY {
        buy,
        get,
        rate: None,
        of_products: Vec::new(),
        of_categories: Vec::new(),
    }
}

fn free_shipping() -> Benefit {
    Benefit::FreeShipping {
        methods: Vec::new(),
        rate: None,
    }
}

fn amount(amount: &str) -> Benefit {
    Benefit::Amount {
        amount: eur(amount),
    }
}

#[track_caller]
fn check(discounts: &[Discount], off: [&str; 4], total: &str) {
    let lines = [
        line("tea", 3, "3.33"),
        line("cup", 2, "10.00"),
        line("pot", 1, "50.01"),
    ];
    let (found, sum) = reductions(&lines, discounts);
    assert_eq!(
        (found.as_slice(), sum.as_str()),
        (&off.map(str::to_owned)[..], total)
    );
}

#[test]
fn each_benefit_takes_off_its_amount() {
    // 9.99 + 20.00 + 50.01 = 80.00, and 4.90 for the parcel.
    check(&[], ["0.00", "0.00", "0.00", "0.00"], "84.90");
    check(
        &[discount("ten percent", percent("0.10"))],
        ["1.00", "2.00", "5.00", "0.00"],
        "76.90",
    );
    check(
        &[discount("ten euro", amount("10.00"))],
        ["1.25", "2.50", "6.25", "0.00"],
        "74.90",
    );
    check(
        &[discount("more than all", amount("100.00"))],
        ["9.99", "20.00", "50.01", "0.00"],
        "4.90",
    );
    check(
        &[discount(
            "six each",
            Benefit::FixedPrice { price: eur("6.00") },
        )],
        ["0.00", "8.00", "44.01", "0.00"],
        "32.89",
    );
    check(
        &[discount("free parcel", free_shipping())],
        ["0.00", "0.00", "0.00", "4.90"],
        "80.00",
    );
}

#[test]
fn the_cheapest_pieces_of_each_set_are_free() {
    let get = |buy, get| Benefit::BuyXGetY(buy_get(buy, get));
    // Six pieces across products: two of every three are paid for.
    check(
        &[discount("three for two", get(2, 1))],
        ["6.66", "0.00", "0.00", "0.00"],
        "78.24",
    );
    check(
        &[discount("one for none", get(1, 2))],
        ["9.99", "10.00", "0.00", "0.00"],
        "64.91",
    );
    check(
        &[with("cups", get(1, 1), |terms| {
            terms.categories = vec!["cup".parse().unwrap()];
        })],
        ["0.00", "10.00", "0.00", "0.00"],
        "74.90",
    );
    check(
        &[discount("six and one", get(6, 1))],
        ["0.00", "0.00", "0.00", "0.00"],
        "84.90",
    );
}

#[test]
fn amounts_at_the_limits_of_money_do_not_overflow() {
    let price = eur("999999999999999.00");
    check(
        &[discount("far too dear", Benefit::FixedPrice { price })],
        ["0.00", "0.00", "0.00", "0.00"],
        "84.90",
    );
    let ships = [line("ship", 999, "900000000000.00")];
    let half = discount("half", Benefit::BuyXGetY(buy_get(1, 1)));
    let (off, _) = reductions(&ships, &[half]);
    assert_eq!(off[0], "449100000000000.00", "499 of 999");
}

#[test]
fn a_discount_applies_to_its_products_and_stays_within_its_maximum() {
    let pot = |terms: &mut Terms| terms.products = vec![line("pot", 1, "1.00").product_id];
    check(
        &[with("pots", percent("0.5"), pot)],
        ["0.00", "0.00", "25.00", "0.00"],
        "59.90",
    );
    let capped = |terms: &mut Terms| terms.max_amount = Some(eur("7.00"));
    check(
        &[with("half", percent("0.5"), capped)],
        ["0.88", "1.75", "4.37", "0.00"],
        "77.90",
    );
    check(
        &[with("parcel", free_shipping(), |terms| {
            terms.max_amount = Some(eur("1.00"));
        })],
        ["0.00", "0.00", "0.00", "1.00"],
        "83.90",
    );
}

#[test]
fn discounts_apply_by_priority_to_the_remaining_price_and_an_exclusive_one_alone() {
    let at = |priority: u32, stackable: bool| {
        move |terms: &mut Terms| {
            terms.priority = priority;
            terms.stackable = stackable;
        }
    };
    let half = |priority, stackable| with("half", percent("0.5"), at(priority, stackable));
    let ten = |priority, stackable| with("ten euro", amount("10.00"), at(priority, stackable));
    let total = |discounts: &[Discount]| reductions(&[line("pot", 1, "50.00")], discounts).1;
    assert_eq!(total(&[half(1, true), ten(2, true)]), "19.90");
    assert_eq!(total(&[half(2, true), ten(1, true)]), "24.90");
    // The first one decides: none follows an exclusive discount, and no exclusive one follows another.
    assert_eq!(total(&[half(2, true), ten(1, false)]), "44.90");
    assert_eq!(total(&[half(1, true), ten(2, false)]), "29.90");
    // A discount that takes nothing off excludes no other.
    let nothing = with(
        "six and one",
        Benefit::BuyXGetY(buy_get(6, 1)),
        at(1, false),
    );
    assert_eq!(total(&[nothing, ten(2, false)]), "44.90");
}

#[test]
fn a_bargain_gives_the_pieces_that_are_cheapest_after_earlier_discounts() {
    let first = |terms: &mut Terms| {
        terms.priority = 1;
        terms.categories = vec!["pot".parse().unwrap()];
    };
    let lines = [line("pot", 1, "20.00"), line("cup", 1, "15.00")];
    let bargain = discount("one free", Benefit::BuyXGetY(buy_get(1, 1)));
    let half = with("half a pot", percent("0.5"), first);
    // The pot costs 10.00 by then, less than the cup.
    let (off, total) = reductions(&lines, &[half, bargain.clone()]);
    assert_eq!(
        (&off[..], &*total),
        (&["20.00", "0.00", "0.00"].map(str::to_owned)[..], "19.90")
    );
    // A piece that is free belongs to no second set.
    let again = discount("one free again", Benefit::BuyXGetY(buy_get(1, 1)));
    let cups = [line("cup", 2, "20.00")];
    assert_eq!(reductions(&cups, &[bargain.clone(), again]).1, "24.90");
    // A fixed price is that of the pieces that are paid for, in whichever order the two discounts are applied.
    for fixed_first in [true, false] {
        let fixed = with(
            "fixed",
            Benefit::FixedPrice {
                price: eur("15.00"),
            },
            |terms| {
                terms.priority = if fixed_first { 1 } else { 200 };
            },
        );
        assert_eq!(
            reductions(&cups, &[bargain.clone(), fixed]).1,
            "19.90",
            "{fixed_first}"
        );
    }
}

#[test]
fn a_bargain_can_give_other_goods_and_only_a_part_of_their_price() {
    let lines = [
        line("tea", 5, "10.00"),
        line("cup", 3, "4.00"),
        line("pot", 1, "6.00"),
    ];
    let check = |change: fn(&mut BuyXGetY), off: [&str; 4]| {
        let mut bargain = buy_get(2, 1);
        change(&mut bargain);
        let tea = |terms: &mut Terms| terms.categories = vec!["tea".parse().unwrap()];
        let found = reductions(&lines, &[with("bargain", Benefit::BuyXGetY(bargain), tea)]).0;
        assert_eq!(found, off.map(str::to_owned));
    };
    check(
        |bargain| bargain.rate = Some("0.5".parse().unwrap()),
        ["5.00", "0.00", "0.00", "0.00"],
    );
    // Two sets of two teas give two cups.
    check(
        |bargain| bargain.of_categories = vec!["cup".parse().unwrap()],
        ["0.00", "8.00", "0.00", "0.00"],
    );
    check(
        |bargain| {
            bargain.get = 2;
            bargain.rate = Some("0.25".parse().unwrap());
            bargain.of_products = vec![line("pot", 1, "1.00").product_id];
            bargain.of_categories = vec!["cup".parse().unwrap()];
        },
        ["0.00", "3.00", "1.50", "0.00"],
    );
    // What is given does not count as bought.
    check(
        |bargain| bargain.of_categories = vec!["tea".parse().unwrap()],
        ["0.00"; 4],
    );
}

#[test]
fn a_discount_on_shipping_can_be_a_part_and_for_some_methods() {
    let on = |methods: &[&str], rate: Option<&str>| Benefit::FreeShipping {
        methods: methods.iter().map(|id| (*id).to_owned()).collect(),
        rate: rate.map(|rate| rate.parse().unwrap()),
    };
    for (benefit, off) in [
        (on(&["parcel"], None), "4.90"),
        (on(&["express", "parcel"], Some("0.5")), "2.45"),
        (on(&[], Some("0.25")), "1.22"),
        (on(&["express"], None), "0.00"),
    ] {
        check(
            &[discount("shipping", benefit)],
            ["0.00", "0.00", "0.00", off],
            &{ (eur("84.90").minus(eur(off)).unwrap()).amount().to_string() },
        );
    }
}

#[test]
fn benefits_that_were_stored_earlier_stay_readable() {
    for (stored, expected) in [
        (
            r#"{"type":"buy_x_get_y","buy":2,"get":1}"#,
            Benefit::BuyXGetY(buy_get(2, 1)),
        ),
        (r#"{"type":"free_shipping"}"#, free_shipping()),
    ] {
        assert_eq!(serde_json::from_str::<Benefit>(stored).unwrap(), expected);
        assert_eq!(serde_json::to_string(&expected).unwrap(), stored);
    }
}

#[test]
fn a_minimum_amount_is_compared_with_prices_before_any_discount() {
    let half = discount("half", percent("0.5"));
    let minimum = with("from 50", amount("10.00"), |terms| {
        terms.minimum_amount = Some(eur("50.00"));
    });
    let lines = [line("pot", 1, "50.00")];
    let shopper = Shopper {
        group: Group::Guest,
        is_known: false,
        first_order: false,
    };
    assert_eq!(allow(&minimum, &lines, shopper, noon()), Ok(()));
    assert_eq!(reductions(&lines, &[half, minimum]).1, "19.90");
}

#[test]
fn the_lowest_price_is_that_of_all_stackable_discounts_or_of_one_that_is_not() {
    let alone = |name: &str, benefit| with(name, benefit, |terms| terms.stackable = false);
    let tenth = discount("tenth", percent("0.1"));
    let euro = discount("euro", amount("1.00"));
    let ten = alone("ten euro", amount("10.00"));
    let five = alone("five euro", amount("5.00"));
    let wide = alone("other goods", percent("0.5"));
    let wide = Discount {
        terms: Terms {
            categories: vec!["cup".parse().unwrap()],
            ..wide.terms
        },
        ..wide
    };
    let chosen = |price: &str, discounts: &[&Discount]| {
        let lines = [line("pot", 1, price)];
        let discounts: Vec<Discount> = discounts.iter().copied().cloned().collect();
        let priced = priced_by(calculate_lowest, &lines, None, &[], &discounts);
        let names = priced
            .breakdown
            .discounts
            .iter()
            .map(|applied| applied.name.clone());
        let mut refused = priced.passed_over;
        refused.sort_by_key(|(_, refusal)| refusal.code());
        let refused = refused.into_iter().map(|(_, refusal)| refusal.code());
        (
            names.collect::<Vec<_>>().join(", "),
            refused.collect::<Vec<_>>().join(", "),
        )
    };
    let all = [&tenth, &euro, &ten, &five, &wide];
    let two = "not_combinable, not_combinable";
    assert_eq!(
        chosen("50.00", &all),
        (
            "ten euro".to_owned(),
            format!("no_effect, not_combinable, {two}")
        )
    );
    let (names, refused) = chosen("150.00", &all);
    assert_eq!(refused, format!("no_effect, {two}"));
    assert_eq!(names.split(", ").count(), 2, "{names}");
    // At the same price, those that can be combined.
    assert_eq!(chosen("100.00", &[&ten, &tenth]).0, "tenth");
}

#[test]
fn tax_is_on_lines_and_shipping_after_discounts() {
    let lines = [line("tea", 1, "119.00"), line("books", 1, "10.70")];
    let parcel = method(
        "parcel",
        Cost::Flat {
            price: eur("11.90"),
        },
    );
    let half = discount("half", percent("0.5"));
    let totals = |taxes: &[TaxRate]| {
        let discounts = std::slice::from_ref(&half);
        let priced = priced_by(calculate, &lines, Some(&parcel), taxes, discounts);
        let totals = priced.breakdown.check().unwrap();
        [
            totals.subtotal,
            totals.discount,
            totals.shipping,
            totals.tax,
            totals.total,
        ]
        .map(|money| money.amount().to_string())
    };
    let included = [
        tax("AT", None, None, "0.19", true),
        tax("AT", None, Some("books"), "0.07", true),
    ];
    // 9.50 of 59.50, 0.35 of 5.35, 1.90 of 11.90.
    assert_eq!(
        totals(&included),
        ["129.70", "64.85", "11.90", "11.75", "76.75"]
    );
    let added = [
        tax("AT", None, None, "0.10", false),
        tax("AT", None, Some("shipping"), "0", false),
    ];
    // 5.95 and 0.54 (0.535, half to even).
    assert_eq!(
        totals(&added),
        ["129.70", "64.85", "11.90", "6.49", "83.24"]
    );
}

#[test]
fn the_rounded_taxes_on_the_shares_of_shipping_add_up() {
    // Found by the laws in 100,000 cases: three shares, each with one or two taxes that are rounded down.
    let lines = [
        line("cup", 865, "1459.74"),
        line("tea", 364, "106.00"),
        line("books", 575, "816.95"),
        line("cup", 738, "794.10"),
    ];
    let levy = TaxRate {
        name: "Levy".to_owned(),
        component: Some("levy".to_owned()),
        ..tax("AT", None, None, "0.696", true)
    };
    let mut settings = tax_settings(&[
        tax("AT", None, Some("books"), "0.23", true),
        levy,
        tax("AT", None, Some("tea"), "0.109", true),
    ]);
    settings.terms.rounding_mode = RoundingMode::Down;
    settings.terms.shipping_tax = ShippingTax::Proportional;
    let vienna = Destination {
        country: "AT".to_owned(),
        region: None,
        postal_code: None,
        tax_number: None,
    };
    let price = eur("42.90");
    let parcel = method("parcel", Cost::Flat { price });
    let cart = Cart {
        currency: "EUR".parse().unwrap(),
        lines: &lines,
        destination: &vienna,
        shipping: Some(&parcel),
        taxes: &settings.place(&vienna).unwrap(),
    };
    let mut breakdown = calculate(&cart, &[]).unwrap().breakdown;
    breakdown.check().unwrap();
    // Other differences are still found.
    let of_shipping = breakdown.shipping.as_mut().unwrap();
    of_shipping.taxes[0].amount = of_shipping.taxes[0].amount.plus(eur("0.25")).unwrap();
    assert_eq!(breakdown.check().unwrap_err(), BreakdownError::Tax);
}

#[test]
fn a_discount_that_is_not_allowed_is_refused_with_the_reason() {
    let lines = [line("tea", 2, "5.00"), line("cup", 1, "10.00")];
    let customer = Shopper {
        group: Group::Customer,
        is_known: true,
        first_order: false,
    };
    let guest = Shopper {
        group: Group::Guest,
        is_known: false,
        first_order: false,
    };
    let check_terms = |shopper, change: fn(&mut Terms)| {
        let discount = with("d", percent("0.1"), change);
        allow(&discount, &lines, shopper, noon())
    };
    assert_eq!(check_terms(guest, |_| {}), Ok(()));
    assert_eq!(
        check_terms(guest, |terms| terms.starts_at = Some(noon())),
        Ok(())
    );
    let later =
        |terms: &mut Terms| terms.starts_at = Some("2026-03-01T12:00:00.001Z".parse().unwrap());
    assert_eq!(check_terms(guest, later), Err(Refusal::NotStarted));
    assert_eq!(
        check_terms(guest, |terms| terms.ends_at = Some(noon())),
        Err(Refusal::Expired)
    );
    let tea = |terms: &mut Terms| {
        terms.categories = vec!["tea".parse().unwrap()];
        terms.minimum_amount = Some(eur("10.00"));
    };
    assert_eq!(check_terms(guest, tea), Ok(()));
    let more_tea = |terms: &mut Terms| {
        terms.categories = vec!["tea".parse().unwrap()];
        terms.minimum_amount = Some(eur("10.01"));
    };
    assert_eq!(
        check_terms(guest, more_tea),
        Err(Refusal::BelowMinimumAmount)
    );
    let pots = |terms: &mut Terms| terms.categories = vec!["pot".parse().unwrap()];
    assert_eq!(check_terms(guest, pots), Err(Refusal::NoMatchingItems));
    let for_customers = |terms: &mut Terms| terms.customer_group = Some(Group::Customer);
    assert_eq!(
        check_terms(guest, for_customers),
        Err(Refusal::AccountNeeded)
    );
    assert_eq!(check_terms(customer, for_customers), Ok(()));
    let for_guests = |terms: &mut Terms| terms.customer_group = Some(Group::Guest);
    assert_eq!(
        check_terms(customer, for_guests),
        Err(Refusal::OtherCustomers)
    );
    let counted = |terms: &mut Terms| terms.usage_limit_per_customer = Some(1);
    assert_eq!(check_terms(guest, counted), Err(Refusal::EmailNeeded));
    let known = Shopper {
        is_known: true,
        ..guest
    };
    assert_eq!(check_terms(known, counted), Ok(()));
    assert_eq!(
        check_terms(known, for_customers),
        Err(Refusal::AccountNeeded)
    );
    let first = |terms: &mut Terms| terms.first_order = true;
    assert_eq!(check_terms(customer, first), Err(Refusal::NotFirstOrder));
    let newcomer = Shopper {
        first_order: true,
        ..customer
    };
    assert_eq!(check_terms(newcomer, first), Ok(()));
}

#[test]
fn inconsistent_parts_are_found() {
    let lines = [line("tea", 2, "5.00")];
    let taxes = [tax("AT", None, None, "0.20", true)];
    let half = [discount("half", percent("0.5"))];
    let good = priced_by(calculate, &lines, None, &taxes, &half).breakdown;
    assert!(good.check().is_ok());
    let error_after = |change: fn(&mut Breakdown)| {
        let mut breakdown = good.clone();
        change(&mut breakdown);
        breakdown.check().unwrap_err()
    };
    assert_eq!(
        error_after(|breakdown| breakdown.lines[0].subtotal = eur("4.99")),
        BreakdownError::Discount
    );
    assert_eq!(
        error_after(|breakdown| breakdown.lines[0].subtotal = eur("11.00")),
        BreakdownError::Tax
    );
    assert!(matches!(
        error_after(|breakdown| breakdown.discounts[0].amount = eur("4.99")),
        BreakdownError::Shares(_)
    ));
    assert_eq!(
        error_after(|breakdown| breakdown.discounts.clear()),
        BreakdownError::Discount
    );
}

/// Returns a parcel that is free from 50.00.
fn free_parcel(basis: FreeFromBasis) -> ShippingMethod {
    ShippingMethod {
        free_from: Some(eur("50.00")),
        free_from_basis: basis,
        ..method("parcel", Cost::Flat { price: eur("4.90") })
    }
}

/// Returns the price of shipping `lines` by a parcel that is free from 50.00, with `discounts`.
fn price_of_parcel(basis: FreeFromBasis, lines: &[CartLine], discounts: &[Discount]) -> String {
    let parcel = free_parcel(basis);
    let breakdown = priced_by(calculate, lines, Some(&parcel), &[], discounts).breakdown;
    breakdown.check().unwrap();
    let price = breakdown.shipping.map(|part| part.price.amount());
    price.map_or("none".to_owned(), |price| price.to_string())
}

#[test]
fn shipping_is_free_from_an_amount_before_or_after_discounts() {
    use FreeFromBasis::{AfterDiscounts, BeforeDiscounts};
    let tenth = [discount("tenth", percent("0.10"))];
    for (price, before, after) in [
        ("49.99", "4.90", "4.90"),
        ("50.00", "0.00", "4.90"),
        ("55.55", "0.00", "4.90"),
        ("55.56", "0.00", "0.00"),
    ] {
        let lines = [line("tea", 1, price)];
        let of = |basis| price_of_parcel(basis, &lines, &tenth);
        assert_eq!(of(BeforeDiscounts), before, "{price}");
        assert_eq!(of(AfterDiscounts), after, "{price}");
    }
}

#[test]
fn shipping_is_free_after_those_discounts_that_the_order_has_then() {
    // Either 4.90 off shipping or a tenth off the goods: with shipping for free only the tenth has an effect, and then
    // the goods cost less than 50.00.
    let alone = |terms: &mut Terms| {
        terms.stackable = false;
        terms.priority = 1;
    };
    let discounts = [
        with("free", free_shipping(), alone),
        discount("tenth", percent("0.10")),
    ];
    let lines = [line("tea", 1, "50.00")];
    let parcel = free_parcel(FreeFromBasis::AfterDiscounts);
    let priced = priced_by(calculate, &lines, Some(&parcel), &[], &discounts);
    let shipping = priced.breakdown.shipping.as_ref().unwrap();
    assert_eq!(shipping.price, eur("4.90"));
    assert_eq!(shipping.discounts[0].amount, eur("4.90"));
    assert_eq!(priced.breakdown.check().unwrap().total, eur("50.00"));
}

fn not_shipped(line: CartLine) -> CartLine {
    CartLine {
        shipped: false,
        ..line
    }
}

#[test]
fn goods_that_are_not_shipped_cost_no_shipping_and_do_not_make_it_free() {
    let voucher = not_shipped(line("voucher", 2, "50.00"));
    for basis in [
        FreeFromBasis::BeforeDiscounts,
        FreeFromBasis::AfterDiscounts,
    ] {
        let only = std::slice::from_ref(&voucher);
        assert_eq!(price_of_parcel(basis, only, &[]), "none");
        let mixed = [voucher.clone(), line("tea", 1, "10.00")];
        assert_eq!(price_of_parcel(basis, &mixed, &[]), "4.90");
    }
}

#[test]
fn shipping_with_a_surcharge_is_taxed_as_the_goods_that_are_shipped() {
    let island = Zone {
        country: "AT".to_owned(),
        regions: Vec::new(),
        postal_codes: Vec::new(),
        excluded: false,
        surcharge: Some(eur("6.10")),
    };
    let mut parcel = method("parcel", Cost::Flat { price: eur("4.90") });
    parcel.zones = vec![island];
    let lines = [
        line("books", 1, "20.00"),
        not_shipped(line("download", 1, "80.00")),
    ];
    let rates = [
        tax("AT", None, None, "0.20", true),
        tax("AT", None, Some("books"), "0.10", true),
    ];
    for (shipping_tax, amount) in [
        (ShippingTax::Highest, "1.00"),
        (ShippingTax::Proportional, "1.00"),
        (ShippingTax::Own, "1.83"),
    ] {
        let mut settings: TaxSettings = tax_settings(&rates);
        settings.terms.shipping_tax = shipping_tax;
        let shipping = priced_in(calculate, &lines, Some(&parcel), &settings, &[]);
        let shipping = shipping.breakdown.shipping.unwrap();
        assert_eq!(shipping.price, eur("11.00"));
        assert_eq!(shipping.taxes.len(), 1, "{shipping_tax:?}");
        assert_eq!(shipping.taxes[0].amount, eur(amount), "{shipping_tax:?}");
    }
}

/// An example of the page about discounts: what a cart costs with some discounts.
#[derive(Default)]
struct Example {
    lines: Vec<CartLine>,
    shipping: Option<ShippingMethod>,
    discounts: Vec<Discount>,
    exclusive: Exclusive,
    pays: String,
}

impl Example {
    fn read(text: &str) -> Self {
        let mut example = Self::default();
        for entry in text.trim().lines() {
            let (name, value) = entry.split_once(": ").unwrap();
            match name {
                "cart" => {
                    let parts = value.split(", ").map(|part| {
                        let words: Vec<&str> = part.split(' ').collect();
                        line(words[1], words[0].parse().unwrap(), words[2])
                    });
                    example.lines = parts.collect();
                }
                "shipping" => {
                    let (id, price) = value.split_once(' ').unwrap();
                    let price = eur(price);
                    example.shipping = Some(method(id, Cost::Flat { price }));
                }
                "exclusive" => example.exclusive = Exclusive::from_name(value).unwrap(),
                "pays" => value.clone_into(&mut example.pays),
                name => {
                    let mut terms =
                        serde_json::json!({"name": name, "priority": 100, "stackable": true});
                    let given: serde_json::Value = serde_json::from_str(value).unwrap();
                    for (field, value) in given.as_object().unwrap() {
                        terms[field] = value.clone();
                    }
                    let terms: Terms = serde_json::from_value(terms).unwrap();
                    let made = discount(name, terms.benefit.clone());
                    example.discounts.push(Discount { terms, ..made });
                }
            }
        }
        example
    }
}

#[test]
fn the_examples_of_the_page_about_discounts_are_right() {
    let page = include_str!("../../../../../docs/discounts.md");
    let examples = page.split("```example\n").skip(1);
    let shopper = Shopper {
        group: Group::Guest,
        is_known: false,
        first_order: false,
    };
    let mut count = 0;
    for text in examples.map(|text| text.split("```").next().unwrap()) {
        let example = Example::read(text);
        let allowed = example
            .discounts
            .iter()
            .filter(|discount| allow(discount, &example.lines, shopper, noon()).is_ok());
        let allowed: Vec<Discount> = allowed.cloned().collect();
        let calculation: Calculation = match example.exclusive {
            Exclusive::Priority => calculate,
            Exclusive::Best => calculate_lowest,
        };
        let shipping = example.shipping.as_ref();
        let priced = priced_by(calculation, &example.lines, shipping, &[], &allowed);
        let totals = priced.breakdown.check().unwrap();
        assert_eq!(totals.total.amount().to_string(), example.pays, "{text}");
        count += 1;
    }
    assert!(count >= 15, "{count}");
}
