//! What is found, and in which order.

use super::*;
use crate::document::{Document, Text};
use crate::memory::Memory;
use crate::segment;

/// A product with a name, and words about it: `#tag`, `=brand`, `/category`, `name:value`, or a price.
fn product(number: u128, name: &str, about: &str) -> Document {
    let mut product = Document {
        id: Uuid::from_u128(number),
        texts: vec![Text {
            locale: String::new(),
            name: name.to_owned(),
            description: String::new(),
        }],
        ..Document::default()
    };
    for word in about.split_whitespace() {
        if let Some(tag) = word.strip_prefix('#') {
            product.tags.push(tag.to_owned());
        } else if let Some(brand) = word.strip_prefix('=') {
            product.brand = Some(brand.to_owned());
        } else if let Some(category) = word.strip_prefix('/') {
            product.categories.push(category.to_owned());
            product
                .category_names
                .push(("en".to_owned(), category.to_owned()));
        } else if let Some((name, value)) = word.split_once(':') {
            product.attributes.push((name.to_owned(), value.to_owned()));
        } else if let Some(code) = word.strip_prefix('@') {
            product.codes.push(code.to_owned());
        } else {
            product.price = word.parse().unwrap();
        }
    }
    product
}

fn shop() -> Searcher {
    let mut teapot = product(
        1,
        "Teapot of porcelain",
        "#teapot =Norvana /tableware colour:blue 4900 @OX-00012-3",
    );
    teapot.texts.push(Text {
        locale: "de".to_owned(),
        name: "Teekanne aus Porzellan".to_owned(),
        description: "Für grünen Tee".to_owned(),
    });
    teapot.texts.push(Text {
        locale: "zh".to_owned(),
        name: "蓝色瓷茶壶".to_owned(),
        description: String::new(),
    });
    let mut shirt = product(
        2,
        "T-shirt",
        "#shirt =Altlund /shirts material:cotton colour:red 1990",
    );
    shirt.texts.push(Text {
        locale: "de".to_owned(),
        name: "Hemd aus Baumwolle".to_owned(),
        description: String::new(),
    });
    let products = [
        teapot,
        shirt,
        product(3, "Kitchen knife", "#knife =Norvana /cutlery 2500"),
        product(
            4,
            "Signet ring, silver",
            "#signet-ring /jewellery material:silver 12000",
        ),
        product(
            5,
            "Plain ring in silver",
            "#ring /jewellery material:silver 9000",
        ),
        product(6, "Bicycle", "#bicycle /sports colour:red 49900"),
        product(7, "Tea, green, from Japan", "#tea /tea origin:Japan 700"),
    ];
    let memory = Memory::default();
    let part = Part::new(memory.keep(segment::write(products).unwrap()));
    let blocks = Arc::new(Blocks::new(memory, 1 << 20));
    let synonyms = Synonyms::new([vec!["bike", "bicycle"], vec!["单车", "bicycle"]]);
    Searcher::open(&blocks, vec![part], Weights::default(), synonyms).unwrap()
}

fn found(searcher: &Searcher, text: &str) -> Vec<u128> {
    let request = Request {
        text: text.to_owned(),
        limit: 10,
        ..Request::default()
    };
    let found = searcher.search(&request).unwrap();
    assert_eq!(found.counts.total, found.products.len() as u64, "{text}");
    found.products.iter().map(Uuid::as_u128).collect()
}

#[test]
fn products_are_found_by_words_in_any_form_and_language() {
    let shop = shop();
    for (text, first) in [
        ("teapot", 1),
        ("TEAPOTS", 1),
        ("Teekannen", 1),
        ("茶壶", 1),
        ("壶", 1),
        ("norvana teapot", 1),
        ("gruener tee", 1),
        ("T-Shirt", 2),
        ("tshirts", 2),
        ("Baumwollhemd", 2),
        ("knives", 3),
        ("ox-00012-3", 1),
        ("OX000123", 1),
    ] {
        assert_eq!(found(&shop, text).first(), Some(&first), "{text}");
    }
}

#[test]
fn beginnings_typing_errors_and_synonyms_are_found() {
    let shop = shop();
    for (text, first) in [
        ("teap", 1),
        ("Teek", 1),
        ("taepot", 1),
        ("bicylce", 6),
        ("porselian", 1),
        ("bike", 6),
        ("bkie", 6),
        ("单车", 6),
        ("kitchen knfe", 3),
    ] {
        assert_eq!(found(&shop, text).first(), Some(&first), "{text}");
    }
    assert_eq!(found(&shop, "rong"), found(&shop, "ring"));
}

#[test]
fn what_a_word_names_comes_before_what_it_is_a_part_of() {
    let shop = shop();
    assert_eq!(found(&shop, "silver ring"), [5, 4]);
    assert_eq!(found(&shop, "tea").first(), Some(&7));
}

#[test]
fn most_words_must_be_there_unless_nothing_has_them() {
    let shop = shop();
    assert_eq!(found(&shop, "porcelain teapot from nowhere"), [1]);
    assert_eq!(
        found(&shop, "porcelain bicycle"),
        found(&shop, "bicycle porcelain")
    );
    assert_eq!(found(&shop, "porcelain bicycle").len(), 2, "either of them");
    assert_eq!(
        found(&shop, "the teapot with a"),
        [1],
        "stop words are left out"
    );
    assert!(found(&shop, "the").is_empty());
}

#[test]
fn any_text_is_a_query_and_none_is_a_syntax() {
    let shop = shop();
    for text in [
        "",
        " ",
        "?!*",
        "((((",
        "\"",
        "name:",
        "的",
        "\u{0}\u{1}",
        "\u{1f}",
    ] {
        assert!(found(&shop, text).is_empty(), "{text:?}");
    }
    for text in [
        "teapot AND (",
        "name:teapot~2^9",
        "+teapot -\"",
        "teapot\u{0}*",
    ] {
        assert_eq!(found(&shop, text).first(), Some(&1), "{text:?}");
    }
    let long = "teapot ".repeat(1500);
    assert_eq!(found(&shop, &long).first(), Some(&1));
    let long = "壶".repeat(3500);
    assert!(found(&shop, &long).len() <= 7);
    found(&shop, &"x".repeat(10_240));
}

#[test]
fn filters_leave_what_has_all_of_them_and_counts_are_of_that() {
    let shop = shop();
    let request = Request {
        category: Some("jewellery".to_owned()),
        attributes: vec![("material".to_owned(), "silver".to_owned())],
        limit: 1,
        ..Request::default()
    };
    let all = shop.search(&request).unwrap();
    assert_eq!((all.products.len(), all.counts.total), (1, 2));
    assert_eq!(all.counts.categories.get("jewellery"), Some(&2));
    assert_eq!(all.counts.attributes.get("material\u{1f}silver"), Some(&2));
    // 90.00 and 120.00: from 50.00 on and from 100.00 on.
    assert_eq!((all.counts.prices[11], all.counts.prices[12]), (1, 1));
    let second = shop
        .search(&Request {
            offset: 1,
            ..request.clone()
        })
        .unwrap();
    assert_ne!(all.products, second.products);
    let brand = Request {
        text: "teapot knife".to_owned(),
        brand: Some("Norvana".to_owned()),
        limit: 10,
        ..Request::default()
    };
    let of_brand = shop.search(&brand).unwrap();
    assert_eq!(of_brand.counts.brands.len(), 1);
    assert_eq!(of_brand.counts.total, 2, "any of the words, of this brand");
    let other = Request {
        brand: Some("Altlund".to_owned()),
        text: "teapot".to_owned(),
        ..brand
    };
    assert!(shop.search(&other).unwrap().products.is_empty());
}
