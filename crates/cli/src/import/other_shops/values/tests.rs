use proptest::prelude::*;

use super::*;

fn eur(text: &str) -> Result<String, &'static str> {
    let price = price(text, "EUR".parse().unwrap());
    price
        .map(|price| price.amount().to_string())
        .map_err(|(code, _)| code)
}

#[test]
fn prices_have_a_point_or_a_comma() {
    for (text, amount) in [
        ("19.99", "19.99"),
        ("19,9", "19.90"),
        (".5", "0.50"),
        ("20", "20.00"),
        ("20.", "20.00"),
        ("1299.000", "1299.00"),
        ("1.299,00", "1299.00"),
        ("1,299.00", "1299.00"),
        ("1,234,567", "1234567.00"),
    ] {
        assert_eq!(eur(text), Ok(amount.to_owned()), "{text}");
    }
}

#[test]
fn what_could_be_another_price_is_none() {
    let cases = [
        "",
        "abc",
        "$5",
        "5 EUR",
        "-1",
        "1e3",
        "1,299",
        "1.2.3",
        "12,34,567",
        ",",
        "٣",
    ];
    for text in cases {
        assert_eq!(eur(text), Err("invalid"), "{text}");
    }
    assert_eq!(eur(&"9".repeat(40)), Err("invalid"));
    assert_eq!(eur("0.00"), Err("range"));
    let price = |text: &str, currency: &str| price(text, currency.parse().unwrap());
    assert!(price("1.299", "KWD").is_ok());
    assert!(price("1770", "JPY").is_ok());
    assert!(price("1770.50", "JPY").is_err());
}

#[test]
fn weights_are_whole_grams() {
    use WeightUnit::{Gram, Kilogram, Ounce, Pound};
    for (text, unit, grams) in [
        ("0,25", Kilogram, Ok(Some(250))),
        (".5", Pound, Ok(Some(227))),
        ("1", Ounce, Ok(Some(28))),
        ("0.0001", Kilogram, Ok(Some(1))),
        ("0.0", Gram, Ok(None)),
        ("1000000", Kilogram, Ok(Some(1_000_000_000))),
        ("1000001", Kilogram, Err(InvalidWeight)),
        ("heavy", Gram, Err(InvalidWeight)),
    ] {
        assert_eq!(weight_grams(text, unit), grams, "{text}");
    }
}

#[test]
fn quantities_are_whole() {
    for (text, number) in [
        ("5", Some(5)),
        ("-3", Some(-3)),
        ("2.0", Some(2)),
        ("2.5", None),
        ("many", None),
        ("9999999999", None),
    ] {
        assert_eq!(quantity(text), number, "{text}");
    }
}

#[test]
fn times_without_a_zone_are_of_the_shop() {
    let berlin = TimeZone::fixed(jiff::tz::offset(1));
    let time = |text: &str, edge| time(text, &berlin, edge).map(|time| time.to_string());
    let noon = Some("2026-12-01T11:00:00Z".to_owned());
    assert_eq!(time("2026-12-01 12:00:00", Edge::End), noon);
    assert_eq!(time("2026-12-01T12:00:00", Edge::End), noon);
    assert_eq!(time("2026-12-01T12:00:00+01:00", Edge::End), noon);
    let early = Some("2026-12-01T07:05:00Z".to_owned());
    assert_eq!(time("2026-12-01 8:05:00", Edge::Start), early);
    let start = Some("2026-11-30T23:00:00Z".to_owned());
    assert_eq!(time("2026-12-01", Edge::Start), start);
    let end = Some("2026-12-01T23:00:00Z".to_owned());
    assert_eq!(time("2026-12-01", Edge::End), end);
    assert_eq!(time("01.12.2026", Edge::Start), None);
}

#[test]
fn a_comma_after_a_backslash_is_part_of_an_entry() {
    assert_eq!(list("a, b\\, c,,d\\e "), ["a", "b, c", "d\\e"]);
    assert!(list(" , ").is_empty());
}

#[test]
fn categories_are_words_from_a_to_z() {
    for (name, category) in [
        ("Women's Shirts", "womens-shirts"),
        ("Käse & Wurst", "kase-wurst"),
        ("Straße Łódź", "strasse-lodz"),
        ("--T-Shirts--", "t-shirts"),
        ("煎茶", "category-"),
    ] {
        let found = super::category(name);
        assert!(found.starts_with(category), "{name}: {found}");
    }
    assert_ne!(super::category("煎茶"), super::category("抹茶"));
}

#[test]
fn a_slug_is_the_handle_or_the_nearest() {
    assert_eq!(slug("green-tea").as_deref(), Some("green-tea"));
    assert_eq!(slug("煎茶").as_deref(), Some("煎茶"));
    assert_eq!(slug("Green_Tea 2").as_deref(), Some("green-tea-2"));
    assert_eq!(slug("---"), None);
    let long = "word-".repeat(30);
    assert_ne!(slug(&format!("{long}a")), slug(&format!("{long}b")));
    assert!(slug(&format!("{long}a")).is_some());
}

proptest! {
    #[test]
    fn any_name_becomes_a_category(name in any::<String>()) {
        let category = super::category(&name);
        let is_known = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        prop_assert!((1..=100).contains(&category.len()) && category.bytes().all(is_known), "{}", category);
    }

    #[test]
    fn any_handle_has_a_slug_of_ours_or_none(handle in "\\PC{0,120}") {
        prop_assert!(slug(&handle).is_none_or(|slug| slug.parse::<Slug>().is_ok()));
    }

    #[test]
    fn amounts_with_a_comma_are_those_with_a_point(units in 1_u64..100_000_000) {
        let text = format!("{}.{:02}", units / 100, units % 100);
        prop_assert_eq!(eur(&text), eur(&text.replace('.', ",")));
        prop_assert_eq!(eur(&text), Ok(text));
    }
}
