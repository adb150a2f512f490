//! Examples of what shipping costs.

use super::*;
use crate::pricing::fixtures::{eur, line, method};
use crate::values::id::VariantId;

fn germany() -> Destination {
    Destination {
        country: "DE".to_owned(),
        region: None,
        postal_code: None,
        tax_number: None,
    }
}

fn cost_of(method: &ShippingMethod, grams: Option<u32>, subtotal: &str) -> String {
    let line = CartLine {
        weight_grams: grams,
        ..line("tea", 2, "5.00")
    };
    match method.price(&[line], eur(subtotal), &germany()) {
        Ok(price) => price.amount().to_string(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_step_includes_its_upper_bound() {
    let steps = vec![
        Step {
            up_to: Some(1_000),
            price: eur("4.90"),
        },
        Step {
            up_to: Some(5_000),
            price: eur("6.90"),
        },
    ];
    let parcel = method("parcel", Cost::ByWeight { steps });
    // Two pieces each.
    let unknown = cost_of(&parcel, None, "10.00");
    assert!(unknown.ends_with("is not known"), "{unknown}");
    assert_eq!(cost_of(&parcel, Some(500), "10.00"), "4.90");
    assert_eq!(cost_of(&parcel, Some(501), "10.00"), "6.90");
    assert_eq!(
        cost_of(&parcel, Some(2_501), "10.00"),
        "this order is too large for this method"
    );
}

#[test]
fn an_order_is_shipped_by_its_step_and_for_free_from_the_threshold() {
    let steps = vec![
        Step {
            up_to: Some(eur("20.00")),
            price: eur("4.90"),
        },
        Step {
            up_to: None,
            price: eur("2.90"),
        },
    ];
    let mut parcel = method("parcel", Cost::ByAmount { steps });
    parcel.free_from = Some(eur("50.00"));
    for (subtotal, price) in [
        ("20.00", "4.90"),
        ("20.01", "2.90"),
        ("49.99", "2.90"),
        ("50.00", "0.00"),
    ] {
        assert_eq!(cost_of(&parcel, None, subtotal), price, "{subtotal}");
    }
}

#[test]
fn a_method_ships_only_to_its_countries() {
    let mut parcel = method("parcel", Cost::Flat { price: eur("4.90") });
    parcel.countries = vec!["AT".to_owned()];
    let refused = parcel.price(&[], eur("1.00"), &germany());
    assert_eq!(refused, Err(NotReached::Country.into()));
}

#[test]
fn goods_of_unknown_weight_are_not_shipped_by_weight() {
    let steps = vec![Step {
        up_to: None,
        price: eur("4.90"),
    }];
    let parcel = method("parcel", Cost::ByWeight { steps });
    let of = |name: &str, weight_grams| CartLine {
        weight_grams,
        ..line(name, 1, "5.00")
    };
    let download = CartLine {
        shipped: false,
        ..of("download", None)
    };
    let lines = [
        of("tea", None),
        of("cup", Some(300)),
        download.clone(),
        of("pot", None),
    ];
    let refused = parcel.price(&lines, eur("15.00"), &germany());
    assert_eq!(refused, Err(NotShipped::UnknownWeight(vec![0, 3])));
    let lines = [download, of("cup", Some(300))];
    let price = parcel.price(&lines, eur("5.00"), &germany());
    assert_eq!(price, Ok(eur("4.90")));
}

#[test]
fn pieces_are_counted_unless_they_are_not_shipped() {
    let steps = vec![
        Step {
            up_to: Some(3),
            price: eur("4.90"),
        },
        Step {
            up_to: Some(5),
            price: eur("6.90"),
        },
    ];
    let parcel = method("parcel", Cost::ByQuantity { steps });
    let voucher = CartLine {
        shipped: false,
        ..line("voucher", 900, "5.00")
    };
    for (pieces, expected) in [
        (3, Ok(eur("4.90"))),
        (4, Ok(eur("6.90"))),
        (6, Err(NotShipped::TooLarge)),
    ] {
        let lines = [
            voucher.clone(),
            line("tea", 1, "5.00"),
            line("cup", pieces - 1, "5.00"),
        ];
        let price = parcel.price(&lines, eur("5.00"), &germany());
        assert_eq!(price, expected, "{pieces}");
    }
}

#[test]
fn a_method_may_ship_one_variant_and_not_another() {
    let large = CartLine {
        variant_id: VariantId::derived(&["large pot"]),
        ..line("pot", 1, "1.00")
    };
    let small = CartLine {
        variant_id: VariantId::derived(&["small pot"]),
        ..large.clone()
    };
    let mut letter = method("letter", Cost::Flat { price: eur("1.90") });
    letter.not_for_products = vec![large.variant_id.as_product()];
    assert!(letter.is_not_for(&large));
    assert!(!letter.is_not_for(&small));
}

#[test]
fn a_method_does_not_ship_the_products_and_categories_that_it_is_not_for() {
    let mut letter = method("letter", Cost::Flat { price: eur("1.90") });
    letter.not_for_products = vec![line("pot", 1, "1.00").product_id];
    letter.not_for_categories = vec!["cup".parse().unwrap()];
    let price = |lines: &[CartLine]| letter.price(lines, eur("5.00"), &germany());
    let of = |name| line(name, 1, "5.00");
    assert_eq!(price(&[of("tea")]), Ok(eur("1.90")));
    let refused = price(&[of("pot"), of("tea"), of("cup")]);
    assert_eq!(refused, Err(NotShipped::Goods(vec![0, 2])));
    let download = CartLine {
        shipped: false,
        ..of("cup")
    };
    assert_eq!(price(&[download, of("tea")]), Ok(eur("1.90")));
}

#[test]
fn free_shipping_has_no_surcharge() {
    let mut parcel = method("parcel", Cost::Flat { price: eur("4.90") });
    parcel.zones = vec![Zone {
        country: "DE".to_owned(),
        regions: Vec::new(),
        postal_codes: Vec::new(),
        excluded: false,
        surcharge: Some(eur("10.00")),
    }];
    parcel.free_from = Some(eur("50.00"));
    assert_eq!(cost_of(&parcel, None, "49.99"), "14.90");
    assert_eq!(cost_of(&parcel, None, "50.00"), "0.00");
    parcel.free_from_basis = FreeFromBasis::AfterDiscounts;
    assert_eq!(cost_of(&parcel, None, "50.00"), "14.90");
}

#[test]
fn a_method_of_an_earlier_release_is_read_and_stored_as_it_was() {
    let stored = r#"{"id":"parcel","name":"Parcel","countries":["DE"],"cost":{"type":"flat","price":{"amount":"4.90","currency":"EUR"}},"free_from":{"amount":"50.00","currency":"EUR"}}"#;
    let read: ShippingMethod = serde_json::from_str(stored).unwrap();
    assert_eq!(read.free_from_basis, FreeFromBasis::BeforeDiscounts);
    assert!(read.zones.is_empty());
    assert_eq!(serde_json::to_string(&read).unwrap(), stored);
}
