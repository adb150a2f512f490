//! What a file with columns says of a product. [`crate::catalog::imports`] reads it.

use csv::WriterBuilder;

use crate::aws::dynamo::StoreError;
use crate::catalog::imports::model::Content;
use crate::catalog::imports::sheet::PRICE_COLUMNS;
use crate::catalog::model::Product;
use crate::catalog::variants::Variant;
use crate::values::clock::Time;
use crate::values::formulas::escaped;

use super::SaleLine;

/// The columns of the product itself.
const PRODUCT: [&str; 14] = [
    "id",
    "name",
    "description",
    "category",
    "status",
    "shipped",
    "slug",
    "brand",
    "tags",
    "seo_title",
    "seo_description",
    "images",
    "translations",
    "attributes",
];

/// The columns of its options, of each variant.
const OPTIONS: [&str; 9] = [
    "option1_name",
    "option1_values",
    "option1_value",
    "option2_name",
    "option2_values",
    "option2_value",
    "option3_name",
    "option3_values",
    "option3_value",
];

/// The columns of each variant, beside those of prices.
const VARIANT: [&str; 3] = ["variant_id", "gtin", "weight_grams"];

/// Returns the names of the columns.
///
/// # Errors
/// [`StoreError::Shape`] if they cannot be written.
pub(super) fn header(content: Content) -> Result<Vec<u8>, StoreError> {
    match content {
        Content::Prices | Content::Stock => records(&[PRICE_COLUMNS.map(str::to_owned).to_vec()]),
        Content::Products => {
            let columns = PRODUCT
                .iter()
                .chain(&OPTIONS)
                .chain(&VARIANT)
                .chain(&PRICE_COLUMNS);
            records(&[columns.map(|column| (*column).to_owned()).collect()])
        }
    }
}

/// Returns a record for each variant of `product`, the first with all that is the product's own.
///
/// # Errors
/// [`StoreError::Shape`] if they cannot be written.
pub(super) fn product(product: &Product, now: Time) -> Result<Vec<u8>, StoreError> {
    let mut all = Vec::with_capacity(product.variants.len());
    for (place, variant) in product.variants.iter().enumerate() {
        let is_first = place == 0;
        let mut cells = if is_first {
            own(product)?
        } else {
            vec![String::new(); PRODUCT.len()]
        };
        let mut options = product.options.iter();
        for _ in 0..OPTIONS.len() / 3 {
            let Some(option) = options.next() else {
                cells.extend(std::iter::repeat_n(String::new(), 3));
                continue;
            };
            let (name, values) = if is_first {
                (option.name.clone(), list(&option.values)?)
            } else {
                Default::default()
            };
            let value = variant.options.get(&option.name).cloned();
            cells.extend([name, values, value.unwrap_or_default()]);
        }
        let is_listed = !product.options.is_empty();
        cells.extend([
            if is_listed {
                variant.id.to_string()
            } else {
                String::new()
            },
            variant.gtin.clone().map(String::from).unwrap_or_default(),
            variant
                .weight_grams
                .map(|grams| grams.to_string())
                .unwrap_or_default(),
        ]);
        let sku = variant.sku.clone().map(String::from);
        cells.extend(price(sku.unwrap_or_default(), variant, now));
        all.push(cells);
    }
    records(&all)
}

/// Returns a record for the price of each variant of `product`.
///
/// # Errors
/// [`StoreError::Shape`] if they cannot be written.
pub(super) fn prices(product: &Product, now: Time) -> Result<Vec<u8>, StoreError> {
    let variants = product.variants.iter();
    let all = variants.map(|variant| price(variant.sku().into(), variant, now).to_vec());
    records(&all.collect::<Vec<_>>())
}

fn price(sku: String, variant: &Variant, now: Time) -> [String; 5] {
    let sale = SaleLine::of(variant, now);
    let [sale_price, starts_at, ends_at] = match sale {
        Some(sale) => [
            sale.price.amount().to_string(),
            sale.starts_at.to_string(),
            sale.ends_at.map(|end| end.to_string()).unwrap_or_default(),
        ],
        None => Default::default(),
    };
    let price = variant.prices.regular.amount().to_string();
    [sku, price, sale_price, starts_at, ends_at]
}

fn own(product: &Product) -> Result<Vec<String>, StoreError> {
    let content = &product.content;
    Ok(vec![
        product.id.to_string(),
        product.name.clone(),
        product.description.clone(),
        product.category.as_str().to_owned(),
        product.status.as_str().to_owned(),
        product.shipped.to_string(),
        content
            .slug
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        content.brand.clone().unwrap_or_default(),
        list(&content.tags)?,
        content.seo.title.clone().unwrap_or_default(),
        content.seo.description.clone().unwrap_or_default(),
        unless(content.images.is_empty(), &content.images)?,
        unless(content.translations.is_empty(), &content.translations)?,
        unless(product.attributes.is_empty(), &product.attributes)?,
    ])
}

/// Returns the texts in one cell, with `|` between them; as JSON if one of them could be read as something else.
fn list(texts: &[String]) -> Result<String, StoreError> {
    let is_plain =
        |text: &String| !text.contains('|') && !text.starts_with('[') && text.trim() == text;
    if texts.iter().all(is_plain) {
        Ok(texts.join("|"))
    } else {
        json(&texts)
    }
}

/// Returns `value` as JSON, or an empty cell if it `is_empty`.
fn unless(is_empty: bool, value: &impl serde::Serialize) -> Result<String, StoreError> {
    if is_empty {
        Ok(String::new())
    } else {
        json(value)
    }
}

fn json(value: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(StoreError::unreadable)
}

fn records(all: &[Vec<String>]) -> Result<Vec<u8>, StoreError> {
    let mut writer = WriterBuilder::new().flexible(true).from_writer(Vec::new());
    for cells in all {
        let cells = cells.iter().map(|cell| escaped(cell));
        writer.write_record(cells).map_err(StoreError::unreadable)?;
    }
    writer.into_inner().map_err(StoreError::unreadable)
}
