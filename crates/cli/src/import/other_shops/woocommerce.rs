//! `WooCommerce`'s product export: a row for each product and for each variation of one, which names its product.

use super::columns::{Cell, Columns};
use super::csv::Row;
use super::families::{Families, Family};
use super::html::{self, Lines};
use super::model::{Draft, Image, ProductOption, Status};
use super::output::Output;
use super::values::{self, WeightUnit, words};
use super::{Fault, Options};

mod headers;
mod variation;

use headers::Field;

/// The most attributes of a product that are read.
const MOST_ATTRIBUTES: u16 = 100;

/// The most variations of a product that are read. The catalogue takes 98.
const MOST_VARIATIONS: usize = 2_500;

/// Reads the rows of a file.
pub(super) struct Reader {
    columns: Columns<Field>,
    families: Families,
    weight_unit: WeightUnit,
}

impl Reader {
    pub(super) fn new(header: &Row, options: &Options) -> Self {
        let columns = Columns::new(header, options, headers::known);
        let units = [
            WeightUnit::Gram,
            WeightUnit::Kilogram,
            WeightUnit::Pound,
            WeightUnit::Ounce,
        ];
        let unit = units
            .into_iter()
            .find(|unit| columns.has(Field::Weight(*unit)));
        Self {
            columns,
            families: Families::default(),
            weight_unit: unit.unwrap_or(WeightUnit::Kilogram),
        }
    }

    /// Reads a row.
    pub(super) fn take(&mut self, row: Row, output: &mut Output) {
        if let Some(fault) = self.columns.check(&row) {
            output.fault(fault);
            return;
        }
        let Some(cell) = self.cell(&row, Field::Type) else {
            let column = self.columns.header(Field::Type, "Type");
            let detail = "this must be simple, variable or variation";
            output.fault(Fault::new(row.line, Some(column), "required", detail));
            return;
        };
        let kinds = values::list(&cell.text.to_lowercase());
        let is = |kind: &str| kinds.iter().any(|other| other == kind);
        if is("variation") {
            self.take_variation(row, output);
        } else if is("variable") {
            self.take_variable(row);
        } else if is("simple")
            || kinds
                .iter()
                .all(|kind| kind == "virtual" || kind == "downloadable")
        {
            self.product(&row, &[], output);
        } else {
            let detail = format!(
                "products of the type {} are left out",
                values::one_line(&cell.text)
            );
            output.note(cell.fault("left_out", detail));
        }
        while let Some(family) = self.families.overflow() {
            self.family(&family, output);
        }
    }

    /// Puts out one of the products whose variations are all known now. Returns false if there was none.
    pub(super) fn finish(&mut self, output: &mut Output) -> bool {
        let family = self.families.pop();
        if let Some(family) = &family {
            self.family(family, output);
        }
        family.is_some()
    }

    /// Returns what the row says in the column, without the apostrophe that the export puts before what a spreadsheet would
    /// take for a formula.
    fn cell(&self, row: &Row, field: Field) -> Option<Cell> {
        let mut cell = self.columns.cell(row, field)?;
        if let Some(text) = cell.text.strip_prefix('\'')
            && text.starts_with(['=', '+', '-', '@'])
        {
            cell.text = text.to_owned();
        }
        Some(cell)
    }

    fn take_variable(&mut self, row: Row) {
        let id = self
            .cell(&row, Field::Id)
            .map(|id| format!("id:{}", id.text));
        let sku = self.cell(&row, Field::Sku).map(|sku| sku.text);
        self.families
            .parent(row, id.into_iter().chain(sku).collect());
    }

    fn take_variation(&mut self, row: Row, output: &mut Output) {
        let Some(parent) = self.cell(&row, Field::Parent) else {
            let column = self.columns.header(Field::Parent, "Parent");
            let detail =
                "a variation must name its product: by its SKU, or its number such as id:123";
            output.fault(Fault::new(row.line, Some(column), "required", detail));
            return;
        };
        let text = parent.text;
        let lower = text.to_lowercase();
        let references = match lower.strip_prefix("id:") {
            Some(id) => vec![format!("id:{}", id.trim())],
            None => vec![text.clone(), format!("id:{text}")],
        };
        self.families.variation(row, references);
    }

    fn family(&self, family: &Family, output: &mut Output) {
        if let Some(parent) = &family.parent {
            self.product(parent, &family.variations, output);
            return;
        }
        for row in &family.variations {
            let column = self.columns.header(Field::Parent, "Parent");
            let detail = "the file has no such variable product, or has it too far from this row: sort it by product";
            output.fault(Fault::new(row.line, Some(column), "no_parent", detail));
        }
    }

    fn product(&self, row: &Row, variations: &[Row], output: &mut Output) {
        let cell = |field| self.cell(row, field);
        let id = cell(Field::Id);
        let name = cell(Field::Name);
        let key = id.as_ref().map(|id| format!("id-{}", id.text));
        let key = cell(Field::Sku).map(|sku| sku.text).or(key);
        let named = || name.as_ref().map(|name| words(&name.text, false));
        let mut draft = Draft {
            line: row.line,
            key: key.or_else(named).unwrap_or_default(),
            brand: cell(Field::Brands),
            tags: cell(Field::Tags),
            seo_title: cell(Field::SeoTitle).filter(is_text),
            seo_description: cell(Field::SeoDescription).filter(is_text),
            price_column: self.columns.header(Field::RegularPrice, "Regular price"),
            name,
            ..Draft::default()
        };
        if let Some(id) = id.filter(|id| !output.is_new("id", &id.text)) {
            draft.fault(id.fault("repeated", "an earlier row has this number"));
        }
        self.texts(row, &mut draft);
        self.columns
            .read_others(row, Some(&mut draft.attributes), output);
        self.pictures(row, &mut draft);
        let is_variable = self.is_of(row, "variable");
        if variations.len() > MOST_VARIATIONS {
            let detail = format!("this product has more than {MOST_VARIATIONS} variations");
            output.fault(Fault::new(row.line, None, "too_many", detail));
            return;
        }
        self.attributes(row, variations, &mut draft, output);
        draft.status = self.status(row, is_variable, &mut draft);
        if !is_variable {
            draft.options.clear();
            let variant = self.variant(row, None, &mut draft, output);
            draft.variants.push(variant);
        }
        let mut variants = Vec::new();
        for variation in variations {
            if self
                .cell(variation, Field::Published)
                .is_some_and(|cell| cell.text != "1")
            {
                let detail = "this variation is private: it is left out";
                output.note(Fault::new(variation.line, None, "left_out", detail));
                continue;
            }
            self.columns.read_others(variation, None, output);
            let variant = self.variant(variation, Some(row), &mut draft, output);
            variants.push(variant);
        }
        if is_variable && variants.is_empty() {
            let detail =
                "this variable product has no variations, so there is nothing of it to sell";
            draft.fault(Fault::new(row.line, None, "no_variations", detail));
        } else if is_variable {
            draft.variants = variation::expanded(variants, &draft.options, output);
        }
        draft.finish(output);
    }

    fn is_of(&self, row: &Row, kind: &str) -> bool {
        let kinds = self.cell(row, Field::Type);
        let kinds = kinds.map(|cell| values::list(&cell.text.to_lowercase()));
        kinds.is_some_and(|kinds| kinds.iter().any(|other| other == kind))
    }

    fn texts(&self, row: &Row, draft: &mut Draft) {
        let text = |field| self.cell(row, field).map(with_lines);
        let short = text(Field::ShortDescription);
        draft.lines = Lines::Kept;
        draft.description = text(Field::Description);
        if draft.description.is_none() {
            draft.description = short;
        } else if let Some(short) = short {
            let text = html::to_text(&short.text, Lines::Kept).text;
            draft.attributes.put("short_description", &text);
        }
        if let Some(categories) = self.cell(row, Field::Categories) {
            let first = values::list(&categories.text).into_iter().next();
            let leaf = first.as_deref().and_then(|path| path.rsplit('>').next());
            draft.category = leaf.map(|leaf| leaf.trim().to_owned());
            draft.attributes.put("categories", &categories.text);
        }
    }

    fn pictures(&self, row: &Row, draft: &mut Draft) {
        let Some(cell) = self.cell(row, Field::Images) else {
            return;
        };
        for text in values::list(&cell.text) {
            let url = Cell {
                text,
                ..cell.clone()
            };
            draft.image(Image {
                position: None,
                url,
                alt: None,
            });
        }
    }

    fn status(&self, row: &Row, is_variable: bool, draft: &mut Draft) -> Status {
        let visibility = self.cell(row, Field::Visibility);
        let visibility = visibility.filter(|cell| !cell.text.eq_ignore_ascii_case("visible"));
        draft
            .attributes
            .put_cell("catalog_visibility", visibility.as_ref());
        let is_hidden = visibility.is_some_and(|cell| cell.text.eq_ignore_ascii_case("hidden"));
        let published = self.cell(row, Field::Published);
        // 0 is private, -1 is a draft.
        let is_published = published.is_none_or(|cell| cell.text == "1");
        let is_counted = self.cell(row, Field::Stock).is_some();
        let is_in_stock = self.in_stock(row);
        if is_hidden || !is_published {
            Status::Inactive
        } else if is_in_stock || (is_counted && !is_variable) {
            Status::Active
        } else {
            Status::OutOfStock
        }
    }

    /// Returns whether the product is in stock: `backorder` says that it can be ordered nevertheless.
    fn in_stock(&self, row: &Row) -> bool {
        self.cell(row, Field::InStock)
            .is_none_or(|cell| cell.text != "0")
    }

    /// Reads the attributes of a product: those that its variations have are its options.
    fn attributes(&self, row: &Row, variations: &[Row], draft: &mut Draft, output: &mut Output) {
        for at in 1..=MOST_ATTRIBUTES {
            let Some(name) = self.cell(row, Field::AttributeName(at)) else {
                continue;
            };
            let texts = self.cell(row, Field::AttributeValues(at));
            if variations
                .iter()
                .any(|variation| self.value(variation, &name.text).is_some())
            {
                let order = texts
                    .map(|cell| values::list(&cell.text))
                    .unwrap_or_default();
                draft.options.push(ProductOption { name, order });
                continue;
            }
            let visible = self.cell(row, Field::AttributeVisible(at));
            if visible.as_ref().is_some_and(|cell| cell.text == "0") {
                let detail = "attributes that are not visible are left out, from here on";
                output.note_once(name.fault("not_visible", detail));
            } else if let Some(texts) = texts {
                let text = values::list(&texts.text).join(", ");
                if !draft.attributes.put(&name.text, &text) {
                    let detail = "there is another attribute of this name";
                    draft.fault(name.fault("repeated", detail));
                }
            }
        }
    }
}

/// Returns the cell with its lines, of which the export writes the ends as `\n`, and a `\n` as `\\n`.
fn with_lines(cell: Cell) -> Cell {
    let parts = cell
        .text
        .split("\\\\n")
        .map(|part| part.replace("\\n", "\n"));
    Cell {
        text: parts.collect::<Vec<_>>().join("\\n"),
        ..cell
    }
}

/// Returns whether a text for search engines is one, and not a template such as `%%title%% %%sep%%`.
fn is_text(cell: &Cell) -> bool {
    !cell.text.contains('%')
}

#[cfg(test)]
mod tests;
