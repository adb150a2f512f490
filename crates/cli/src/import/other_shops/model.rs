//! A product as the rows of a file describe it, before it is checked.

use jiff::Timestamp;
use oxcart_core::values::money::Money;

use super::Fault;
use super::attributes::Attributes;
use super::columns::Cell;
use super::html::Lines;
use super::output::Output;
use super::values;

/// The most faults that are told of one product.
const MOST_FAULTS: usize = 50;

/// The most pictures that are read of one product. Shopify has at most 250.
const MOST_IMAGES: usize = 500;

/// A product.
#[derive(Clone, Debug, Default)]
pub(super) struct Draft {
    /// The line on which it starts.
    pub(super) line: u64,
    /// What names it in its file: SKUs are made of it for variants that have none.
    pub(super) key: String,
    pub(super) name: Option<Cell>,
    /// In HTML.
    pub(super) description: Option<Cell>,
    /// What the ends of its lines mean.
    pub(super) lines: Lines,
    /// The name of its category.
    pub(super) category: Option<String>,
    pub(super) handle: Option<Cell>,
    pub(super) brand: Option<Cell>,
    /// With commas between them.
    pub(super) tags: Option<Cell>,
    pub(super) seo_title: Option<Cell>,
    pub(super) seo_description: Option<Cell>,
    pub(super) images: Vec<Image>,
    pub(super) status: Status,
    pub(super) options: Vec<ProductOption>,
    pub(super) variants: Vec<Variant>,
    pub(super) attributes: Attributes,
    /// The header of the column of prices.
    pub(super) price_column: String,
    pub(super) faults: Vec<Fault>,
}

/// Whether it is sold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Status {
    #[default]
    Active,
    Inactive,
    OutOfStock,
}

impl Status {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
            Self::OutOfStock => "out_of_stock",
        }
    }
}

/// A picture.
#[derive(Clone, Debug)]
pub(super) struct Image {
    /// Where it is among them; those without a position come last.
    pub(super) position: Option<i64>,
    pub(super) url: Cell,
    pub(super) alt: Option<Cell>,
}

/// What variants differ in.
#[derive(Clone, Debug)]
pub(super) struct ProductOption {
    pub(super) name: Cell,
    /// The order of its values, as far as it is known.
    pub(super) order: Vec<String>,
}

/// A variant.
#[derive(Clone, Debug, Default)]
pub(super) struct Variant {
    pub(super) line: u64,
    pub(super) sku: Option<Cell>,
    pub(super) gtin: Option<Cell>,
    /// The price without a sale.
    pub(super) price: Option<Money>,
    pub(super) sale: Option<Sale>,
    pub(super) weight_grams: Option<u32>,
    /// Its values, in the order of the product's options.
    pub(super) values: Vec<Option<Cell>>,
    /// The address of its picture.
    pub(super) image: Option<Cell>,
    pub(super) stock: Stock,
    /// Whether it is sent, unlike a download.
    pub(super) is_shipped: bool,
}

/// A lower price for a while.
#[derive(Clone, Debug)]
pub(super) struct Sale {
    pub(super) price: Money,
    pub(super) starts_at: Option<Timestamp>,
    pub(super) ends_at: Option<Timestamp>,
}

/// How many there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Stock {
    /// Nobody counts them.
    #[default]
    Uncounted,
    /// This many.
    Counted(u32),
}

impl Draft {
    pub(super) fn fault(&mut self, fault: Fault) {
        if self.faults.len() < MOST_FAULTS {
            self.faults.push(fault);
        }
    }

    pub(super) fn faults(&mut self, faults: impl IntoIterator<Item = Fault>) {
        for fault in faults {
            self.fault(fault);
        }
    }

    pub(super) fn image(&mut self, image: Image) {
        if self.images.len() < MOST_IMAGES {
            self.images.push(image);
        } else if self
            .faults
            .last()
            .is_none_or(|last| last.code != "too_many")
        {
            let detail = format!("this product has more than {MOST_IMAGES} pictures");
            self.fault(image.url.fault("too_many", detail));
        }
    }

    /// Returns the price of a cell, if it is one.
    pub(super) fn price(&mut self, cell: Option<&Cell>, output: &Output) -> Option<Money> {
        let cell = cell?;
        match values::price(&cell.text, output.options.currency) {
            Ok(price) => Some(price),
            Err((code, detail)) => {
                self.fault(cell.fault(code, detail));
                None
            }
        }
    }

    /// Returns the quantity of a cell: none, if it is less.
    pub(super) fn on_hand(&mut self, cell: &Cell, output: &mut Output) -> Stock {
        let Some(quantity) = values::quantity(&cell.text) else {
            let detail = "this must be a whole number of at most 1000000000";
            self.fault(cell.fault("invalid", detail));
            return Stock::Uncounted;
        };
        if quantity < 0 {
            let detail =
                "there are less than none: more were sold than there were; the stock becomes 0";
            output.note(cell.fault("negative", detail));
        }
        Stock::Counted(u32::try_from(quantity).unwrap_or(0))
    }

    /// Returns the weight of a cell in grams.
    pub(super) fn weight(&mut self, cell: Option<&Cell>, unit: values::WeightUnit) -> Option<u32> {
        let cell = cell?;
        values::weight_grams(&cell.text, unit).unwrap_or_else(|_| {
            let detail = "this must be a weight such as 0.25, of at most 1000 tonnes";
            self.fault(cell.fault("invalid", detail));
            None
        })
    }

    /// Returns the flag of a cell, or `usual` if it is empty.
    pub(super) fn flag(&mut self, cell: Option<&Cell>, usual: bool) -> bool {
        let Some(cell) = cell else {
            return usual;
        };
        values::flag(&cell.text).unwrap_or_else(|| {
            self.fault(cell.fault("invalid", "this must be TRUE or FALSE, 1 or 0"));
            usual
        })
    }
}
