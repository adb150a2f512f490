//! `ProductCreated`, `ProductUpdated` (`{name, category, price, sale, status, variants}`, `sale` only if there is one) and
//! `ProductDiscontinued` (`{}`), all of the aggregate `<product_id>`. `variants` (`[{id, sku}]`) is there unless the only variant has
//! the product's identifier; `price` is the lowest of them then.
//!
//! `CategoryChanged` (`{category, name, parent, position}`, `parent` only if there is one) and `CategoryRemoved`
//! (`{category}`), both of the aggregate `categories`; `CollectionChanged` (`{collection, name}`) and `CollectionRemoved`
//! (`{collection}`), both of the aggregate `collections`.

use std::collections::BTreeMap;

use serde::de::Error as _;
use serde::{Deserialize, Serialize};

use crate::values::event::{DomainEvent, Stamp};
use crate::values::id::{ProductId, VariantId};
use crate::values::money::Money;

use super::categories::store::TREE;
use super::collections::store::COLLECTIONS;
use super::content::Slug;
use super::model::{Category, Status};
use super::prices::Sale;
use super::sku::Sku;

/// The attributes that are read from a changed product's item.
#[derive(Deserialize)]
struct Image {
    product_id: ProductId,
    name: String,
    category: Category,
    price: Money,
    sale: Option<Sale>,
    status: Status,
    #[serde(default)]
    variants: Vec<VariantData>,
    event: Stamp,
}

/// A variant of a product, in the item and in the event.
#[derive(Deserialize, Serialize)]
struct VariantData {
    id: VariantId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sku: Option<Sku>,
}

#[derive(Serialize)]
struct Data {
    name: String,
    category: Category,
    price: Money,
    #[serde(skip_serializing_if = "Option::is_none")]
    sale: Option<Sale>,
    status: Status,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    variants: Vec<VariantData>,
}

/// The attributes that are read from the item of the changed categories.
#[derive(Deserialize)]
struct TreeImage {
    categories: BTreeMap<Category, CategoryImage>,
    changed: Category,
    event: Stamp,
}

/// A category, in the item and in the event.
#[derive(Deserialize, Serialize)]
struct CategoryImage {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parent: Option<Category>,
    position: u32,
}

/// The attributes that are read from the item of the changed collections.
#[derive(Deserialize)]
struct CollectionsImage {
    collections: BTreeMap<Slug, CollectionImage>,
    changed: Slug,
    event: Stamp,
}

/// A collection, in the item and in the event.
#[derive(Deserialize, Serialize)]
struct CollectionImage {
    name: String,
}

#[derive(Serialize)]
struct CollectionData {
    collection: Slug,
    #[serde(flatten)]
    now: Option<CollectionImage>,
}

#[derive(Serialize)]
struct CategoryData {
    category: Category,
    #[serde(flatten)]
    now: Option<CategoryImage>,
}

/// Returns the last event of the product, the categories or the collections whose item is `image`, or `None` for an item
/// that has none.
///
/// # Errors
/// If `image` is not an item of the table of products.
pub fn published(image: serde_dynamo::Item) -> Result<Option<DomainEvent>, serde_dynamo::Error> {
    if !image.contains_key("event") {
        return Ok(None);
    }
    if image.contains_key("categories") {
        return of_categories(serde_dynamo::from_item(image)?).map(Some);
    }
    if image.contains_key("collections") {
        return of_collections(serde_dynamo::from_item(image)?).map(Some);
    }
    let image: Image = serde_dynamo::from_item(image)?;
    let stamp = image.event;
    let data = if stamp.event_type == "ProductDiscontinued" {
        serde_json::Value::Object(serde_json::Map::new())
    } else {
        let data = Data {
            name: image.name,
            category: image.category,
            price: image.price,
            sale: image.sale,
            status: image.status,
            variants: image.variants,
        };
        serde_json::to_value(data).map_err(serde_dynamo::Error::custom)?
    };
    Ok(Some(DomainEvent::new(image.product_id, stamp, data)))
}

fn of_categories(mut image: TreeImage) -> Result<DomainEvent, serde_dynamo::Error> {
    let now = image.categories.remove(&image.changed);
    let data = CategoryData {
        category: image.changed,
        now,
    };
    let data = serde_json::to_value(data).map_err(serde_dynamo::Error::custom)?;
    Ok(DomainEvent::new(TREE, image.event, data))
}

fn of_collections(mut image: CollectionsImage) -> Result<DomainEvent, serde_dynamo::Error> {
    let now = image.collections.remove(&image.changed);
    let data = CollectionData {
        collection: image.changed,
        now,
    };
    let data = serde_json::to_value(data).map_err(serde_dynamo::Error::custom)?;
    Ok(DomainEvent::new(COLLECTIONS, image.event, data))
}
