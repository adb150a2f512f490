//! What a file says of a product.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::aws::dynamo::StoreError;
use crate::catalog::content::{Image, Seo, Slug, Translation};
use crate::catalog::imports::model::{Content, Format};
use crate::catalog::model::{Category, Product, Status};
use crate::catalog::sku::{Gtin, Sku};
use crate::catalog::variants::{ProductOption, Variant};
use crate::values::clock::Time;
use crate::values::id::{ProductId, VariantId};
use crate::values::money::Money;

mod sheet;

/// A product in a file of JSON lines.
#[derive(Debug, Serialize)]
struct ProductLine<'a> {
    id: ProductId,
    name: &'a str,
    description: &'a str,
    category: &'a Category,
    status: Status,
    shipped: bool,
    slug: Option<&'a Slug>,
    brand: Option<&'a str>,
    tags: &'a [String],
    seo: &'a Seo,
    images: &'a [Image],
    translations: &'a BTreeMap<String, Translation>,
    attributes: &'a BTreeMap<String, String>,
    #[serde(flatten)]
    sold: SoldLine<'a>,
}

/// What is sold of a product.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum SoldLine<'a> {
    One(VariantLine<'a>),
    Variants {
        options: &'a [ProductOption],
        variants: Vec<ListedLine<'a>>,
    },
}

/// A variant among several.
#[derive(Debug, Serialize)]
struct ListedLine<'a> {
    id: VariantId,
    options: &'a BTreeMap<String, String>,
    #[serde(flatten)]
    variant: VariantLine<'a>,
}

/// A variant, beside its identifier and its values of options.
#[derive(Debug, Serialize)]
struct VariantLine<'a> {
    sku: Option<&'a Sku>,
    gtin: Option<&'a Gtin>,
    price: Money,
    sale: Option<SaleLine>,
    weight_grams: Option<u32>,
}

#[derive(Debug, Serialize)]
struct SaleLine {
    price: Money,
    starts_at: Time,
    ends_at: Option<Time>,
}

/// A price in a file of JSON lines.
#[derive(Debug, Serialize)]
struct PriceLine {
    sku: Sku,
    price: Money,
    sale: Option<SaleLine>,
}

impl SaleLine {
    /// Returns the sale of `variant` that is on at `now`, or will be.
    fn of(variant: &Variant, now: Time) -> Option<Self> {
        let sale = variant.prices.sale_at(now)?;
        Some(Self {
            price: sale.price,
            starts_at: sale.starts_at,
            ends_at: sale.ends_at,
        })
    }
}

impl<'a> VariantLine<'a> {
    fn new(variant: &'a Variant, now: Time) -> Self {
        Self {
            sku: variant.sku.as_ref(),
            gtin: variant.gtin.as_ref(),
            price: variant.prices.regular,
            sale: SaleLine::of(variant, now),
            weight_grams: variant.weight_grams,
        }
    }
}

impl<'a> ProductLine<'a> {
    fn new(product: &'a Product, now: Time) -> Self {
        let one = product
            .only_variant()
            .filter(|_| product.options.is_empty());
        let listed = product.variants.iter().map(|variant| ListedLine {
            id: variant.id,
            options: &variant.options,
            variant: VariantLine::new(variant, now),
        });
        let content = &product.content;
        Self {
            id: product.id,
            name: &product.name,
            description: &product.description,
            category: &product.category,
            status: product.status,
            shipped: product.shipped,
            slug: content.slug.as_ref(),
            brand: content.brand.as_deref(),
            tags: &content.tags,
            seo: &content.seo,
            images: &content.images,
            translations: &content.translations,
            attributes: &product.attributes,
            sold: match one {
                Some(variant) => SoldLine::One(VariantLine::new(variant, now)),
                None => SoldLine::Variants {
                    options: &product.options,
                    variants: listed.collect(),
                },
            },
        }
    }
}

/// Returns what a file begins with.
///
/// # Errors
/// [`StoreError::Shape`] if it cannot be written.
pub fn beginning(content: Content, format: Format) -> Result<Vec<u8>, StoreError> {
    match format {
        Format::Ndjson => Ok(Vec::new()),
        Format::Csv => sheet::header(content),
    }
}

/// Returns the rows of `product` at `now`, and how many these are for an import.
///
/// # Errors
/// [`StoreError::Shape`] if they cannot be written.
pub fn rows(
    product: &Product,
    content: Content,
    format: Format,
    now: Time,
) -> Result<(Vec<u8>, u64), StoreError> {
    let mut rows = Vec::new();
    let variants = u64::try_from(product.variants.len()).unwrap_or(u64::MAX);
    match (format, content) {
        (Format::Ndjson, Content::Products) => {
            json_line(&mut rows, &ProductLine::new(product, now))?;
            Ok((rows, 1))
        }
        (Format::Ndjson, Content::Prices) => {
            for variant in &product.variants {
                let line = PriceLine {
                    sku: variant.sku(),
                    price: variant.prices.regular,
                    sale: SaleLine::of(variant, now),
                };
                json_line(&mut rows, &line)?;
            }
            Ok((rows, variants))
        }
        // Stock is not exported: create_export refuses it.
        (_, Content::Stock) => Ok((rows, 0)),
        (Format::Csv, Content::Products) => Ok((sheet::product(product, now)?, 1)),
        (Format::Csv, Content::Prices) => Ok((sheet::prices(product, now)?, variants)),
    }
}

fn json_line(rows: &mut Vec<u8>, line: &impl Serialize) -> Result<(), StoreError> {
    serde_json::to_writer(&mut *rows, line).map_err(StoreError::unreadable)?;
    rows.push(b'\n');
    Ok(())
}
