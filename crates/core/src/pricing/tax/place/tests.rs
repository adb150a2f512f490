use super::super::settings::Home;
use super::*;
use crate::pricing::fixtures::{eur, tax, tax_settings};

fn german(terms: TaxTerms) -> TaxSettings {
    let rates = [
        tax("DE", None, None, "0.19", true),
        tax("DE", None, Some("books"), "0.07", true),
        tax("AT", None, None, "0.20", true),
        tax("AT", None, Some("books"), "0.10", true),
        tax("NO", None, None, "0.25", false),
    ];
    TaxSettings {
        terms: TaxTerms {
            home: Some(Home {
                country: "DE".to_owned(),
                region: None,
            }),
            ..terms
        },
        ..tax_settings(&rates)
    }
}

fn place<'a>(settings: &'a TaxSettings, country: &str) -> TaxPlace<'a> {
    let destination = Destination {
        country: country.to_owned(),
        region: None,
        postal_code: None,
        tax_number: None,
    };
    settings.place(&destination).unwrap()
}

#[test]
fn a_gross_price_stays_or_its_net_price_does() {
    let keep = german(TaxTerms::default());
    let net = german(TaxTerms {
        prices_elsewhere: PricesElsewhere::Net,
        ..TaxTerms::default()
    });
    for (country, category, price, kept, converted) in [
        ("DE", "tea", "11.90", "11.90", "11.90"),
        ("CH", "tea", "11.90", "11.90", "10.00"),
        ("CH", "books", "10.70", "10.70", "10.00"),
        ("AT", "tea", "11.90", "11.90", "12.00"),
        ("AT", "books", "10.70", "10.70", "11.00"),
        ("NO", "tea", "11.90", "11.90", "10.00"),
    ] {
        let price = eur(price);
        let at = |settings| place(settings, country).price(price, category).unwrap();
        assert_eq!(at(&keep), eur(kept), "{country} {category}");
        assert_eq!(at(&net), eur(converted), "{country} {category}");
    }
}

#[test]
fn without_a_home_prices_are_the_same_everywhere() {
    let homeless = TaxSettings {
        terms: TaxTerms {
            home: None,
            prices_elsewhere: PricesElsewhere::Net,
            ..TaxTerms::default()
        },
        ..german(TaxTerms::default())
    };
    let price = place(&homeless, "CH").price(eur("11.90"), "tea").unwrap();
    assert_eq!(price, eur("11.90"));
}

/// Returns the parts of a price of shipping of 6.00 with an order of tea and books.
fn shipping(policy: ShippingTax, tea: &str, books: &str) -> Vec<(String, String)> {
    let settings = german(TaxTerms {
        shipping_tax: policy,
        ..TaxTerms::default()
    });
    let goods = [("tea", tea), ("books", books), ("cups", "0.00")];
    let goods = goods.map(|(category, price)| Goods {
        category,
        price: eur(price),
    });
    let place = place(&settings, "DE");
    let parts = place.tax_on_shipping(eur("6.00"), &goods).unwrap();
    let parts = parts.iter().map(|part| {
        let rates: Vec<String> = part
            .rates
            .iter()
            .map(|rate| rate.rate.to_string())
            .collect();
        (part.price.amount().to_string(), rates.join(" + "))
    });
    parts.collect()
}

#[test]
fn shipping_is_taxed_by_its_own_category_by_the_goods_or_not_at_all() {
    for (policy, tea, books, expected) in [
        (ShippingTax::Own, "10.00", "20.00", vec![("6.00", "0.19")]),
        (
            ShippingTax::Highest,
            "10.00",
            "20.00",
            vec![("6.00", "0.19")],
        ),
        (
            ShippingTax::Proportional,
            "10.00",
            "20.00",
            vec![("4.00", "0.07"), ("2.00", "0.19")],
        ),
        (
            ShippingTax::Proportional,
            "0.00",
            "0.00",
            vec![("6.00", "0.19")],
        ),
        (ShippingTax::None, "10.00", "20.00", vec![]),
    ] {
        let found = shipping(policy, tea, books);
        let expected: Vec<(String, String)> = expected
            .into_iter()
            .map(|(price, rate)| (price.to_owned(), rate.to_owned()))
            .collect();
        assert_eq!(found, expected, "{policy:?} {tea} {books}");
    }
}

#[test]
fn a_basket_of_books_ships_at_the_rate_of_books() {
    let settings = german(TaxTerms {
        shipping_tax: ShippingTax::Highest,
        ..TaxTerms::default()
    });
    let goods = [Goods {
        category: "books",
        price: eur("20.00"),
    }];
    let place = place(&settings, "DE");
    let parts = place.tax_on_shipping(eur("5.35"), &goods).unwrap();
    assert_eq!(parts[0].rates[0].rate.to_string(), "0.07");
}

#[test]
fn a_business_in_another_member_state_owes_the_tax_itself() {
    let settings = german(TaxTerms {
        reverse_charge: true,
        ..TaxTerms::default()
    });
    for (country, number, reverse) in [
        ("AT", Some("ATU13585627"), true),
        ("AT", None, false),
        // At home, with the number of another country, and outside of the EU.
        ("DE", Some("DE136695976"), false),
        ("AT", Some("DE136695976"), false),
        ("CH", Some("ATU13585627"), false),
    ] {
        let destination = Destination {
            country: country.to_owned(),
            region: None,
            postal_code: None,
            tax_number: number.map(|number| number.parse().unwrap()),
        };
        let place = settings.place(&destination).unwrap();
        assert_eq!(place.is_reverse_charge(), reverse, "{country} {number:?}");
        if reverse {
            assert!(place.rates("tea").is_empty());
            assert_eq!(place.price(eur("11.90"), "tea").unwrap(), eur("10.00"));
        }
    }
    let off = german(TaxTerms::default());
    let austrian = Destination {
        country: "AT".to_owned(),
        region: None,
        postal_code: None,
        tax_number: Some("ATU13585627".parse().unwrap()),
    };
    assert!(!off.place(&austrian).unwrap().is_reverse_charge());
}
