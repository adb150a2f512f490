//! The examples of the page about shipping.

use super::super::not_shipped;
use crate::http::problem::Problem;
use crate::orders::model::Line;
use crate::pricing::breakdown::{Cart, calculate};
use crate::pricing::cart::CartLine;
use crate::pricing::fixtures::{discount, line, percent, tax_settings};
use crate::pricing::model::Discount;
use crate::pricing::shipping::ShippingMethod;
use crate::pricing::tax::Destination;

/// Reads goods: `2 pot 20.00 1000g`, or with `not shipped` at the end.
fn goods(text: &str) -> CartLine {
    let (text, shipped) = match text.strip_suffix(" not shipped") {
        Some(rest) => (rest, false),
        None => (text, true),
    };
    let words: Vec<&str> = text.split(' ').collect();
    let grams = words.get(3).map(|grams| grams.strip_suffix('g').unwrap());
    CartLine {
        weight_grams: grams.map(|grams| grams.parse().unwrap()),
        shipped,
        ..line(words[1], words[0].parse().unwrap(), words[2])
    }
}

/// Reads a place: `DE`, `DE 51147` or `ES 35001 (Canarias)`.
fn destination(text: &str) -> Destination {
    let (text, region) = match text.split_once(" (") {
        Some((text, region)) => (text, region.strip_suffix(')')),
        None => (text, None),
    };
    let (country, postal_code) = match text.split_once(' ') {
        Some((country, code)) => (country, Some(code)),
        None => (text, None),
    };
    Destination {
        country: country.to_owned(),
        region: region.map(str::to_owned),
        postal_code: postal_code.map(str::to_owned),
        tax_number: None,
    }
}

/// Returns what shipping costs, or the pointer and the code of the fault.
fn price(method: &ShippingMethod, discounts: &[Discount], cart: &str, to: &str) -> String {
    let cart: Vec<CartLine> = cart.split(", ").map(goods).collect();
    let destination = destination(to);
    let settings = tax_settings(&[]);
    let priced = Cart {
        currency: "EUR".parse().unwrap(),
        lines: &cart,
        destination: &destination,
        shipping: Some(method),
        taxes: &settings.place(&destination).unwrap(),
    };
    let lines = cart.iter().map(|line| Line {
        product_id: line.product_id,
        variant_id: line.variant_id,
        sku: None,
        name: line.category.to_string(),
        quantity: line.quantity,
        unit_price: line.unit_price,
        price_list: None,
    });
    let lines: Vec<Line> = lines.collect();
    match calculate(&priced, discounts) {
        Ok(priced) => {
            let shipping = priced.breakdown.shipping;
            let price = shipping.map(|part| part.price.amount().to_string());
            price.unwrap_or_else(|| "none".to_owned())
        }
        Err(error) => {
            let Problem::InvalidBody(faults) = not_shipped(&error, &lines) else {
                panic!("{error}");
            };
            format!("{} {}", faults[0].pointer, faults[0].code)
        }
    }
}

#[test]
fn the_examples_of_the_page_about_shipping_are_right() {
    let page = include_str!("../../../../../../docs/shipping.md");
    let mut count = 0;
    for example in page.split("```example\n").skip(1) {
        let example = example.split("```").next().unwrap();
        let mut lines = example.lines();
        let method = lines.next().unwrap().strip_prefix("method: ").unwrap();
        let mut method: serde_json::Value = serde_json::from_str(method).unwrap();
        method["id"] = "parcel".into();
        method["name"] = "Parcel".into();
        let method: ShippingMethod = serde_json::from_value(method).unwrap();
        let mut discounts = Vec::new();
        for line in lines {
            let (order, expected) = line.split_once(": ").unwrap();
            if order == "discount" {
                discounts.push(discount("everything", percent(expected)));
                continue;
            }
            let (cart, to) = order.split_once(" to ").unwrap();
            assert_eq!(price(&method, &discounts, cart, to), expected, "{line}");
            count += 1;
        }
    }
    assert!(count >= 25, "{count}");
}
