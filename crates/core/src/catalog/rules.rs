//! Decides how a product may change.

use std::collections::BTreeMap;

use crate::http::exchange::IfMatch;
use crate::stock::model::Availability;
use crate::values::clock::Time;
use crate::values::event::Stamp;
use crate::values::id::ProductId;
use crate::values::money::Money;

use super::model::{Category, Product, ProductError, SaleError, ShownStock, Status};
use super::prices::{Prices, Sale};

/// The content of a new product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// As [`Product::name`].
    pub name: String,
    /// As [`Product::description`].
    pub description: String,
    /// The price without a sale, more than zero.
    pub price: Money,
    /// A sale.
    pub sale: Option<SaleTerms>,
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

/// A sale as it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SaleTerms {
    /// As [`Sale::price`].
    pub price: Money,
    /// From when on, at the earliest from now on; `None` for the start of the sale that is set, or else now.
    pub starts_at: Option<Time>,
    /// As [`Sale::ends_at`].
    pub ends_at: Option<Time>,
}

/// A change of a product; fields that are `None` stay as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Patch {
    /// As [`Product::name`].
    pub name: Option<String>,
    /// As [`Product::description`].
    pub description: Option<String>,
    /// The price without a sale, more than zero.
    pub price: Option<Money>,
    /// A sale; `Some(None)` ends it.
    pub sale: Option<Option<SaleTerms>>,
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
///
/// # Errors
/// [`SaleError`].
pub fn create(
    id: ProductId,
    draft: Draft,
    request_hash: Option<String>,
    now: Time,
) -> Result<Product, SaleError> {
    let sale = draft.sale.map(|terms| sale(terms, None, draft.price, now));
    let sale = sale.transpose()?;
    Ok(Product {
        id,
        name: draft.name,
        description: draft.description,
        prices: Prices {
            regular: draft.price,
            sale,
            since: now,
            past: Vec::new(),
        },
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
    })
}

/// Returns the sale of `terms` of a product that costs `regular` without it, where `set` is on or will be.
fn sale(terms: SaleTerms, set: Option<Sale>, regular: Money, now: Time) -> Result<Sale, SaleError> {
    let set = set.map(|set| set.starts_at);
    let starts_at = match terms.starts_at.or(set) {
        // It goes on, at another price.
        Some(start) if Some(start) == set => start,
        Some(start) => start.max(now),
        None => now,
    };
    if terms.ends_at.is_some_and(|end| end <= starts_at) {
        return Err(SaleError::Window(starts_at));
    }
    if terms.price.amount() >= regular.amount() {
        return Err(SaleError::NotLower(regular));
    }
    Ok(Sale {
        price: terms.price,
        starts_at,
        ends_at: terms.ends_at,
    })
}

/// Returns the prices of `product` as `patch` changes them.
fn patched_prices(product: &Product, patch: &Patch, now: Time) -> Result<Prices, SaleError> {
    let set = product.sale(now);
    let regular = patch.price.unwrap_or(product.prices.regular);
    let sale = match (patch.sale, set) {
        (Some(terms), _) => {
            let sale = terms.map(|terms| sale(terms, set, regular, now));
            sale.transpose()?
        }
        (None, Some(set)) if set.price.amount() >= regular.amount() => {
            return Err(SaleError::NotHigher(set.price));
        }
        (None, set) => set,
    };
    if (regular, sale) == (product.prices.regular, set) {
        return Ok(product.prices.clone());
    }
    Ok(product.prices.changed(regular, sale, now))
}

/// Returns the next version of `product`, changed by `patch`, or `None` if the patch changes nothing.
///
/// # Errors
/// [`ProductError::Stale`] if `expected` is another version; [`ProductError::Discontinued`] if the
/// product is discontinued; [`ProductError::Sale`].
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
    let prices = patched_prices(product, &patch, now)?;
    let old = product.clone();
    let patched = Product {
        name: patch.name.unwrap_or(old.name),
        description: patch.description.unwrap_or(old.description),
        prices,
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

/// Who sees a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Viewer {
    /// An admin, who also sees a sale that has not started.
    Admin,
    /// Anybody.
    Anyone,
}

/// Returns the sale of `product` that `viewer` sees at `now`.
#[must_use]
pub fn shown_sale(product: &Product, viewer: Viewer, now: Time) -> Option<Sale> {
    let sale = product.sale(now)?;
    (viewer == Viewer::Admin || sale.is_on(now)).then_some(sale)
}

/// Returns the entity tag of a product as `viewer` sees it at `now`: its version, with what is shown of its stock unless it
/// is in stock, and of its sale, such as `3-low-2-sale`.
#[must_use]
pub fn tag(product: &Product, viewer: Viewer, now: Time) -> String {
    let stock = match (product.availability(), product.available_quantity()) {
        (Availability::InStock, _) => String::new(),
        (Availability::Low, Some(quantity)) => format!("-low-{quantity}"),
        (Availability::Low, None) => "-low".to_owned(),
        (Availability::Backorder, _) => "-backorder".to_owned(),
        (Availability::OutOfStock, _) => "-out_of_stock".to_owned(),
    };
    let sale = match shown_sale(product, viewer, now) {
        Some(sale) if sale.is_on(now) => "-sale",
        Some(_) => "-scheduled",
        None => "",
    };
    format!("{}{stock}{sale}", product.version)
}

/// Returns whether a caller who has read what `expected` says may change `product`: its own fields are as they were.
/// What the tag says beyond the version may have changed since: it follows the stock and the time.
fn is_expected(product: &Product, expected: &IfMatch) -> bool {
    let version = product.version.to_string();
    expected.allows_one(|tag| tag.split('-').next() == Some(&version))
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
