//! What the cells of one record say.

use csv::ByteRecord;
use serde_json::{Map, Value, json};

use super::super::model::{Failure, Fault, Header};
use super::super::rows::text;
use crate::catalog::variants::MOST_OPTIONS;
use crate::values::formulas::unescaped;
use crate::values::money::Currency;

/// Where the name of a column begins that has one attribute of a product.
pub(super) const ATTRIBUTE_PREFIX: &str = "attributes.";

/// Returns the texts of the cells of `record`.
///
/// # Errors
/// The outer error if they are not UTF-8; the inner one if there are more or fewer than columns.
pub(super) fn cells(
    record: &ByteRecord,
    header: &Header,
    line: u64,
) -> Result<Result<Vec<String>, Fault>, Failure> {
    let (wanted, found) = (header.columns.len(), record.len());
    if wanted != found {
        return Ok(Err(Fault {
            line,
            column: None,
            pointer: String::new(),
            code: "columns".to_owned(),
            detail: format!(
                "this row has {found} cells, and the header has {wanted}; is a quotation mark missing?"
            ),
        }));
    }
    let cells = record
        .iter()
        .map(|cell| Ok(unescaped(text(cell, line)?).to_owned()));
    cells.collect::<Result<_, _>>().map(Ok)
}

/// The cells of a record with the header over them.
pub(super) struct Named<'a>(pub(super) &'a Header, pub(super) &'a [String]);

impl<'a> Named<'a> {
    /// Returns the cell of the column `name`, if there is such a column.
    fn get(&self, name: &str) -> Option<&'a str> {
        let place = self.0.columns.iter().position(|column| column == name)?;
        self.1.get(place).map(String::as_str)
    }

    /// Returns whether the record is one more variant of the product before.
    pub(super) fn goes_on(&self) -> bool {
        ["id", "name"]
            .iter()
            .all(|name| self.get(name).unwrap_or_default().is_empty())
    }
}

/// The cells of a record, in a shop with a currency.
pub(super) struct Cells<'a> {
    named: Named<'a>,
    currency: Currency,
}

impl<'a> Cells<'a> {
    pub(super) fn new(header: &'a Header, cells: &'a [String], currency: Currency) -> Self {
        let named = Named(header, cells);
        Self { named, currency }
    }

    /// Returns the cell of the column `name`, unless it is empty.
    fn filled(&self, name: &str) -> Option<&'a str> {
        self.named.get(name).filter(|cell| !cell.is_empty())
    }

    /// Returns what the record says of the product itself. An empty cell stands for what a product has that was never
    /// given it, except where it must have something.
    pub(super) fn product(&self) -> Map<String, Value> {
        let mut fields = Map::new();
        for name in ["id", "name", "category", "status"] {
            fields.extend(self.filled(name).map(|cell| (name.to_owned(), json!(cell))));
        }
        if let Some(description) = self.named.get("description") {
            fields.insert("description".to_owned(), json!(description));
        }
        if let Some(shipped) = self.filled("shipped") {
            fields.insert("shipped".to_owned(), boolean(shipped));
        }
        for name in ["slug", "brand"] {
            let cell = self.named.get(name).map(nullable);
            fields.extend(cell.map(|cell| (name.to_owned(), cell)));
        }
        if let Some((title, description)) = self
            .named
            .get("seo_title")
            .zip(self.named.get("seo_description"))
        {
            let seo = json!({"title": nullable(title), "description": nullable(description)});
            fields.insert("seo".to_owned(), seo);
        }
        if let Some(tags) = self.named.get("tags") {
            fields.insert("tags".to_owned(), list(tags));
        }
        if let Some(images) = self.named.get("images") {
            fields.insert("images".to_owned(), self::images(images));
        }
        if let Some(translations) = self.named.get("translations") {
            fields.insert("translations".to_owned(), object(translations));
        }
        fields.extend(
            self.attributes()
                .map(|attributes| ("attributes".to_owned(), attributes)),
        );
        fields
    }

    /// Returns the attributes of all columns that have some, if there are such columns.
    fn attributes(&self) -> Option<Value> {
        let columns = self.named.0.columns.iter().zip(self.named.1);
        let own = columns
            .filter_map(|(column, cell)| Some((column.strip_prefix(ATTRIBUTE_PREFIX)?, cell)));
        let own: Vec<(&str, &String)> = own.collect();
        let together = self.named.get("attributes").map(object);
        if own.is_empty() {
            return together;
        }
        let together = together.unwrap_or_else(|| json!({}));
        let Value::Object(mut all) = together else {
            return Some(together);
        };
        let own = own.into_iter().filter(|(_, cell)| !cell.is_empty());
        all.extend(own.map(|(name, cell)| (name.to_owned(), json!(cell))));
        Some(Value::Object(all))
    }

    /// Returns the number and the name of each option that the product has.
    pub(super) fn option_names(&self) -> Vec<(usize, &'a str)> {
        let numbers = 1..=MOST_OPTIONS;
        let names = numbers.map(|number| (number, self.filled(&format!("option{number}_name"))));
        names
            .filter_map(|(number, name)| Some((number, name?)))
            .collect()
    }

    fn option_value(&self, number: usize) -> Option<&'a str> {
        self.filled(&format!("option{number}_value"))
    }

    /// Returns the values of an option: those of its cell, or else those of the variants.
    pub(super) fn option_values(&self, number: usize, variants: &[&Self]) -> Value {
        if let Some(values) = self.filled(&format!("option{number}_values")) {
            return list(values);
        }
        let mut values: Vec<&str> = Vec::new();
        for value in variants.iter().filter_map(|row| row.option_value(number)) {
            if !values.contains(&value) {
                values.push(value);
            }
        }
        json!(values)
    }

    /// Returns what the record says of a variant in a list of some, with its values of the options `names`.
    pub(super) fn listed_variant(&self, names: &[(usize, &str)]) -> Map<String, Value> {
        let mut variant = self.variant();
        if let Some(id) = self.filled("variant_id") {
            variant.insert("id".to_owned(), json!(id));
        }
        let values = names.iter().filter_map(|(number, name)| {
            Some(((*name).to_owned(), json!(self.option_value(*number)?)))
        });
        variant.insert("options".to_owned(), values.collect());
        variant
    }

    /// Returns what the record says of a variant, beside its identifier and its values of options.
    pub(super) fn variant(&self) -> Map<String, Value> {
        let mut fields = Map::new();
        for name in ["sku", "gtin"] {
            let cell = self.named.get(name).map(nullable);
            fields.extend(cell.map(|cell| (name.to_owned(), cell)));
        }
        if let Some(price) = self.filled("price") {
            fields.insert("price".to_owned(), self.money(price));
        }
        if let Some(weight) = self.named.get("weight_grams") {
            fields.insert("weight_grams".to_owned(), number(weight));
        }
        match self.named.get("sale_price") {
            None => {}
            Some("") => {
                fields.insert("sale".to_owned(), Value::Null);
            }
            Some(price) => {
                let mut sale = Map::new();
                sale.insert("price".to_owned(), self.money(price));
                for (column, field) in
                    [("sale_starts_at", "starts_at"), ("sale_ends_at", "ends_at")]
                {
                    sale.extend(
                        self.filled(column)
                            .map(|time| (field.to_owned(), json!(time))),
                    );
                }
                fields.insert("sale".to_owned(), Value::Object(sale));
            }
        }
        fields
    }

    /// Returns what the record says of the stock of a variant.
    pub(super) fn stock(&self) -> Map<String, Value> {
        let mut fields = Map::new();
        fields.extend(self.filled("sku").map(|sku| ("sku".to_owned(), json!(sku))));
        for name in ["on_hand", "backorder"] {
            fields.extend(
                self.filled(name)
                    .map(|cell| (name.to_owned(), number(cell))),
            );
        }
        fields
    }

    fn money(&self, amount: &str) -> Value {
        json!({"amount": amount, "currency": self.currency.to_string()})
    }
}

/// Returns what a cell says that may be empty.
fn nullable(cell: &str) -> Value {
    if cell.is_empty() {
        Value::Null
    } else {
        json!(cell)
    }
}

/// Returns the number in a cell that may be empty; the reader of the field says what is wrong with anything else.
fn number(cell: &str) -> Value {
    cell.parse::<u32>()
        .map_or_else(|_| nullable(cell), |number| json!(number))
}

/// Returns `true` or `false` if the cell says so in any case; the reader of the field says what is wrong with any other.
fn boolean(cell: &str) -> Value {
    match cell.to_ascii_lowercase().as_str() {
        "true" => json!(true),
        "false" => json!(false),
        _ => json!(cell),
    }
}

/// Returns the list in a cell: as JSON, or with `|` between its texts.
fn list(cell: &str) -> Value {
    if cell.trim_start().starts_with('[') {
        return serde_json::from_str(cell).unwrap_or_else(|_| json!(cell));
    }
    let texts = cell
        .split('|')
        .map(str::trim)
        .filter(|text| !text.is_empty());
    json!(texts.collect::<Vec<&str>>())
}

/// Returns the images in a cell: as JSON, or addresses with `|` between them.
fn images(cell: &str) -> Value {
    let Value::Array(images) = list(cell) else {
        return json!(cell);
    };
    let images = images.into_iter().map(|image| match image.as_str() {
        Some(url) => json!({"url": url}),
        None => image,
    });
    images.collect()
}

/// Returns the JSON object in a cell. An empty cell is an empty one.
fn object(cell: &str) -> Value {
    if cell.is_empty() {
        return json!({});
    }
    serde_json::from_str(cell).unwrap_or_else(|_| json!(cell))
}
