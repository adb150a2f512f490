//! Reads the products that other shop systems export as CSV, as what `POST /products` takes.
//!
//! [`read`] goes through a file once, in bounded memory, and gives for each product its request and then its stock. What
//! cannot be taken is a [`Fault`] with its line and column, and the product is left out; what is left out of a product that
//! is taken is a [`Line::Note`]. So nothing is lost silently. Nothing here is sent anywhere.
//!
//! | what the file says | where it goes |
//! |---|---|
//! | name, SEO, images, weight, tags, brand | the fields of these names; space of any kind in a name becomes one blank |
//! | description in HTML | plain text; links and pictures in it are noted; beyond 1000 characters, the attributes `description_2`, `description_3`, ... go on |
//! | Shopify's handle | `slug`, and the attribute `handle` if it is not a slug of ours |
//! | Shopify's type, or else its product category; the first category of `WooCommerce` | `category`, as words from `a` to `z`; in full, the attributes `type`, `product_category` and `categories` |
//! | compare-at price; regular and sale price | `price` and `sale` |
//! | no SKU | one that follows from the handle or the product's number, and the values: `shirt/M/red`, `id-44/M` |
//! | barcode, GTIN | `gtin`, or else the attribute `barcode`, for variants with lines such as `SKU=barcode` |
//! | picture of a variant | one of the product's images; which one, the attribute `variant_image` says, with lines such as `SKU=3` |
//! | the 51st tag, the 21st image, an SEO title of 101 characters, ... | attributes: `more_tags`, `more_images`, `seo_title`, ... |
//! | draft, archived, private or hidden products | `inactive`, and the attribute `imported_status` or `catalog_visibility` |
//! | stock that is counted | a line of stock; a negative number counts as zero |
//! | stock that is not counted | [`Options::uncounted`] |
//! | Google Shopping; visible attributes of `WooCommerce`, its short description, dimensions, purchase note, shipping class | attributes |
//! | metafields, `Meta:` columns, hidden attributes, costs, taxes, prices of other markets, unit prices, downloads, cross-sells, columns that nobody knows | not taken, as they may be no one else's business: noted, once for each column. [`Options::keep`] takes them as attributes |
//! | products that are grouped or sold elsewhere, variations that are private | not taken: noted, each |
//!
//! The formats: <https://help.shopify.com/en/manual/products/import-export/using-csv> and
//! <https://github.com/woocommerce/woocommerce/wiki/Product-CSV-Import-Schema>.

mod attributes;
mod columns;
mod csv;
mod families;
mod html;
mod model;
mod output;
mod product;
mod shopify;
mod values;
mod variants;
mod woocommerce;

use std::io::Read;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use oxcart_core::values::money::Currency;
use serde_json::Value;

use csv::{Row, Rows};
use output::Output;

/// The system that a file is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Shopify, also with the headers that it has had since 2024.
    Shopify,
    /// `WooCommerce`, in English or German.
    WooCommerce,
}

/// What the files do not say.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// The currency of all prices.
    pub(crate) currency: Currency,
    /// The time of the import. Sales that are over by then are left out.
    pub(crate) now: Timestamp,
    /// Where the shop is: the zone of times without one.
    pub(crate) time_zone: TimeZone,
    /// The category of products that have none.
    pub(crate) category: String,
    /// How many there are of what is sold without being counted. `None` gives it no stock, which is noted.
    pub(crate) uncounted: Option<u32>,
    /// Headers of columns that become attributes, and so public, though they are not taken by default.
    pub(crate) keep: Vec<String>,
    /// Headers of columns that are read as if they were empty.
    pub(crate) ignore: Vec<String>,
}

impl Options {
    /// Returns the defaults: UTC, and the category `uncategorised`.
    pub(crate) fn new(currency: Currency, now: Timestamp) -> Self {
        Self {
            currency,
            now,
            time_zone: TimeZone::UTC,
            category: "uncategorised".to_owned(),
            uncounted: None,
            keep: Vec::new(),
            ignore: Vec::new(),
        }
    }
}

/// Something to import, or to know.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Line {
    /// A product.
    Product {
        /// The line of the file on which it starts.
        line: u64,
        /// The body of `POST /products`.
        body: Value,
    },
    /// The stock of a variant. It comes after its product.
    Stock {
        /// The variant's SKU.
        sku: String,
        /// How many there are.
        on_hand: u32,
    },
    /// Something that is left out of what is imported, or differs.
    Note(Fault),
}

/// Why something cannot be imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The line of the file, from 1.
    pub(crate) line: u64,
    /// The header of the column, if it is about one.
    pub(crate) column: Option<String>,
    /// What kind of fault it is: the API's code, where it has one.
    pub(crate) code: &'static str,
    /// What is wrong, and what to do.
    pub(crate) detail: String,
}

impl Fault {
    fn new(
        line: u64,
        column: Option<String>,
        code: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            line,
            column,
            code,
            detail: detail.into(),
        }
    }
}

/// Returns which system a file is from that has this `header`.
pub(crate) fn detect(header: &[&str]) -> Option<Dialect> {
    let names: Vec<String> = header.iter().map(|name| columns::normal(name)).collect();
    let has = |wanted: &[&str]| names.iter().any(|name| wanted.contains(&name.as_str()));
    if has(&["handle", "url handle"]) && has(&["title"]) {
        Some(Dialect::Shopify)
    } else if has(&["type", "typ"]) && has(&["name"]) && has(&["regular price", "regulärer preis"])
    {
        Some(Dialect::WooCommerce)
    } else {
        None
    }
}

/// Returns which system `file` is from, or `None` if its header is that of no export of products.
pub(crate) fn dialect_of(file: impl Read) -> Option<Dialect> {
    let header = Rows::new(file).next()?.ok()?;
    detect(&header.fields().collect::<Vec<&str>>())
}

/// Reads the products of `file`.
///
/// # Errors
/// A [`Fault`] for what cannot be imported. It goes on with the next product, unless the file is not CSV from there on, or
/// not from a system that is known.
pub(crate) fn read<R: Read>(
    file: R,
    options: &Options,
) -> impl Iterator<Item = Result<Line, Fault>> {
    Lines {
        rows: Rows::new(file),
        reader: None,
        output: Output::new(options.clone()),
        is_over: false,
    }
}

struct Lines<R> {
    rows: Rows<R>,
    /// Chosen by the header.
    reader: Option<Reader>,
    output: Output,
    is_over: bool,
}

enum Reader {
    Shopify(Box<shopify::Reader>),
    WooCommerce(Box<woocommerce::Reader>),
}

impl<R: Read> Lines<R> {
    fn advance(&mut self) {
        let output = &mut self.output;
        match (self.rows.next(), &mut self.reader) {
            (Some(Ok(row)), None) => match begin(&row, output) {
                Ok(reader) => self.reader = Some(reader),
                Err(fault) => {
                    output.fault(fault);
                    self.is_over = true;
                }
            },
            (Some(Ok(row)), _) if row.fields().all(str::is_empty) => {}
            (Some(Ok(row)), Some(Reader::Shopify(reader))) => reader.take(&row, output),
            (Some(Ok(row)), Some(Reader::WooCommerce(reader))) => reader.take(row, output),
            (Some(Err(fault)), _) => {
                output.fault(fault);
                self.is_over = true;
            }
            (None, Some(Reader::Shopify(reader))) => {
                reader.finish(output);
                self.is_over = true;
            }
            (None, Some(Reader::WooCommerce(reader))) => self.is_over = !reader.finish(output),
            (None, None) => {
                output.fault(Fault::new(1, None, "empty", "the file is empty"));
                self.is_over = true;
            }
        }
    }
}

fn begin(header: &Row, output: &Output) -> Result<Reader, Fault> {
    let names: Vec<&str> = header.fields().collect();
    match detect(&names) {
        Some(Dialect::Shopify) => {
            let reader = shopify::Reader::new(header, &output.options);
            Ok(Reader::Shopify(Box::new(reader)))
        }
        Some(Dialect::WooCommerce) => {
            let reader = woocommerce::Reader::new(header, &output.options);
            Ok(Reader::WooCommerce(Box::new(reader)))
        }
        None => {
            let detail = "these are not the columns of a product export of Shopify (Handle, Title, ...) or of WooCommerce \
                          (Type, Name, Regular price, ...)";
            Err(Fault::new(header.line, None, "unknown_format", detail))
        }
    }
}

impl<R: Read> Iterator for Lines<R> {
    type Item = Result<Line, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(line) = self.output.next() {
                return Some(line);
            }
            if self.is_over {
                return None;
            }
            self.advance();
        }
    }
}

#[cfg(test)]
mod tests;
