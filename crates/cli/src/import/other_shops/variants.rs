//! What is sold of a product, as `POST /products` takes it: SKUs, prices, options and stock.

use std::collections::BTreeSet;

use oxcart_core::catalog::sku::{Gtin, Sku};
use oxcart_core::values::money::Money;
use serde_json::{Map, Value, json};

use super::model::{Draft, ProductOption, Stock, Variant};
use super::output::Output;
use super::values::{self, one_line};
use super::{Fault, Line};

const MOST_VARIANTS: usize = 98;
const MOST_OPTIONS: usize = 3;

impl Draft {
    /// Returns the SKU of each variant.
    pub(super) fn skus(&mut self, output: &mut Output) -> Vec<String> {
        let mut faults = Vec::new();
        let mut skus = Vec::new();
        for variant in &self.variants {
            let sku = match &variant.sku {
                Some(cell) => one_line(&cell.text),
                None => derived(&self.key, variant),
            };
            let fault = |code, detail: String| match &variant.sku {
                Some(cell) => cell.fault(code, detail),
                None => Fault::new(variant.line, None, code, detail),
            };
            match sku.parse::<Sku>() {
                Err(error) => faults.push(fault("invalid", error.to_string())),
                Ok(valid) if valid.variant().is_some() => {
                    let detail = "an identifier can only be the SKU of the variant that has it";
                    faults.push(fault("reserved", detail.to_owned()));
                }
                Ok(_) if !output.is_new("sku", &sku) => {
                    let detail =
                        format!("an earlier variant has the SKU {sku}: each needs its own");
                    faults.push(fault("repeated", detail));
                }
                Ok(_) => {}
            }
            skus.push(sku);
        }
        self.faults(faults);
        skus
    }

    /// Adds an attribute with a line for each variant, or with the text alone if there is only one variant.
    pub(super) fn put_lines(&mut self, attribute: &str, texts: &[(&str, String)]) {
        let is_only = self.variants.len() == 1;
        let lines = texts.iter().map(|(sku, text)| {
            if is_only {
                text.clone()
            } else {
                format!("{sku}={text}")
            }
        });
        let lines: Vec<String> = lines.collect();
        self.attributes.put(attribute, &lines.join("\n"));
    }

    pub(super) fn put_variants(
        &mut self,
        body: &mut Map<String, Value>,
        skus: &[String],
        output: &mut Output,
    ) {
        self.check_options();
        self.check_variants();
        if self.variants.len() > MOST_VARIANTS {
            return;
        }
        let shipped = self
            .variants
            .iter()
            .filter(|variant| variant.is_shipped)
            .count();
        if shipped == 0 && !self.variants.is_empty() {
            body.insert("shipped".to_owned(), json!(false));
        } else if shipped < self.variants.len() {
            let detail = "some variants are shipped and some are not: Oxcart ships all of a product, or none";
            output.note(Fault::new(self.line, None, "shipping", detail));
        }
        let mut barcodes = Vec::new();
        let mut variants = Vec::new();
        for (variant, sku) in self.variants.iter().zip(skus) {
            let mut fields = fields_of(variant, sku);
            if let Some(cell) = &variant.gtin {
                let digits = cell.text.replace([' ', '-'], "");
                if digits.parse::<Gtin>().is_ok() {
                    fields.insert("gtin".to_owned(), json!(digits));
                } else {
                    let detail = "this is not a GTIN, or its check digit is wrong: it becomes the attribute barcode";
                    output.note_once(cell.fault("gtin", detail));
                    barcodes.push((sku.as_str(), one_line(&cell.text)));
                }
            }
            variants.push(fields);
        }
        self.put_lines("barcode", &barcodes);
        if self.options.is_empty() {
            body.extend(variants.into_iter().flatten());
            return;
        }
        let options = self.options.iter().enumerate();
        let options = options.map(|(at, option)| option_of(option, at, &self.variants));
        let options: Vec<Value> = options.collect();
        for (fields, variant) in variants.iter_mut().zip(&self.variants) {
            let options = self.options.iter().enumerate();
            let options: Map<String, Value> = options
                .map(|(at, option)| (one_line(&option.name.text), json!(value_of(variant, at))))
                .collect();
            fields.insert("options".to_owned(), Value::Object(options));
        }
        body.insert("options".to_owned(), Value::Array(options));
        body.insert("variants".to_owned(), json!(variants));
    }

    /// Notes what is wrong with the options and the variants' values.
    fn check_options(&mut self) {
        let count = self.variants.len();
        if count > MOST_VARIANTS {
            let detail = format!("this product has {count} variants; the most is {MOST_VARIANTS}");
            self.fault(Fault::new(self.line, None, "too_many", detail));
        }
        if self.options.len() > MOST_OPTIONS {
            let detail = format!("this product has more than {MOST_OPTIONS} options");
            self.fault(Fault::new(self.line, None, "too_many", detail));
        }
        let mut names = BTreeSet::new();
        for option in self.options.clone() {
            let name = self.line_of(&option.name, 50);
            if name.is_some_and(|name| !names.insert(name)) {
                self.fault(
                    option
                        .name
                        .fault("repeated", "an earlier option has this name"),
                );
            }
        }
    }

    /// Notes what is wrong with the variants' prices and values.
    fn check_variants(&mut self) {
        let mut seen = BTreeSet::new();
        for variant in self.variants.clone() {
            for (at, option) in self.options.clone().iter().enumerate() {
                if let Some(value) = variant.values.get(at).and_then(Option::as_ref) {
                    self.line_of(value, 60);
                } else {
                    let name = one_line(&option.name.text);
                    let detail = format!("this variant needs a value of the option {name}");
                    let column = Some(option.name.column.clone());
                    self.fault(Fault::new(variant.line, column, "required", detail));
                }
            }
            if variant.price.is_none() && !self.faults.iter().any(|f| f.line == variant.line) {
                let column = Some(self.price_column.clone());
                self.fault(Fault::new(
                    variant.line,
                    column,
                    "required",
                    "there is no price",
                ));
            }
            let values: Vec<String> = (0..self.options.len())
                .map(|at| value_of(&variant, at))
                .collect();
            if !seen.insert(values) {
                let detail = "an earlier variant of the product has the same values of the options";
                self.fault(Fault::new(variant.line, None, "repeated", detail));
            }
        }
    }
}

/// Returns what a variant has beside its GTIN and values.
fn fields_of(variant: &Variant, sku: &str) -> Map<String, Value> {
    let mut fields = Map::new();
    fields.insert("sku".to_owned(), json!(sku));
    if let Some(price) = variant.price {
        fields.insert("price".to_owned(), money(price));
    }
    if let Some(sale) = &variant.sale {
        let mut terms = Map::from_iter([("price".to_owned(), money(sale.price))]);
        for (name, time) in [("starts_at", sale.starts_at), ("ends_at", sale.ends_at)] {
            if let Some(time) = time {
                terms.insert(name.to_owned(), json!(time.to_string()));
            }
        }
        fields.insert("sale".to_owned(), Value::Object(terms));
    }
    if let Some(grams) = variant.weight_grams {
        fields.insert("weight_grams".to_owned(), json!(grams));
    }
    fields
}

/// Returns an option with the values that variants have of it.
fn option_of(option: &ProductOption, at: usize, variants: &[Variant]) -> Value {
    let mut values: Vec<String> = Vec::new();
    for variant in variants {
        let value = value_of(variant, at);
        values.extend((!values.contains(&value)).then_some(value));
    }
    let place = |value: &String| option.order.iter().position(|other| other == value);
    values.sort_by_key(|value| place(value).unwrap_or(usize::MAX));
    json!({"name": one_line(&option.name.text), "values": values})
}

fn money(money: Money) -> Value {
    json!({"amount": money.amount().to_string(), "currency": money.currency().code()})
}

fn value_of(variant: &Variant, at: usize) -> String {
    let value = variant.values.get(at).and_then(Option::as_ref);
    value.map(|value| one_line(&value.text)).unwrap_or_default()
}

/// Returns a SKU for a variant that has none: the key of its product and its values, such as `shirt/M/red`.
fn derived(key: &str, variant: &Variant) -> String {
    let values = (0..variant.values.len()).map(|at| value_of(variant, at));
    let parts: Vec<String> = std::iter::once(one_line(key)).chain(values).collect();
    let sku = parts.join("/");
    if sku.chars().count() <= 100 {
        return sku;
    }
    // Long ones may begin alike.
    let begin: String = sku.chars().take(83).collect();
    format!("{}~{:016x}", begin.trim(), values::hash(&sku))
}

pub(super) fn put_stock(variant: &Variant, sku: String, output: &mut Output) {
    let counted = match variant.stock {
        Stock::Counted(on_hand) => Some(on_hand),
        Stock::Uncounted => output.options.uncounted,
    };
    if let Some(on_hand) = counted {
        output.line(Line::Stock { sku, on_hand });
    } else {
        let detail = "this is sold without being counted, from here on; Oxcart has none of it until it gets stock";
        output.note_once(Fault::new(variant.line, None, "uncounted", detail));
    }
}
