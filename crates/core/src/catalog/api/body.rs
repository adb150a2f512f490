//! A product on the wire.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::catalog::content::{Image, Seo, Slug, Translation};
use crate::catalog::model::{Category, Product, Status};
use crate::catalog::rules::Viewer;
use crate::catalog::sku::{Gtin, Sku};
use crate::catalog::variants::{ProductOption, Variant};
use crate::http::exchange::Request;
use crate::stock::model::Availability;
use crate::values::clock::Time;
use crate::values::id::{ProductId, VariantId};
use crate::values::locale::Locale;
use crate::values::money::Money;

/// A product on the wire. `price`, `sale`, `weight_grams`, `sku` and `gtin` are those of its only variant; of several,
/// `price` and `current_price` are the lowest, and the others null.
#[derive(Debug, Serialize)]
pub(super) struct ProductBody {
    id: ProductId,
    name: String,
    description: String,
    price: Option<Money>,
    current_price: Option<Money>,
    sale: Option<SaleBody>,
    category: Category,
    weight_grams: Option<u32>,
    sku: Option<Sku>,
    gtin: Option<Gtin>,
    shipped: bool,
    slug: Option<Slug>,
    brand: Option<String>,
    tags: Vec<String>,
    seo: Seo,
    images: Vec<Image>,
    translations: BTreeMap<String, Translation>,
    attributes: BTreeMap<String, String>,
    status: Status,
    availability: Availability,
    available_quantity: Option<u64>,
    options: Vec<ProductOption>,
    variants: Vec<VariantBody>,
    version: u64,
    created_at: Time,
    updated_at: Time,
}

/// A variant on the wire.
#[derive(Debug, Serialize)]
struct VariantBody {
    id: VariantId,
    sku: Sku,
    gtin: Option<Gtin>,
    options: BTreeMap<String, String>,
    price: Money,
    current_price: Money,
    sale: Option<SaleBody>,
    weight_grams: Option<u32>,
    availability: Availability,
    available_quantity: Option<u64>,
}

/// A sale on the wire.
#[derive(Clone, Copy, Debug, Serialize)]
struct SaleBody {
    price: Money,
    starts_at: Time,
    ends_at: Option<Time>,
    lowest_price_before: Option<Money>,
}

impl VariantBody {
    /// Returns `variant` of `product` as `viewer` sees it at `now`.
    fn new(product: &Product, variant: &Variant, viewer: Viewer, now: Time) -> Self {
        let sale = viewer.sale(&variant.prices, now);
        Self {
            id: variant.id,
            sku: variant.sku(),
            gtin: variant.gtin.clone(),
            options: variant.options.clone(),
            price: variant.prices.regular,
            current_price: variant.prices.at(now),
            sale: sale.map(|sale| SaleBody {
                price: sale.price,
                starts_at: sale.starts_at,
                ends_at: sale.ends_at,
                lowest_price_before: variant.prices.lowest_before(&sale),
            }),
            weight_grams: variant.weight_grams,
            availability: product.availability_of(variant),
            available_quantity: product.available_quantity(variant),
        }
    }
}

/// How a product is shown.
#[derive(Clone, Debug)]
pub(super) struct View {
    pub(super) viewer: Viewer,
    pub(super) now: Time,
    /// The language of the texts, if it is not the product's own.
    pub(super) locale: Option<Locale>,
}

impl View {
    /// Returns how admins see products at the time of `request`, in their own language.
    pub(super) fn of_admin(request: &Request) -> Self {
        Self {
            viewer: Viewer::Admin,
            now: request.now,
            locale: None,
        }
    }
}

impl ProductBody {
    /// Returns `product` as it is seen in `view`.
    pub(super) fn new(mut product: Product, view: &View) -> Self {
        let (viewer, now) = (view.viewer, view.now);
        translate(&mut product, view.locale.as_ref());
        let variants = product.variants.iter();
        let variants = variants.map(|variant| VariantBody::new(&product, variant, viewer, now));
        let variants: Vec<VariantBody> = variants.collect();
        let only = match variants.as_slice() {
            [only] => Some(only),
            _ => None,
        };
        Self {
            price: product.lowest(|prices| prices.regular),
            current_price: product.lowest(|prices| prices.at(now)),
            sale: only.and_then(|only| only.sale),
            weight_grams: only.and_then(|only| only.weight_grams),
            sku: only.map(|only| only.sku.clone()),
            gtin: only.and_then(|only| only.gtin.clone()),
            availability: product.availability(),
            available_quantity: only.and_then(|only| only.available_quantity),
            id: product.id,
            name: product.name,
            description: product.description,
            category: product.category,
            shipped: product.shipped,
            slug: product.content.slug,
            brand: product.content.brand,
            tags: product.content.tags,
            seo: product.content.seo,
            images: product.content.images,
            translations: product.content.translations,
            attributes: product.attributes,
            status: product.status,
            options: product.options,
            variants,
            version: product.version,
            created_at: product.created_at,
            updated_at: product.updated_at,
        }
    }
}

/// Gives `product` its texts in the language `locale`, or in the nearest that there is.
pub(super) fn translate(product: &mut Product, locale: Option<&Locale>) {
    let found = locale.and_then(|locale| product.content.translation(locale));
    let Some(texts) = found.cloned() else {
        return;
    };
    product.name = texts.name;
    product.description = texts
        .description
        .unwrap_or(std::mem::take(&mut product.description));
    product.content.seo = texts.seo;
}
