//! The large demo is always the same, and a shop takes all of it.

use std::collections::{BTreeMap, BTreeSet};

use expect_test::expect_file;
use oxcart_core::catalog::content::Slug;
use oxcart_core::catalog::model::Category;
use oxcart_core::catalog::sku::{Gtin, Sku};
use oxcart_core::catalog::variants::{MOST_OPTIONS, MOST_VARIANTS};
use serde_json::Value;

use super::goods::Product;
use super::*;

fn assortment(currency: &str) -> Assortment {
    Assortment::new(currency.parse().unwrap()).unwrap()
}

#[test]
fn a_product_is_always_the_same() {
    let rows = |numbers: Range<u32>| {
        let mut rows = Vec::new();
        write(Rows::Products, "EUR".parse().unwrap(), numbers, &mut rows).unwrap();
        String::from_utf8(rows).unwrap()
    };
    let all = rows(0..300);
    assert_eq!(all, rows(0..300));
    assert_eq!(
        all.lines().skip(200).collect::<Vec<_>>(),
        rows(200..300).lines().collect::<Vec<_>>()
    );
    let row: Value = serde_json::from_str(&rows(14_038..14_039)).unwrap();
    let expected = expect_file!["testdata/jeans.json"];
    expected.assert_eq(&format!("{row:#}\n"));
}

/// Returns what is wrong with the texts of the product.
fn too_long(product: &Product) -> Vec<String> {
    let is_line = |text: &str, most: usize| {
        let length = text.chars().count();
        (1..=most).contains(&length) && !text.chars().any(char::is_control) && text.trim() == text
    };
    let is_text = |text: &str| (1..=1000).contains(&text.chars().count());
    let mut wrong = Vec::new();
    let mut check = |is_right: bool, text: &str| {
        if !is_right {
            wrong.push(text.to_owned());
        }
    };
    check(is_line(&product.name, 255), &product.name);
    check(is_text(&product.description), &product.description);
    check(is_line(&product.brand, 100), &product.brand);
    for translation in product.translations.values() {
        check(is_line(&translation.name, 255), &translation.name);
        check(is_text(&translation.description), &translation.description);
    }
    check(product.tags.len() <= 50, "tags");
    for tag in &product.tags {
        check(is_line(tag, 50), tag);
    }
    for (name, value) in &product.attributes {
        check(is_line(name, 100) && is_line(value, 1000), name);
    }
    let texts = [&product.name, &product.description].into_iter();
    let translations = product.translations.values();
    let texts = texts.chain(translations.flat_map(|one| [&one.name, &one.description]));
    for text in texts {
        // What a template leaves open.
        let is_open = text.contains(['{', '}']) || text.contains("  ") || text.contains(" ,");
        check(!is_open, text);
    }
    wrong
}

#[test]
fn all_products_are_as_a_shop_takes_them() {
    let assortment = assortment("EUR");
    let categories = data::categories().unwrap();
    let categories: BTreeSet<String> = categories.into_iter().map(|one| one.id).collect();
    let (mut skus, mut slugs, mut gtins) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let mut used = BTreeSet::new();
    let (mut variants, mut translated, mut on_sale) = (0_u32, 0_u32, 0_u32);
    for number in 0..PRODUCTS {
        let product = assortment.product(number).unwrap();
        assert_eq!(too_long(&product), Vec::<String>::new(), "{product:#?}");
        assert!(product.slug.parse::<Slug>().is_ok(), "{}", product.slug);
        assert!(slugs.insert(product.slug.clone()), "{}", product.slug);
        assert!(
            product.category.parse::<Category>().is_ok() && categories.contains(product.category)
        );
        used.insert(product.category);
        translated += u32::from(product.translations.len() == 2);
        let of_product = product.sold.variants();
        assert!((1..=MOST_VARIANTS).contains(&of_product.len()));
        let mut combinations = BTreeSet::new();
        for variant in of_product {
            assert!(
                variant.sku.parse::<Sku>().is_ok() && skus.insert(variant.sku.clone()),
                "{}",
                variant.sku
            );
            assert!(variant.options.len() <= MOST_OPTIONS && combinations.insert(&variant.options));
            assert!(variant.price.is_positive() && variant.weight_grams > 0);
            if let Some(gtin) = &variant.gtin {
                assert!(
                    gtin.parse::<Gtin>().is_ok() && gtins.insert(gtin.clone()),
                    "{gtin}"
                );
            }
            if let Some(sale) = &variant.sale {
                assert!(sale.price.is_positive() && sale.price.amount() < variant.price.amount());
                on_sale += 1;
            }
            variants += 1;
        }
    }
    // Every category that has words has products, and there is enough of everything.
    let of_words = data::words().unwrap().into_iter();
    assert_eq!(used, of_words.map(|word| word.category).collect());
    assert!(
        (150_000..250_000).contains(&variants),
        "{variants} variants"
    );
    assert!(
        (40_000..50_000).contains(&translated),
        "{translated} with translations"
    );
    assert!(
        gtins.len() > 30_000 && on_sale > 3_000,
        "{} {on_sale}",
        gtins.len()
    );
}

#[test]
fn prices_are_of_the_usual_magnitude_in_each_currency() {
    let prices = |currency: &str, number: u32| -> Vec<String> {
        let product = assortment(currency).product(number).unwrap();
        let variants = product.sold.variants().iter();
        variants
            .flat_map(|variant| {
                let sale = variant.sale.as_ref().map(|sale| sale.price.to_string());
                [Some(variant.price.to_string()), sale]
                    .into_iter()
                    .flatten()
            })
            .collect()
    };
    for number in 0..50 {
        let [euros, yen, dinars] = ["EUR", "JPY", "KWD"].map(|currency| prices(currency, number));
        let cents = euros
            .iter()
            .map(|price| price.replace('.', "").replace(" EUR", " JPY"));
        assert_eq!(
            yen,
            cents
                .map(|price| price.trim_start_matches('0').to_owned())
                .collect::<Vec<_>>()
        );
        let fils = euros.iter().map(|price| price.replace(" EUR", "0 KWD"));
        assert_eq!(dinars, fils.collect::<Vec<_>>());
    }
}

#[test]
fn the_tree_of_categories_can_be_added_in_its_order() {
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    for category in data::categories().unwrap() {
        assert!(category.id.parse::<Category>().is_ok(), "{}", category.id);
        let level = match &category.parent {
            Some(parent) => known.get(parent).unwrap_or_else(|| panic!("{parent}")) + 1,
            None => 1,
        };
        assert!(level <= 3, "{}", category.id);
        assert!(known.insert(category.id, level).is_none());
    }
    assert!((100..=130).contains(&known.len()), "{}", known.len());
}
