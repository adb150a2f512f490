use proptest::prelude::*;

use super::*;
use crate::catalog::content::{ContentChange, Translation};
use crate::catalog::model::Status;
use crate::catalog::rules::{Draft, create};
use crate::orders::fixtures::{eur, placed_at, product, sold_at};

fn tea(name: &str, price: &str, status: Status) -> Product {
    let draft = Draft {
        name: name.to_owned(),
        description: String::new(),
        category: "tea".parse().unwrap(),
        shipped: true,
        attributes: std::collections::BTreeMap::new(),
        status,
        sold: sold_at(price),
        content: ContentChange::default(),
    };
    create(product(name), draft, None, placed_at()).unwrap()
}

fn item(name: &str, quantity: u32) -> Item {
    Item {
        product_id: Some(product(name)),
        variant_id: None,
        quantity,
    }
}

fn euro() -> Currency {
    "EUR".parse().unwrap()
}

fn faults(items: &[Item], products: &[Product]) -> Vec<(String, &'static str)> {
    let faults = price(items, products, None, placed_at()).unwrap_err();
    faults
        .into_iter()
        .map(|fault| (fault.pointer, fault.code))
        .collect()
}

#[test]
fn items_of_one_product_become_one_line_where_it_was_first_asked_for() {
    let products = vec![
        tea("sencha", "12.90", Status::Active),
        tea("matcha", "30.00", Status::Active),
    ];
    let items = [item("sencha", 2), item("matcha", 1), item("sencha", 3)];
    let lines = price(&items, &products, None, placed_at()).unwrap();
    let total = total(euro(), &lines);
    let quantities: Vec<(&str, u32)> = lines
        .iter()
        .map(|line| (line.name.as_str(), line.quantity))
        .collect();
    assert_eq!(quantities, [("sencha", 5), ("matcha", 1)]);
    assert_eq!(total, Ok(eur("94.50")));
}

#[test]
fn a_line_has_the_name_in_the_language_of_the_shopper() {
    let mut pot = tea("Teapot", "30.00", Status::Active);
    let german = Translation {
        name: "Teekanne".to_owned(),
        ..Translation::default()
    };
    pot.content.translations.insert("de".to_owned(), german);
    let named = |locale: Option<&str>| {
        let locale: Option<Locale> = locale.map(|locale| locale.parse().unwrap());
        let priced = price(
            &[item("Teapot", 1)],
            &[pot.clone()],
            locale.as_ref(),
            placed_at(),
        );
        priced.unwrap()[0].name.clone()
    };
    assert_eq!(named(Some("de-AT")), "Teekanne");
    assert_eq!(named(Some("fr")), "Teapot", "there is no French name");
    assert_eq!(named(None), "Teapot");
}

#[test]
fn every_item_that_cannot_be_bought_is_a_fault() {
    let products = vec![
        tea("sencha", "12.90", Status::Active),
        tea("inactive", "1.00", Status::Inactive),
        tea("gone", "1.00", Status::Discontinued),
        tea("sold out", "1.00", Status::OutOfStock),
    ];
    let items = [
        item("inactive", 1),
        item("sencha", 1),
        item("gone", 1),
        item("never was", 1),
        item("sold out", 1),
        item("never was", 1),
    ];
    let expected = [
        ("/items/0/product_id", "not_for_sale"),
        ("/items/2/product_id", "not_for_sale"),
        ("/items/3/product_id", "unknown_product"),
        ("/items/4/product_id", "not_for_sale"),
        ("/items/5/product_id", "unknown_product"),
    ];
    assert_eq!(
        faults(&items, &products),
        expected.map(|(pointer, code)| (pointer.to_owned(), code))
    );
}

#[test]
fn the_most_of_one_product_counts_all_its_items() {
    let products = || vec![tea("sencha", "12.90", Status::Active)];
    let most = [item("sencha", 998), item("sencha", 1)];
    assert_eq!(
        price(&most, &products(), None, placed_at()).unwrap()[0].quantity,
        999
    );
    let more = [item("sencha", 998), item("sencha", 2)];
    assert_eq!(
        faults(&more, &products()),
        [("/items/1/quantity".to_owned(), "range")]
    );
}

#[test]
fn a_total_beyond_what_money_holds_is_an_error() {
    let products = vec![tea("gold", "999999999999999.00", Status::Active)];
    let lines = price(&[item("gold", 2)], &products, None, placed_at()).unwrap();
    assert_eq!(total(euro(), &lines), Err(MoneyError::TooLarge));
}

proptest! {
    #[test]
    fn merged_lines_cost_and_count_what_their_items_do(
        wanted in proptest::collection::vec((0_usize..5, 1_u32..=19), 1..=50),
        cents in proptest::collection::vec(1_i64..100_000, 5),
    ) {
        let name = |at: usize| format!("tea {at}");
        let prices: Vec<Money> = cents
            .into_iter()
            .map(|cents| Money::new(rust_decimal::Decimal::new(cents, 2), euro()).unwrap())
            .collect();
        let products: Vec<Product> = prices
            .iter()
            .enumerate()
            .map(|(at, price)| tea(&name(at), &price.amount().to_string(), Status::Active))
            .collect();
        let items: Vec<Item> = wanted.iter().map(|(at, q)| item(&name(*at), *q)).collect();
        let lines = price(&items, &products, None, placed_at()).unwrap();
    let total = total(euro(), &lines);
        let count: u32 = lines.iter().map(|line| line.quantity).sum();
        prop_assert_eq!(count, wanted.iter().map(|(_, q)| q).sum::<u32>());
        let parts = wanted.iter().map(|(at, q)| prices[*at].times(*q).unwrap());
        prop_assert_eq!(total, Money::sum(euro(), parts));
        let mut products: Vec<ProductId> = lines.iter().map(|line| line.product_id).collect();
        products.sort();
        products.dedup();
        prop_assert_eq!(products.len(), lines.len());
    }
}
