//! The table of products.
//!
//! The indexes `by-category` and `by-status` list products by `position`. Their few keys are split into
//! shards, so that no single key takes all the writes.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::aws::Aws;
use crate::aws::dynamo::{self, Key, StoreError, Table, Written};
use crate::aws::settings::{Setting, SettingError};
use crate::http::page::{Page, PageRequest};
use crate::values::clock::Time;
use crate::values::event::Stamp;
use crate::values::id::ProductId;
use crate::values::money::Money;

use super::model::{
    Category, Product, ProductError, ShownStock, Status, WEIGHT_ATTRIBUTE, weight_grams,
};
use super::prices::{PastPrice, Prices, Sale};

/// The version of the stored shape of [`ProductItem`].
const SCHEMA: u32 = 1;

/// The most products of a category that one query reads to find those of one status.
const CATEGORY_CHUNK: usize = 200;

/// After so many queries a page is returned even if it is not full.
const CATEGORY_QUERIES: usize = 10;

/// A product as it is stored.
#[derive(Debug, Serialize, Deserialize)]
struct ProductItem {
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
    category: Category,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    weight_grams: Option<u32>,
    /// Products of earlier releases are shipped.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    not_shipped: bool,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    attributes: BTreeMap<String, String>,
    status: Status,
    /// Absent from products of earlier releases whose stock has not changed since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stock: Option<ShownStock>,
    category_shard: String,
    status_shard: String,
    position: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    request_hash: Option<String>,
    version: u64,
    schema: u32,
    created_at: Time,
    updated_at: Time,
    event: Stamp,
}

/// The number of shards of each key of the indexes. It is part of the stored items, so it must never be lowered: a
/// product in a shard that is not read any more would be hidden.
const SHARDS: u32 = 4;

impl ProductItem {
    fn new(product: &Product) -> Self {
        let shard = product.id.shard(SHARDS);
        Self {
            product_id: product.id,
            name: product.name.clone(),
            description: product.description.clone(),
            price: product.prices.regular,
            sale: product.prices.sale,
            priced_at: Some(product.prices.since),
            past_prices: product.prices.past.clone(),
            category: product.category.clone(),
            weight_grams: product.weight_grams,
            not_shipped: !product.shipped,
            attributes: product.attributes.clone(),
            status: product.status,
            stock: product.stock,
            category_shard: shard_key(&product.category, shard),
            status_shard: shard_key(product.status, shard),
            position: position(product),
            request_hash: product.request_hash.clone(),
            version: product.version,
            schema: SCHEMA,
            created_at: product.created_at,
            updated_at: product.updated_at,
            event: product.event.clone(),
        }
    }
}

impl From<ProductItem> for Product {
    fn from(mut item: ProductItem) -> Self {
        if item.weight_grams.is_none() {
            // Earlier releases had the weight among the attributes. One that is not a weight stays there.
            let stored = item.attributes.get(WEIGHT_ATTRIBUTE);
            item.weight_grams = stored.and_then(|text| weight_grams(text));
            if item.weight_grams.is_some() {
                item.attributes.remove(WEIGHT_ATTRIBUTE);
            }
        }
        Self {
            id: item.product_id,
            name: item.name,
            description: item.description,
            prices: Prices {
                regular: item.price,
                sale: item.sale,
                // What it cost before its last change is not known.
                since: item.priced_at.unwrap_or(item.updated_at),
                past: item.past_prices,
            },
            category: item.category,
            weight_grams: item.weight_grams,
            shipped: !item.not_shipped,
            attributes: item.attributes,
            status: item.status,
            stock: item.stock,
            version: item.version,
            created_at: item.created_at,
            updated_at: item.updated_at,
            request_hash: item.request_hash,
            event: item.event,
        }
    }
}

fn key(id: ProductId) -> Key {
    Key::new("product_id", id)
}

/// Returns a key of an index: `<category or status>#<shard>`.
fn shard_key(value: impl ToString, shard: u32) -> String {
    format!("{}#{shard}", value.to_string())
}

/// Returns a product's place in lists: `<created_at>#<product_id>`.
fn position(product: &Product) -> String {
    format!("{}#{}", product.created_at, product.id)
}

/// Returns whether `stored` is what was written as `product`. Its stock may have changed since.
fn is_written(stored: &Product, product: &Product) -> bool {
    let stock = stored.stock;
    *stored
        == Product {
            stock,
            ..product.clone()
        }
}

/// The table of products.
#[derive(Clone, Debug)]
pub struct ProductStore {
    table: Table,
}

impl ProductStore {
    /// Returns the table that the settings name (`PRODUCTS_TABLE`).
    ///
    /// # Errors
    /// [`SettingError`] if a setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        Ok(Self {
            table: Table::new(aws, Setting::ProductsTable)?,
        })
    }

    /// Returns the product with `id`, or `None` if there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get(&self, id: ProductId) -> Result<Option<Product>, StoreError> {
        let item: Option<ProductItem> = self.table.get(key(id)).await?;
        Ok(item.map(Product::from))
    }

    /// Returns the products with `ids`, in no particular order; those that do not exist are left out.
    /// There are at most 100 `ids`, which may occur several times.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_many(
        &self,
        ids: impl IntoIterator<Item = ProductId>,
    ) -> Result<Vec<Product>, StoreError> {
        let ids: BTreeSet<ProductId> = ids.into_iter().collect();
        let keys = ids.into_iter().map(key).collect();
        let items: Vec<ProductItem> = self.table.get_many(keys, true).await?;
        Ok(items.into_iter().map(Product::from).collect())
    }

    /// Stores the new `product` and returns it with `false`. If the same request has created it before,
    /// returns the stored product with `true`.
    ///
    /// # Errors
    /// [`ProductError::KeyReused`] if another request created a product with this identifier.
    pub async fn create(&self, product: Product) -> Result<(Product, bool), ProductError> {
        let item = ProductItem::new(&product);
        let write = self.table.put(&item)?;
        let write = write.when("attribute_not_exists(product_id)");
        match self.table.write(write).await? {
            Written::Done => return Ok((product, false)),
            Written::Refused(_) => {}
        }
        match self.get(product.id).await? {
            // Our own write, whose response was lost.
            Some(stored) if is_written(&stored, &product) => Ok((stored, false)),
            Some(stored) if stored.request_hash == product.request_hash => Ok((stored, true)),
            Some(_) | None => Err(ProductError::KeyReused),
        }
    }

    /// Replaces the version before `product`, and returns `product`.
    ///
    /// # Errors
    /// [`ProductError::Stale`] if another version is stored, and [`ProductError::StockMoved`] if other stock is shown of it:
    /// read again and decide again.
    pub async fn replace(&self, product: Product) -> Result<Product, ProductError> {
        let item = ProductItem::new(&product);
        let before = product.version.saturating_sub(1);
        let write = self.table.put(&item)?.value(":before", &before)?;
        let write = match &product.stock {
            Some(stock) => write
                .when("version = :before AND stock = :stock")
                .value(":stock", stock)?,
            None => write.when("version = :before AND attribute_not_exists(stock)"),
        };
        match self.table.write(write).await? {
            Written::Done => return Ok(product),
            Written::Refused(_) => {}
        }
        // The write may have been refused because it was made before and its response was lost.
        let stored = self.get(product.id).await?.ok_or(ProductError::Stale)?;
        if is_written(&stored, &product) {
            Ok(stored)
        } else if stored.version == before && stored.stock != product.stock {
            Err(ProductError::StockMoved)
        } else {
            Err(ProductError::Stale)
        }
    }

    /// Shows `stock` of the product `id`, which keeps its version. Refused if there is no such product.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn show_stock(
        &self,
        id: ProductId,
        stock: ShownStock,
    ) -> Result<Written, StoreError> {
        let write = self.table.update(key(id), "SET stock = :stock");
        let write = write.value(":stock", &stock)?;
        let write = write.when("attribute_exists(product_id)");
        self.table.write(write).await
    }

    /// Returns the products of `status`, newest first; with a `category` only those in it.
    ///
    /// A page of a category may have fewer products than its limit and still be followed by another
    /// page, if few of very many products have the status.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list(
        &self,
        category: Option<&Category>,
        status: Status,
        page: &PageRequest,
    ) -> Result<Page<Product>, StoreError> {
        let Some(category) = category else {
            let after = page.after.as_deref();
            let found = self
                .query("by-status", "status_shard", &status, after, page.limit + 1)
                .await?;
            return Ok(Page::cut(found, page.limit, position));
        };
        let mut found = Vec::new();
        let mut after = page.after.clone();
        let mut most = page.limit + 1;
        for _ in 0..CATEGORY_QUERIES {
            let from = after.as_deref();
            let chunk = self
                .query("by-category", "category_shard", category, from, most)
                .await?;
            let last = chunk.last().map(position);
            let more = chunk.len() == most;
            found.extend(chunk.into_iter().filter(|product| product.status == status));
            if found.len() > page.limit || !more {
                return Ok(Page::cut(found, page.limit, position));
            }
            after = last;
            most = (most * 2).min(CATEGORY_CHUNK);
        }
        Ok(Page {
            items: found,
            next: after,
        })
    }

    async fn query(
        &self,
        index: &str,
        attribute: &str,
        value: &impl ToString,
        after: Option<&str>,
        most: usize,
    ) -> Result<Vec<Product>, StoreError> {
        let queries = (0..SHARDS).map(|shard| {
            let key = shard_key(value.to_string(), shard);
            self.table.newest_first(index, attribute, key, after)
        });
        let items = dynamo::merged(queries.collect(), most, true, |item: &ProductItem| {
            item.position.clone()
        })
        .await?;
        Ok(items.into_iter().map(Product::from).collect())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_weight_of_an_item_of_earlier_releases_is_read() {
        let item = |weight: &str| -> Product {
            let item = json!({
                "product_id": "0197f0a0-0000-7000-8000-000000000001", "name": "Tea", "category": "tea",
                "price": {"amount": "1.00", "currency": "EUR"}, "attributes": {"weight_grams": weight},
                "status": "active", "category_shard": "tea#0", "status_shard": "active#0", "position": "p",
                "version": 1, "schema": 1, "created_at": "2026-03-01T12:00:00Z",
                "updated_at": "2026-03-01T12:00:00Z",
                "event": Stamp::new("p", 1, "ProductCreated", Time::from_millis(0)),
            });
            let item: ProductItem = serde_json::from_value(item).unwrap();
            item.into()
        };
        let weighed = item("250");
        assert_eq!(
            (weighed.weight_grams, weighed.attributes.len()),
            (Some(250), 0)
        );
        let unclear = item("20kg");
        assert_eq!((unclear.weight_grams, unclear.attributes.len()), (None, 1));
    }
}
