//! The numbers in every message about an order are read back out of it, and add up to its total.

use rust_decimal::Decimal;

use super::kinds::{Kind, kinds, order};
use super::*;
use crate::pricing::tax::Tax;

/// A row that a mail shows: its words and its amount.
type Row = (String, String);

fn rows_of_text(text: &str) -> Vec<Row> {
    let rows = text.lines().filter_map(|line| line.strip_prefix("  "));
    // The full-width colon first, because a name may contain the other.
    let rows = rows.map(|row| {
        row.rsplit_once('：')
            .or_else(|| row.rsplit_once(": "))
            .unwrap()
    });
    let rows = rows.map(|(words, amount)| (words.to_owned(), amount.to_owned()));
    rows.collect()
}

fn rows_of_html(html: &str) -> Vec<Row> {
    let rows = html.split("<tr").skip(1).map(|row| {
        let mut cells = row
            .split("</td>")
            .map(|cell| cell.rsplit_once('>').unwrap().1);
        (
            cells.next().unwrap().to_owned(),
            cells.next().unwrap().to_owned(),
        )
    });
    rows.collect()
}

/// Returns the amount that `text` shows, in the smallest unit: amounts have all decimals of their currency.
fn units(text: &str, currency: &str) -> i64 {
    let number = text.strip_suffix(currency).unwrap();
    let digits = number
        .chars()
        .filter(|letter| letter.is_ascii_digit() || *letter == '-');
    digits.collect::<String>().parse().unwrap()
}

/// The words of a language that the test looks for.
struct Words {
    locale: &'static str,
    subtotal: &'static str,
    total: &'static str,
    reverse_charge: &'static str,
}

const WORDS: [Words; 3] = [
    Words {
        locale: "en",
        subtotal: "Subtotal",
        total: "Total",
        reverse_charge: "Reverse charge:",
    },
    Words {
        locale: "de",
        subtotal: "Zwischensumme",
        total: "Gesamtbetrag",
        reverse_charge: "Steuerschuldnerschaft des Leistungsempfängers:",
    },
    Words {
        locale: "zh",
        subtotal: "小计",
        total: "合计",
        reverse_charge: "反向征收",
    },
];

/// Checks that the rows of a mail about an order of this kind show every part of its total, and add up to it.
fn check(rows: &[Row], kind: Kind, order: &Order, words: &Words) {
    let sum = |rows: &[Row]| -> i64 { rows.iter().map(|row| units(&row.1, kind.currency)).sum() };
    let total = rows.iter().position(|row| row.0 == words.total).unwrap();
    let (before, included) = (&rows[..total], &rows[total + 1..]);
    let (lines, mut others) = before.split_at(kind.lines);

    for (words, amount) in lines {
        let quantity: i64 = words.split(' ').next().unwrap().parse().unwrap();
        let (_, unit_price) = words[..words.len() - 4].rsplit_once(' ').unwrap();
        let unit_price = units(&format!("{unit_price} {}", kind.currency), kind.currency);
        assert_eq!(units(amount, kind.currency), quantity * unit_price);
    }
    if let Some((subtotal, after)) = others
        .split_first()
        .filter(|(row, _)| row.0 == words.subtotal)
    {
        assert_eq!(units(&subtotal.1, kind.currency), sum(lines));
        others = after;
    } else {
        assert!(kind.lines == 1 && others.is_empty());
    }
    let charged = order.total.minor_units().unwrap();
    assert_eq!(sum(lines) + sum(others), i64::try_from(charged).unwrap());
    assert_eq!(sum(&rows[total..=total]), i64::try_from(charged).unwrap());

    let discounts = order
        .breakdown
        .discounts
        .iter()
        .map(|applied| applied.name.clone());
    let shipping = order
        .breakdown
        .shipping
        .iter()
        .map(|part| part.name.clone());
    let taxes = order.breakdown.taxes().unwrap();
    let (inside, added): (Vec<Tax>, Vec<Tax>) = taxes.into_iter().partition(|tax| tax.included);
    let shown = |tax: &Tax| tax.name.clone();
    let expected = discounts.chain(shipping).chain(added.iter().map(shown));
    let expected: Vec<String> = expected.collect();
    assert_eq!(others.len(), expected.len());
    let named = others.iter().zip(&expected);
    assert!(
        named
            .into_iter()
            .all(|(row, name)| row.0.contains(name.as_str()))
    );

    assert_eq!(included.len(), inside.len());
    for (row, tax) in included.iter().zip(&inside) {
        let amount = tax.amount.minor_units().unwrap();
        assert!(row.0.contains(&tax.name));
        assert_eq!(units(&row.1, kind.currency), i64::try_from(amount).unwrap());
    }
    for (row, tax) in others
        .iter()
        .rev()
        .zip(added.iter().rev())
        .chain(included.iter().zip(&inside))
    {
        let percent = (tax.rate.as_decimal() * Decimal::ONE_HUNDRED).normalize();
        assert!(row.0.contains(&percent.to_string()), "{}", row.0);
    }
}

#[test]
fn every_mail_about_an_order_shows_parts_that_add_up_to_its_total() {
    for words in &WORDS {
        let recipient = customer(words.locale).into();
        for kind in kinds() {
            let order = order(kind);
            for template in templates(true) {
                let mail = render_about_order(
                    super::request(template, &order),
                    "Oxcart",
                    &recipient,
                    &order,
                )
                .unwrap();
                let rows = rows_of_text(&mail.text);
                assert_eq!(rows, rows_of_html(&mail.html), "{kind:?}\n{}", mail.text);
                check(&rows, kind, &order, words);
                for text in [&mail.text, &mail.html] {
                    assert_eq!(text.contains(words.reverse_charge), kind.reverse_charge);
                }
            }
        }
    }
}
