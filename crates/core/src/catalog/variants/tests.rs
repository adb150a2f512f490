use super::*;
use crate::values::clock::Time;

fn now() -> Time {
    Time::from_millis(1_750_000_000_000)
}

fn product() -> ProductId {
    ProductId::derived(&["shirt"])
}

fn options() -> Vec<ProductOption> {
    let option = |name: &str, values: &[&str]| ProductOption {
        name: name.to_owned(),
        values: values.iter().map(|value| (*value).to_owned()).collect(),
    };
    vec![
        option("size", &["S", "M"]),
        option("colour", &["red", "blue"]),
    ]
}

/// Returns the content of a new variant with these values: size, colour.
fn shirt(values: [&str; 2]) -> VariantChange {
    let names = ["size", "colour"].map(str::to_owned);
    VariantChange {
        options: Some(names.into_iter().zip(values.map(str::to_owned)).collect()),
        price: Some(Money::parse("20.00", "EUR".parse().unwrap()).unwrap()),
        ..VariantChange::default()
    }
}

fn with_sku(values: [&str; 2], sku: &str) -> VariantChange {
    VariantChange {
        sku: Some(Some(sku.parse().unwrap())),
        ..shirt(values)
    }
}

fn new(change: VariantChange) -> ListedVariant {
    ListedVariant { id: None, change }
}

fn kept(variant: &Variant) -> ListedVariant {
    ListedVariant {
        id: Some(variant.id),
        change: VariantChange::default(),
    }
}

fn list(known: &[Variant], entries: Vec<ListedVariant>) -> Result<Vec<Variant>, String> {
    let listed = listed(product(), &options(), known, entries, now());
    listed.map_err(|error| format!("{} {}", error.pointer(), error.code()))
}

#[test]
fn variants_that_cannot_be_told_apart_are_refused() {
    let shirts = list(&[], vec![new(with_sku(["S", "red"], "A"))]).unwrap();
    let foreign = VariantId::derived(&["another"]).to_string();
    let unknown = ListedVariant {
        id: Some(VariantId::derived(&["another"])),
        change: VariantChange::default(),
    };
    let unpriced = VariantChange {
        price: None,
        ..shirt(["S", "red"])
    };
    let cases = [
        (vec![new(unpriced)], "/variants/0/price required"),
        (
            vec![new(shirt(["L", "red"]))],
            "/variants/0/options options",
        ),
        (
            vec![new(VariantChange {
                options: None,
                ..shirt(["S", "red"])
            })],
            "/variants/0/options options",
        ),
        (
            vec![kept(&shirts[0]), new(shirt(["S", "red"]))],
            "/variants/1/options repeated",
        ),
        (
            vec![kept(&shirts[0]), new(with_sku(["M", "red"], "A"))],
            "/variants/1/sku repeated",
        ),
        (
            vec![new(with_sku(["M", "red"], &foreign))],
            "/variants/0/sku reserved",
        ),
        (
            vec![kept(&shirts[0]), kept(&shirts[0])],
            "/variants/1/id repeated",
        ),
        (vec![unknown], "/variants/0/id unknown_variant"),
    ];
    for (entries, fault) in cases {
        assert_eq!(list(&shirts, entries), Err(fault.to_owned()));
    }
}

#[test]
fn variants_that_are_listed_stay_and_the_others_go() {
    let colours = [["S", "red"], ["M", "red"], ["M", "blue"]];
    let shirts = list(&[], colours.map(|values| new(shirt(values))).to_vec()).unwrap();
    let names: Vec<String> = shirts
        .iter()
        .map(|shirt| shirt.values(&options()))
        .collect();
    assert_eq!(names, ["S, red", "M, red", "M, blue"]);
    let entries = vec![kept(&shirts[2]), kept(&shirts[0])];
    let fewer = list(&shirts, entries).unwrap();
    assert_eq!(fewer, [shirts[2].clone(), shirts[0].clone()]);
    // One that comes back is the same one as before.
    let entries = vec![kept(&fewer[0]), new(shirt(["M", "red"]))];
    assert_eq!(list(&fewer, entries).unwrap()[1].id, shirts[1].id);
}

#[test]
fn a_new_variant_is_not_one_that_has_other_values_by_now() {
    let first = list(&[], vec![new(shirt(["S", "red"]))]).unwrap();
    let renamed = ListedVariant {
        id: Some(first[0].id),
        change: shirt(["M", "red"]),
    };
    let both = list(&first, vec![renamed, new(shirt(["S", "red"]))]).unwrap();
    assert_eq!(both[0].id, first[0].id);
    assert_ne!(both[1].id, first[0].id);
}

#[test]
fn the_sku_of_a_variant_without_one_is_its_identifier() {
    let variant = only(product(), shirt(["S", "red"]), now());
    assert!(variant.is_err(), "a product without options has no values");
    let content = VariantChange {
        options: None,
        ..shirt(["S", "red"])
    };
    let variant = only(product(), content, now()).unwrap();
    let own = variant.sku();
    assert_eq!(own.as_str(), product().to_string());
    let named = VariantChange {
        sku: Some(Some(own)),
        ..VariantChange::default()
    };
    assert_eq!(change(&variant, named, now()).unwrap(), variant);
}

#[test]
fn many_variants_remember_fewer_prices_each() {
    let sizes: Vec<String> = (0..99).map(|size| size.to_string()).collect();
    let options = [ProductOption {
        name: "size".to_owned(),
        values: sizes.clone(),
    }];
    let entries = sizes.into_iter().map(|size| {
        let options = BTreeMap::from([("size".to_owned(), size)]);
        let options = Some(options);
        new(VariantChange {
            options,
            ..shirt(["S", "red"])
        })
    });
    let mut known = listed(product(), &options, &[], entries.collect(), now()).unwrap();
    for hour in 1..=40 {
        let later = now().plus(std::time::Duration::from_hours(hour));
        let price = format!("{}.00", 20 + hour);
        let price = Money::parse(&price, "EUR".parse().unwrap()).unwrap();
        let entries = known.iter().map(|variant| ListedVariant {
            id: Some(variant.id),
            change: VariantChange {
                price: Some(price),
                ..VariantChange::default()
            },
        });
        known = listed(product(), &options, &known, entries.collect(), later).unwrap();
    }
    for variant in &known {
        assert_eq!(variant.prices.past.len(), 3);
        // The lowest is not forgotten.
        assert_eq!(variant.prices.past[0].price.amount().to_string(), "20.00");
    }
}
