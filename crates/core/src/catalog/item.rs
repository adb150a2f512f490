//! The stored shapes of the table of products.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::aws::dynamo::StoreError;
use crate::values::clock::Time;
use crate::values::event::Stamp;
use crate::values::id::{ProductId, VariantId};
use crate::values::money::Money;

use super::content::{Content, Slug};
use super::model::{Category, Product, Status, WEIGHT_ATTRIBUTE, weight_grams};
use super::prices::{PastPrice, Prices, Sale};
use super::sku::{Gtin, Sku};
use super::sort;
use super::variants::{ProductOption, ShownStock, Variant};

/// The version of the stored shape of [`ProductItem`].
const SCHEMA: u32 = 1;

/// The number of shards of each key of the indexes. It is part of the stored items, so it must never be lowered: a
/// product in a shard that is not read any more would be hidden.
pub(super) const SHARDS: u32 = 4;

/// The most bytes of an item as JSON, which is a little more than what DynamoDB counts: it holds items of 400 KB.
const MOST_BYTES: usize = 380_000;

/// Returns whether DynamoDB can hold `item`.
///
/// # Errors
/// [`StoreError`] if it cannot be written at all.
pub(super) fn fits(item: &impl Serialize) -> Result<bool, StoreError> {
    let json = serde_json::to_vec(item).map_err(StoreError::unreadable)?;
    Ok(json.len() <= MOST_BYTES)
}

/// A product as it is stored. A plain product ([`Product::is_plain`]) is stored as it was before there were variants: its
/// only variant is in the attributes of the product. Of others, `price` is the lowest price of a variant.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ProductItem {
    product_id: ProductId,
    name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    description: String,
    /// The price without a sale.
    price: Money,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sale: Option<Sale>,
    /// Absent from products that earlier releases wrote last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    priced_at: Option<Time>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    past_prices: Vec<PastPrice>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    weight_grams: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sku: Option<Sku>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    gtin: Option<Gtin>,
    /// The stock that is shown of a plain product. Absent from products of earlier releases whose stock has not changed
    /// since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stock: Option<ShownStock>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    options: Vec<ProductOption>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    variants: Vec<VariantItem>,
    /// The stock that is shown of the variants of a product that is not plain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    variant_stock: Option<BTreeMap<VariantId, ShownStock>>,
    #[serde(default, skip_serializing_if = "is_default")]
    content: Content,
    category: Category,
    /// Products of earlier releases are shipped.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    not_shipped: bool,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    attributes: BTreeMap<String, String>,
    status: Status,
    /// The release before, which may still be running, needs it to read a product.
    category_shard: String,
    status_shard: String,
    pub(super) position: String,
    /// Its place in lists by name. Absent, as the next one, from products that earlier releases wrote last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name_position: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    price_position: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    request_hash: Option<String>,
    version: u64,
    schema: u32,
    created_at: Time,
    updated_at: Time,
    event: Stamp,
}

fn is_default(content: &Content) -> bool {
    *content == Content::default()
}

/// A variant of a product that is not plain.
#[derive(Debug, Serialize, Deserialize)]
struct VariantItem {
    id: VariantId,
    /// Its values of the product's options.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    values: BTreeMap<String, String>,
    price: Money,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sale: Option<Sale>,
    priced_at: Time,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    past_prices: Vec<PastPrice>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    weight_grams: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sku: Option<Sku>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    gtin: Option<Gtin>,
}

impl From<&Variant> for VariantItem {
    fn from(variant: &Variant) -> Self {
        Self {
            id: variant.id,
            values: variant.options.clone(),
            price: variant.prices.regular,
            sale: variant.prices.sale,
            priced_at: variant.prices.since,
            past_prices: variant.prices.past.clone(),
            weight_grams: variant.weight_grams,
            sku: variant.sku.clone(),
            gtin: variant.gtin.clone(),
        }
    }
}

impl VariantItem {
    fn into_variant(self, stock: Option<ShownStock>) -> Variant {
        Variant {
            id: self.id,
            sku: self.sku,
            gtin: self.gtin,
            options: self.values,
            prices: Prices {
                regular: self.price,
                sale: self.sale,
                since: self.priced_at,
                past: self.past_prices,
            },
            weight_grams: self.weight_grams,
            stock,
        }
    }
}

/// Returns the stock that is shown of the variants of `product`.
pub(super) fn variant_stock(product: &Product) -> BTreeMap<VariantId, ShownStock> {
    let variants = product.variants.iter();
    let stock = variants.filter_map(|variant| Some((variant.id, variant.stock?)));
    stock.collect()
}

impl ProductItem {
    /// Returns the item of `product`.
    ///
    /// # Errors
    /// [`StoreError`] if it has no variants, which no product does.
    pub(super) fn new(product: &Product) -> Result<Self, StoreError> {
        let item = Self::without_places(product)?;
        Ok(Self {
            name_position: Some(sort::name_position(&product.name, product.id)?),
            price_position: Some(sort::price_position(item.price, product.id)?),
            ..item
        })
    }

    /// Returns the item of `product` without its places in lists by name and by price, of which the first takes the data of
    /// a collation.
    ///
    /// # Errors
    /// As [`ProductItem::new`].
    pub(super) fn without_places(product: &Product) -> Result<Self, StoreError> {
        let shard = product.id.shard(SHARDS);
        let lowest = product.lowest(|prices| prices.regular);
        let only = product.only_variant().filter(|_| product.is_plain());
        let variants = product.variants.iter().map(VariantItem::from);
        let lowest = lowest.ok_or_else(|| StoreError::unreadable("a product without variants"))?;
        Ok(Self {
            product_id: product.id,
            name: product.name.clone(),
            description: product.description.clone(),
            price: lowest,
            sale: only.and_then(|only| only.prices.sale),
            priced_at: only.map(|only| only.prices.since),
            past_prices: only.map_or_else(Vec::new, |only| only.prices.past.clone()),
            weight_grams: only.and_then(|only| only.weight_grams),
            sku: only.and_then(|only| only.sku.clone()),
            gtin: only.and_then(|only| only.gtin.clone()),
            stock: only.and_then(|only| only.stock),
            options: product.options.clone(),
            variants: variants.filter(|_| only.is_none()).collect(),
            variant_stock: only.is_none().then(|| variant_stock(product)),
            content: product.content.clone(),
            category: product.category.clone(),
            not_shipped: !product.shipped,
            attributes: product.attributes.clone(),
            status: product.status,
            category_shard: shard_key(&product.category, shard),
            status_shard: shard_key(product.status, shard),
            position: position(product),
            name_position: None,
            price_position: None,
            request_hash: product.request_hash.clone(),
            version: product.version,
            schema: SCHEMA,
            created_at: product.created_at,
            updated_at: product.updated_at,
            event: product.event.clone(),
        })
    }

    /// Takes the weight in grams, which earlier releases had among the attributes. One that is not a weight stays there.
    fn take_weight(&mut self) -> Option<u32> {
        if self.weight_grams.is_some() || !self.variants.is_empty() {
            return self.weight_grams;
        }
        let stored = self.attributes.get(WEIGHT_ATTRIBUTE);
        let weight = stored.and_then(|text| weight_grams(text));
        if weight.is_some() {
            self.attributes.remove(WEIGHT_ATTRIBUTE);
        }
        weight
    }
}

impl From<ProductItem> for Product {
    fn from(mut item: ProductItem) -> Self {
        let weight_grams = item.take_weight();
        let mut stock = item.variant_stock.unwrap_or_default();
        let variants = item.variants.into_iter();
        let mut variants: Vec<Variant> = variants
            .map(|variant| {
                let stock = stock.remove(&variant.id);
                variant.into_variant(stock)
            })
            .collect();
        if variants.is_empty() {
            variants.push(Variant {
                id: item.product_id.into(),
                sku: item.sku,
                gtin: item.gtin,
                options: BTreeMap::new(),
                prices: Prices {
                    regular: item.price,
                    sale: item.sale,
                    // What it cost before its last change is not known.
                    since: item.priced_at.unwrap_or(item.updated_at),
                    past: item.past_prices,
                },
                weight_grams,
                stock: item.stock,
            });
        }
        Self {
            id: item.product_id,
            name: item.name,
            description: item.description,
            category: item.category,
            shipped: !item.not_shipped,
            attributes: item.attributes,
            status: item.status,
            options: item.options,
            variants,
            content: item.content,
            version: item.version,
            created_at: item.created_at,
            updated_at: item.updated_at,
            request_hash: item.request_hash,
            event: item.event,
        }
    }
}

/// An item that leads to a product, from an SKU or from a variant.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct LeadItem {
    /// `sku#<SKU>`, `slug#<slug>` or `variant#<variant_id>`.
    pub(super) product_id: String,
    /// The product.
    pub(super) leads_to: ProductId,
}

impl LeadItem {
    pub(super) fn new(lead: String, product: ProductId) -> Self {
        Self {
            product_id: lead,
            leads_to: product,
        }
    }
}

/// Returns the key of what leads from an SKU to its product.
pub(super) fn sku_lead(sku: &Sku) -> String {
    format!("sku#{sku}")
}

/// Returns the key of what leads from a slug to its product.
pub(super) fn slug_lead(slug: &Slug) -> String {
    format!("slug#{slug}")
}

/// Returns the key of what leads from a variant to its product.
pub(super) fn variant_lead(id: VariantId) -> String {
    format!("variant#{id}")
}

/// An entry of an index of places, such as that of products by name.
#[derive(Debug, Deserialize)]
pub(super) struct PlaceItem {
    pub(super) product_id: ProductId,
    position: Option<String>,
    name_position: Option<String>,
    price_position: Option<String>,
}

impl PlaceItem {
    /// Returns the place by which its index is sorted.
    pub(super) fn position(&self) -> String {
        let places = [&self.position, &self.name_position, &self.price_position];
        let mut places = places.into_iter().flatten();
        places.next().cloned().unwrap_or_default()
    }
}

/// Returns a key of an index: `<category or status>#<shard>`.
pub(super) fn shard_key(value: impl ToString, shard: u32) -> String {
    format!("{}#{shard}", value.to_string())
}

/// Returns a product's place in lists: `<created_at>#<product_id>`.
pub(super) fn position(product: &Product) -> String {
    format!("{}#{}", product.created_at, product.id)
}

#[cfg(test)]
mod tests;
