//! What is sold of a row: a product without options, or a variation.

use std::collections::BTreeSet;

use oxcart_core::values::money::Money;

use super::headers::Field;
use super::{MOST_ATTRIBUTES, Reader};
use crate::import::other_shops::Fault;
use crate::import::other_shops::columns::Cell;
use crate::import::other_shops::csv::Row;
use crate::import::other_shops::model::{Draft, ProductOption, Sale, Stock, Variant};
use crate::import::other_shops::output::Output;
use crate::import::other_shops::values::{self, Edge};

/// The most variants that one variation stands for: more than a product can have.
const MOST_OF_ONE: usize = 200;

/// What a variation says of an attribute.
#[derive(Clone, Debug)]
pub(super) enum Choice {
    /// It is for any of the values.
    Any,
    /// It has this value.
    One(Cell),
}

impl Reader {
    /// Returns what a variation says of the attribute `name`.
    pub(super) fn value(&self, variation: &Row, name: &str) -> Option<Choice> {
        (1..=MOST_ATTRIBUTES).find_map(|at| {
            let other = self.cell(variation, Field::AttributeName(at))?;
            if other.text.to_lowercase() != name.to_lowercase() {
                return None;
            }
            let Some(mut cell) = self.cell(variation, Field::AttributeValues(at)) else {
                return Some(Choice::Any);
            };
            cell.text = cell.text.replace("\\,", ",");
            Some(Choice::One(cell))
        })
    }

    /// Reads what is sold of a row: a product, or a variation of the product `parent`.
    pub(super) fn variant(
        &self,
        row: &Row,
        parent: Option<&Row>,
        draft: &mut Draft,
        output: &mut Output,
    ) -> Variant {
        let cell = |field| self.cell(row, field);
        let regular = draft.price(cell(Field::RegularPrice).as_ref(), output);
        let weight = Field::Weight(self.weight_unit);
        let inherited = || parent.and_then(|parent| self.cell(parent, weight));
        let weight = cell(weight).or_else(inherited);
        let image = parent.and_then(|_| cell(Field::Images));
        let image = image.and_then(|image| {
            let text = values::list(&image.text).into_iter().next()?;
            Some(Cell { text, ..image })
        });
        let values = match parent {
            Some(_) => {
                let names = draft.options.iter();
                names
                    .map(|option| match self.value(row, &option.name.text)? {
                        Choice::One(value) => Some(value),
                        Choice::Any => None,
                    })
                    .collect()
            }
            None => Vec::new(),
        };
        if let Some(description) = parent.and_then(|_| cell(Field::Description)) {
            let detail = "descriptions of variations are left out, from here on";
            output.note_once(description.fault("of_variation", detail));
        }
        Variant {
            line: row.line,
            sku: cell(Field::Sku),
            gtin: cell(Field::Gtin),
            price: regular,
            sale: self.sale(row, regular, draft, output),
            weight_grams: draft.weight(weight.as_ref(), self.weight_unit),
            values,
            image,
            stock: self.stock(row, parent, draft, output),
            is_shipped: !self.is_of(row, "virtual"),
        }
    }

    /// Reads the sale of a row, unless it is over.
    fn sale(
        &self,
        row: &Row,
        regular: Option<Money>,
        draft: &mut Draft,
        output: &mut Output,
    ) -> Option<Sale> {
        let cell = self.cell(row, Field::SalePrice)?;
        let price = draft.price(Some(&cell), output)?;
        let zone = output.options.time_zone.clone();
        let mut time = |field, edge| {
            let cell = self.cell(row, field)?;
            let time = values::time(&cell.text, &zone, edge);
            if time.is_none() {
                let detail = "this must be a date such as 2026-12-01";
                draft.fault(cell.fault("invalid", detail));
            }
            time
        };
        let starts_at = time(Field::SaleStarts, Edge::Start);
        let ends_at = time(Field::SaleEnds, Edge::End);
        let is_over = ends_at.is_some_and(|end| end <= output.options.now);
        let is_lower = regular.is_some_and(|regular| price.amount() < regular.amount());
        let detail = match (is_over, is_lower) {
            (true, _) => "sales that are over are left out, from here on",
            (false, false) => {
                "a sale price that is not less than the price is left out, from here on"
            }
            (false, true) => {
                if starts_at
                    .zip(ends_at)
                    .is_some_and(|(start, end)| end <= start)
                {
                    draft.fault(cell.fault("range", "the sale ends before it starts"));
                }
                return Some(Sale {
                    price,
                    starts_at,
                    ends_at,
                });
            }
        };
        output.note_once(cell.fault(if is_over { "over" } else { "not_lower" }, detail));
        None
    }

    fn stock(
        &self,
        row: &Row,
        parent: Option<&Row>,
        draft: &mut Draft,
        output: &mut Output,
    ) -> Stock {
        let own = self.cell(row, Field::Stock);
        let of_parent = parent.and_then(|parent| self.cell(parent, Field::Stock));
        let shared = own
            .as_ref()
            .filter(|cell| cell.text.eq_ignore_ascii_case("parent"));
        match (&own, shared) {
            (Some(own), None) => return draft.on_hand(own, output),
            (None, _) if !self.in_stock(row) => return Stock::Counted(0),
            _ => {}
        }
        if let Some(cell) = shared.or(of_parent.as_ref()) {
            let detail = "variations that share the stock of their product need stock of their own: they have none, from here on";
            output.note_once(cell.fault("shared_stock", detail));
            return Stock::Counted(0);
        }
        Stock::Uncounted
    }
}

/// Returns the `variants` with those in place of a variation for any value that it stands for: one for each value that
/// no variation of its own has.
pub(super) fn expanded(
    variants: Vec<Variant>,
    options: &[ProductOption],
    output: &mut Output,
) -> Vec<Variant> {
    let texts = |variant: &Variant| -> Vec<String> {
        let values = variant.values.iter().flatten();
        values.map(|value| value.text.clone()).collect()
    };
    let is_own = |variant: &&Variant| variant.values.iter().all(Option::is_some);
    let mut taken: BTreeSet<Vec<String>> = variants.iter().filter(is_own).map(texts).collect();
    let mut found = Vec::new();
    for variant in variants {
        if is_own(&&variant) {
            found.push(variant);
            continue;
        }
        let detail = "a variation for any value becomes one for each, from here on: its SKU with the value, without stock";
        output.note_once(Fault::new(variant.line, None, "any_value", detail));
        let each = each_of(variant, options);
        found.extend(
            each.into_iter()
                .filter(|variant| taken.insert(texts(variant))),
        );
    }
    found
}

/// Returns a variant for each of the values that `variant` has none of.
fn each_of(variant: Variant, options: &[ProductOption]) -> Vec<Variant> {
    let mut each = vec![variant];
    for (at, option) in options.iter().enumerate() {
        let mut next = Vec::new();
        for variant in each {
            let is_any = variant.values.get(at).is_some_and(Option::is_none);
            if !is_any || option.order.is_empty() {
                next.push(variant);
                continue;
            }
            for text in option
                .order
                .iter()
                .take(MOST_OF_ONE.saturating_sub(next.len()))
            {
                let mut variant = variant.clone();
                if let Some(sku) = &mut variant.sku {
                    sku.text = format!("{}/{text}", sku.text);
                }
                if let Some(value) = variant.values.get_mut(at) {
                    *value = Some(Cell {
                        line: variant.line,
                        text: text.clone(),
                        ..option.name.clone()
                    });
                }
                if matches!(variant.stock, Stock::Counted(_)) {
                    variant.stock = Stock::Counted(0);
                }
                next.push(variant);
            }
        }
        each = next;
    }
    each
}
