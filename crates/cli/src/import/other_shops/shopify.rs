//! Shopify's product export: the rows of a product have its handle, and follow each other. The first has what the product
//! is; each has a variant, a picture, or both.

use super::columns::{Cell, Columns, Use};
use super::csv::Row;
use super::model::{Draft, Image, ProductOption, Sale, Status, Stock, Variant};
use super::output::Output;
use super::values::{WeightUnit, one_line, words};
use super::{Fault, Options};

/// The most rows of a product. Shopify has at most 2048 variants, of which the catalogue does not take more than 98.
const MOST_ROWS: usize = 2_500;

/// The most bytes of all rows of a product, so that one without an end does not fill the memory.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// The fields of a row. Those of options have their place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Field {
    Handle,
    Title,
    Description,
    Vendor,
    ProductCategory,
    Type,
    Tags,
    Published,
    Status,
    OptionName(u8),
    OptionValue(u8),
    Sku,
    Barcode,
    Grams,
    Tracker,
    Quantity,
    Price,
    CompareAtPrice,
    RequiresShipping,
    ImageAddress,
    ImagePosition,
    ImageAlt,
    VariantImage,
    SeoTitle,
    SeoDescription,
}

/// Returns what a column is for. Each has the name that it had until 2024, and the one that it has had since.
fn known(name: &str) -> Option<Use<Field>> {
    let field = match name {
        "handle" | "url handle" => Field::Handle,
        "title" => Field::Title,
        "body (html)" | "body html" | "description" => Field::Description,
        "vendor" => Field::Vendor,
        "product category" | "standardized product type" | "standard product type" => {
            Field::ProductCategory
        }
        "type" | "custom product type" => Field::Type,
        "tags" => Field::Tags,
        "published" | "published on online store" => Field::Published,
        "status" => Field::Status,
        "option1 name" => Field::OptionName(0),
        "option2 name" => Field::OptionName(1),
        "option3 name" => Field::OptionName(2),
        "option1 value" => Field::OptionValue(0),
        "option2 value" => Field::OptionValue(1),
        "option3 value" => Field::OptionValue(2),
        "variant sku" | "sku" => Field::Sku,
        "variant barcode" | "barcode" => Field::Barcode,
        "variant grams" | "weight value (grams)" => Field::Grams,
        "variant inventory tracker" | "inventory tracker" => Field::Tracker,
        "variant inventory qty" | "inventory quantity" => Field::Quantity,
        "variant price" | "price" => Field::Price,
        "variant compare at price" | "compare-at price" => Field::CompareAtPrice,
        "variant requires shipping" | "requires shipping" => Field::RequiresShipping,
        "image src" | "product image url" => Field::ImageAddress,
        "image position" => Field::ImagePosition,
        "image alt text" => Field::ImageAlt,
        "variant image" | "variant image url" => Field::VariantImage,
        "seo title" => Field::SeoTitle,
        "seo description" => Field::SeoDescription,
        _ => return other(name),
    };
    Some(Use::Field(field))
}

/// Returns the use of a column that is not one of the fields.
fn other(name: &str) -> Option<Use<Field>> {
    if let Some(name) = name.strip_prefix("google shopping / ") {
        let name = words(name, true).replace('-', "_");
        return Some(Use::Attribute(format!(
            "google_{}",
            name.trim_start_matches("google_")
        )));
    }
    Some(match name {
        "variant inventory policy" | "continue selling when out of stock" => {
            Use::Usual(&["deny", "false"])
        }
        "variant fulfillment service" | "fulfillment service" => Use::Usual(&["manual"]),
        "variant taxable" | "charge tax" => Use::Usual(&["true"]),
        "gift card" => Use::Usual(&["false"]),
        "variant weight unit" | "weight unit for display" => Use::Nothing,
        _ if name.starts_with("included / ") => Use::Usual(&["true"]),
        _ => return None,
    })
}

/// Reads the rows of a file.
pub(super) struct Reader {
    columns: Columns<Field>,
    open: Option<Open>,
}

/// The product whose rows are read.
struct Open {
    handle: String,
    draft: Draft,
    rows: usize,
    bytes: usize,
    published: Option<Cell>,
    status: Option<Cell>,
    kind: Option<Cell>,
    product_category: Option<Cell>,
}

impl Reader {
    pub(super) fn new(header: &Row, options: &Options) -> Self {
        Self {
            columns: Columns::new(header, options, known),
            open: None,
        }
    }

    /// Reads a row.
    pub(super) fn take(&mut self, row: &Row, output: &mut Output) {
        let Some(handle) = self.columns.cell(row, Field::Handle) else {
            let column = self.columns.header(Field::Handle, "Handle");
            let detail = "the row has no handle, so it belongs to no product";
            output.fault(Fault::new(row.line, Some(column), "required", detail));
            return;
        };
        if self
            .open
            .as_ref()
            .is_none_or(|open| open.handle != handle.text)
        {
            self.finish(output);
            self.open = Some(self.begin(handle, output));
        }
        if let Some(mut open) = self.open.take() {
            self.add(row, &mut open, output);
            self.open = Some(open);
        }
    }

    /// Puts out the last product.
    pub(super) fn finish(&mut self, output: &mut Output) {
        let Some(mut open) = self.open.take() else {
            return;
        };
        let is_published = open.draft.flag(open.published.as_ref(), true);
        let status = open.status.as_ref().map(|cell| cell.text.to_lowercase());
        open.draft.status = match status.as_deref() {
            None | Some("active") if is_published => Status::Active,
            None | Some("active" | "draft") => Status::Inactive,
            Some(status @ ("archived" | "unlisted")) => {
                open.draft.attributes.put("imported_status", status);
                Status::Inactive
            }
            Some(_) => {
                let detail = "this must be active, draft, archived or unlisted";
                let fault = open
                    .status
                    .as_ref()
                    .map(|cell| cell.fault("invalid", detail));
                open.draft.faults(fault);
                Status::Inactive
            }
        };
        let path = open
            .product_category
            .as_ref()
            .map(|cell| cell.text.as_str());
        let leaf = path.and_then(|path| path.rsplit('>').next()).map(str::trim);
        let kind = open.kind.as_ref().map(|cell| cell.text.as_str());
        open.draft.category = kind.or(leaf).map(str::to_owned);
        open.draft.attributes.put_cell("type", open.kind.as_ref());
        let category = open.product_category.as_ref();
        open.draft.attributes.put_cell("product_category", category);
        finish_options(&mut open.draft, &self.columns);
        open.draft.finish(output);
    }

    fn begin(&self, handle: Cell, output: &mut Output) -> Open {
        let mut draft = Draft {
            line: handle.line,
            key: handle.text.clone(),
            price_column: self.columns.header(Field::Price, "Variant Price"),
            ..Draft::default()
        };
        if !output.is_new("handle", &handle.text) {
            let detail = "rows of this handle were further up: put all rows of a product together";
            draft.fault(handle.fault("split", detail));
        }
        let name = handle.text.clone();
        draft.handle = Some(handle);
        Open {
            handle: name,
            draft,
            rows: 0,
            bytes: 0,
            published: None,
            status: None,
            kind: None,
            product_category: None,
        }
    }

    fn add(&self, row: &Row, open: &mut Open, output: &mut Output) {
        let is_full = |open: &Open| open.rows > MOST_ROWS || open.bytes > MOST_BYTES;
        if is_full(open) {
            return;
        }
        open.rows += 1;
        open.bytes += row.size();
        if is_full(open) {
            let detail =
                format!("this product has more than {MOST_ROWS} rows or {MOST_BYTES} bytes");
            open.draft
                .fault(Fault::new(row.line, None, "too_many", detail));
            return;
        }
        if let Some(fault) = self.columns.check(row) {
            open.draft.fault(fault);
        }
        let cell = |field| self.columns.cell(row, field);
        let draft = &mut open.draft;
        let texts = [
            (&mut draft.name, Field::Title),
            (&mut draft.description, Field::Description),
            (&mut draft.brand, Field::Vendor),
            (&mut draft.tags, Field::Tags),
            (&mut draft.seo_title, Field::SeoTitle),
            (&mut draft.seo_description, Field::SeoDescription),
            (&mut open.published, Field::Published),
            (&mut open.status, Field::Status),
            (&mut open.kind, Field::Type),
            (&mut open.product_category, Field::ProductCategory),
        ];
        for (text, field) in texts {
            if text.is_none() {
                *text = cell(field);
            }
        }
        if open.rows == 1 {
            let names = (0..3).map_while(|at| cell(Field::OptionName(at)));
            let option = |name| ProductOption {
                name,
                order: Vec::new(),
            };
            draft.options = names.map(option).collect();
        }
        self.columns
            .read_others(row, Some(&mut draft.attributes), output);
        if let Some(url) = cell(Field::ImageAddress) {
            let position = cell(Field::ImagePosition);
            draft.image(Image {
                position: position.and_then(|position| position.text.parse().ok()),
                url,
                alt: cell(Field::ImageAlt),
            });
        }
        let of_variants = [
            Field::OptionValue(0),
            Field::OptionValue(1),
            Field::OptionValue(2),
            Field::Sku,
            Field::Price,
        ];
        if open.rows == 1 || of_variants.into_iter().any(|field| cell(field).is_some()) {
            let variant = self.variant(row, draft, output);
            draft.variants.push(variant);
        }
    }

    fn variant(&self, row: &Row, draft: &mut Draft, output: &mut Output) -> Variant {
        let cell = |field| self.columns.cell(row, field);
        let price = draft.price(cell(Field::Price).as_ref(), output);
        let compared = cell(Field::CompareAtPrice);
        // Shops write 0 for no price to compare with.
        let is_amount = |cell: &Cell| cell.text.contains(|c: char| c != '0' && c != '.');
        let before = compared.as_ref().filter(|cell| is_amount(cell));
        let before_price = draft.price(before, output);
        let (regular, sale) = match (price, before_price) {
            (Some(price), Some(before)) if before.amount() > price.amount() => {
                let sale = Sale {
                    price,
                    starts_at: None,
                    ends_at: None,
                };
                (Some(before), Some(sale))
            }
            (price, Some(_)) if price.is_some() => {
                let detail = "a price to compare with that is not higher than the price says nothing: it is left out, from here on";
                if let Some(cell) = before {
                    output.note_once(cell.fault("not_higher", detail));
                }
                (price, None)
            }
            (price, _) => (price, None),
        };
        Variant {
            line: row.line,
            sku: cell(Field::Sku).and_then(without_apostrophe),
            gtin: cell(Field::Barcode).and_then(without_apostrophe),
            price: regular,
            sale,
            weight_grams: draft.weight(cell(Field::Grams).as_ref(), WeightUnit::Gram),
            values: (0..3).map(|at| cell(Field::OptionValue(at))).collect(),
            image: cell(Field::VariantImage),
            stock: self.stock(row, draft, output),
            is_shipped: draft.flag(cell(Field::RequiresShipping).as_ref(), true),
        }
    }

    /// Returns the stock: it is counted if something tracks it.
    fn stock(&self, row: &Row, draft: &mut Draft, output: &mut Output) -> Stock {
        let is_tracked =
            self.columns.cell(row, Field::Tracker).is_some() || !self.columns.has(Field::Tracker);
        match self.columns.cell(row, Field::Quantity) {
            Some(quantity) if is_tracked => draft.on_hand(&quantity, output),
            Some(_) | None => Stock::Uncounted,
        }
    }
}

/// Returns the cell without the apostrophe that keeps spreadsheets from making a number of its text.
fn without_apostrophe(cell: Cell) -> Option<Cell> {
    let text = cell.text.strip_prefix('\'').unwrap_or(&cell.text).trim();
    (!text.is_empty()).then(|| Cell {
        text: text.to_owned(),
        ..cell.clone()
    })
}

/// Leaves out the option that a product without options has, and notes values that no option is for.
fn finish_options(draft: &mut Draft, columns: &Columns<Field>) {
    let is_default = match (draft.options.as_slice(), draft.variants.as_slice()) {
        ([option], [variant]) => {
            let value = variant.values.first().and_then(Option::as_ref);
            let is_title = one_line(&option.name.text).eq_ignore_ascii_case("title");
            value.is_none_or(|value| is_title && value.text.eq_ignore_ascii_case("default title"))
        }
        ([], [variant]) => {
            let value = variant.values.first().and_then(Option::as_ref);
            value.is_none_or(|value| value.text.eq_ignore_ascii_case("default title"))
        }
        _ => false,
    };
    if is_default {
        draft.options.clear();
    }
    let count = draft.options.len();
    let mut faults = Vec::new();
    for variant in &mut draft.variants {
        let more = variant.values.split_off(count.min(variant.values.len()));
        let nameless = more.into_iter().flatten().next().filter(|_| !is_default);
        faults.extend(nameless.map(|value| {
            let at = u8::try_from(count).unwrap_or(0);
            let column = columns.header(Field::OptionName(at), "Option1 Name");
            let detail =
                format!("the option has no name; the first row of the product has it in {column}");
            value.fault("required", detail)
        }));
    }
    draft.faults(faults);
}

#[cfg(test)]
mod tests;
