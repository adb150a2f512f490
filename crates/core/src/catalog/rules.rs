//! Decides how a product may change.

use std::collections::BTreeMap;

use crate::http::exchange::IfMatch;
use crate::stock::model::Availability;
use crate::values::clock::Time;
use crate::values::event::Stamp;
use crate::values::id::ProductId;
use crate::values::money::Money;

use super::model::{Category, Product, ProductError, ShownStock, Status};

/// The content of a new product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// As [`Product::name`].
    pub name: String,
    /// As [`Product::description`].
    pub description: String,
    /// As [`Product::price`].
    pub price: Money,
    /// As [`Product::category`].
    pub category: Category,
    /// As [`Product::weight_grams`].
    pub weight_grams: Option<u32>,
    /// As [`Product::shipped`].
    pub shipped: bool,
    /// As [`Product::attributes`].
    pub attributes: BTreeMap<String, String>,
    /// Any but [`Status::Discontinued`].
    pub status: Status,
}

/// A change of a product; fields that are `None` stay as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Patch {
    /// As [`Product::name`].
    pub name: Option<String>,
    /// As [`Product::description`].
    pub description: Option<String>,
    /// As [`Product::price`].
    pub price: Option<Money>,
    /// As [`Product::category`].
    pub category: Option<Category>,
    /// As [`Product::weight_grams`].
    pub weight_grams: Option<Option<u32>>,
    /// As [`Product::shipped`].
    pub shipped: Option<bool>,
    /// As [`Product::attributes`], which are replaced as a whole.
    pub attributes: Option<BTreeMap<String, String>>,
    /// Any but [`Status::Discontinued`].
    pub status: Option<Status>,
}

/// Returns the first version of a product.
#[must_use]
pub fn create(id: ProductId, draft: Draft, request_hash: Option<String>, now: Time) -> Product {
    Product {
        id,
        name: draft.name,
        description: draft.description,
        price: draft.price,
        category: draft.category,
        weight_grams: draft.weight_grams,
        shipped: draft.shipped,
        attributes: draft.attributes,
        status: draft.status,
        stock: Some(ShownStock {
            availability: Availability::OutOfStock,
            quantity: None,
        }),
        version: 1,
        created_at: now,
        updated_at: now,
        request_hash,
        event: Stamp::new(id, 1, "ProductCreated", now),
    }
}

/// Returns the next version of `product`, changed by `patch`, or `None` if the patch changes nothing.
///
/// # Errors
/// [`ProductError::Stale`] if `expected` is another version; [`ProductError::Discontinued`] if the
/// product is discontinued.
pub fn update(
    product: &Product,
    patch: Patch,
    expected: &IfMatch,
    now: Time,
) -> Result<Option<Product>, ProductError> {
    if !is_expected(product, expected) {
        return Err(ProductError::Stale);
    }
    match product.status {
        Status::Active | Status::Inactive | Status::OutOfStock => {}
        Status::Discontinued => return Err(ProductError::Discontinued),
    }
    let old = product.clone();
    let patched = Product {
        name: patch.name.unwrap_or(old.name),
        description: patch.description.unwrap_or(old.description),
        price: patch.price.unwrap_or(old.price),
        category: patch.category.unwrap_or(old.category),
        weight_grams: patch.weight_grams.unwrap_or(old.weight_grams),
        shipped: patch.shipped.unwrap_or(old.shipped),
        attributes: patch.attributes.unwrap_or(old.attributes),
        status: patch.status.unwrap_or(old.status),
        ..old
    };
    if patched == *product {
        return Ok(None);
    }
    Ok(Some(next_version(patched, "ProductUpdated", now)))
}

/// Returns `product` as discontinued, or `None` if it is discontinued already. In that case `expected`
/// does not matter: the request has been carried out before (RFC 9110 section 13.1.1).
///
/// # Errors
/// [`ProductError::Stale`] if `expected` is another version.
pub fn discontinue(
    product: &Product,
    expected: &IfMatch,
    now: Time,
) -> Result<Option<Product>, ProductError> {
    match product.status {
        Status::Discontinued => return Ok(None),
        Status::Active | Status::Inactive | Status::OutOfStock => {}
    }
    if !is_expected(product, expected) {
        return Err(ProductError::Stale);
    }
    let discontinued = Product {
        status: Status::Discontinued,
        ..product.clone()
    };
    Ok(Some(next_version(discontinued, "ProductDiscontinued", now)))
}

/// Returns the entity tag of a product: its version, with what shoppers see of its stock unless it is in stock, such as
/// `3-low-2`.
#[must_use]
pub fn tag(product: &Product) -> String {
    let version = product.version;
    match (product.availability(), product.available_quantity()) {
        (Availability::InStock, _) => version.to_string(),
        (Availability::Low, Some(quantity)) => format!("{version}-low-{quantity}"),
        (Availability::Low, None) => format!("{version}-low"),
        (Availability::Backorder, _) => format!("{version}-backorder"),
        (Availability::OutOfStock, _) => format!("{version}-out_of_stock"),
    }
}

/// Returns whether a caller who has read what `expected` says may change `product`: its own fields are as they were.
/// What is shown of its stock may have changed since, because nobody sets it here.
fn is_expected(product: &Product, expected: &IfMatch) -> bool {
    match expected {
        IfMatch::Any => true,
        IfMatch::Tags(tags) => {
            let version = product.version.to_string();
            let mut versions = tags.iter().filter_map(|tag| tag.split('-').next());
            versions.any(|read| read == version)
        }
    }
}

fn next_version(product: Product, event_type: &str, now: Time) -> Product {
    let version = product.version + 1;
    let updated_at = now.no_earlier_than(product.updated_at);
    Product {
        version,
        updated_at,
        event: Stamp::new(product.id, version, event_type, updated_at),
        ..product
    }
}
