//! Decides how a product may change.

use std::collections::BTreeMap;

use crate::http::exchange::IfMatch;
use crate::stock::model::Availability;
use crate::values::clock::Time;
use crate::values::digest::sha256_hex;
use crate::values::event::Stamp;
use crate::values::id::ProductId;

use super::content::{Content, ContentChange};
use super::model::{Category, Product, ProductError, Status};
use super::prices::{Prices, Sale};
use super::variants::{
    self, ListedVariant, ProductOption, Variant, VariantChange, VariantError, VariantFault,
};

/// The content of a new product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// As [`Product::name`].
    pub name: String,
    /// As [`Product::description`].
    pub description: String,
    /// As [`Product::category`].
    pub category: Category,
    /// As [`Product::shipped`].
    pub shipped: bool,
    /// As [`Product::attributes`].
    pub attributes: BTreeMap<String, String>,
    /// Any but [`Status::Discontinued`].
    pub status: Status,
    /// What is sold of it.
    pub sold: Sold,
    /// What shoppers see beside that.
    pub content: ContentChange,
}

/// What is sold of a new product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sold {
    /// The product itself, which has no options.
    One(VariantChange),
    /// Variants: at least one.
    Variants(Vec<ProductOption>, Vec<VariantChange>),
}

/// A change of a product; fields that are `None` stay as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Patch {
    /// As [`Product::name`].
    pub name: Option<String>,
    /// As [`Product::description`].
    pub description: Option<String>,
    /// As [`Product::category`].
    pub category: Option<Category>,
    /// As [`Product::shipped`].
    pub shipped: Option<bool>,
    /// As [`Product::attributes`], which are replaced as a whole.
    pub attributes: Option<BTreeMap<String, String>>,
    /// Any but [`Status::Discontinued`].
    pub status: Option<Status>,
    /// A change of its only variant.
    pub only: VariantChange,
    /// As [`Product::options`], which are replaced as a whole.
    pub options: Option<Vec<ProductOption>>,
    /// All variants that it is to have: at least one.
    pub variants: Option<Vec<ListedVariant>>,
    /// What shoppers see beside that.
    pub content: ContentChange,
}

/// Returns the first version of a product.
///
/// # Errors
/// [`VariantError`].
pub fn create(
    id: ProductId,
    draft: Draft,
    request_hash: Option<String>,
    now: Time,
) -> Result<Product, VariantError> {
    let (options, variants) = match draft.sold {
        Sold::One(content) => {
            let only = variants::only(id, content, now);
            let only = only.map_err(|fault| VariantError { at: None, fault })?;
            (Vec::new(), vec![only])
        }
        Sold::Variants(options, contents) => {
            let contents = contents.into_iter();
            let new = contents.map(|change| ListedVariant { id: None, change });
            let variants = variants::listed(id, &options, &[], new.collect(), now)?;
            (options, variants)
        }
    };
    Ok(Product {
        id,
        name: draft.name,
        description: draft.description,
        category: draft.category,
        shipped: draft.shipped,
        attributes: draft.attributes,
        status: draft.status,
        options,
        variants,
        content: Content::default().changed(draft.content),
        version: 1,
        created_at: now,
        updated_at: now,
        request_hash,
        event: Stamp::new(id, 1, "ProductCreated", now),
    })
}

/// Returns the next version of `product`, changed by `patch`, or `None` if the patch changes nothing.
///
/// # Errors
/// [`ProductError::Stale`] if `expected` is another version; [`ProductError::Discontinued`] if the
/// product is discontinued; [`ProductError::Variant`].
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
    let options = patch.options.unwrap_or(old.options);
    let changed = changed_variants(product, patch.only, now)?;
    let is_listed = patch.variants.is_some();
    let listed = patch.variants.unwrap_or_else(|| as_they_are(&changed));
    let variants = variants::listed(product.id, &options, &changed, listed, now);
    let variants = variants.map_err(|error| VariantError {
        at: error.at.filter(|_| is_listed),
        ..error
    })?;
    let patched = Product {
        name: patch.name.unwrap_or(old.name),
        description: patch.description.unwrap_or(old.description),
        category: patch.category.unwrap_or(old.category),
        shipped: patch.shipped.unwrap_or(old.shipped),
        attributes: patch.attributes.unwrap_or(old.attributes),
        status: patch.status.unwrap_or(old.status),
        options,
        variants,
        content: old.content.changed(patch.content),
        ..old
    };
    if patched == *product {
        return Ok(None);
    }
    Ok(Some(next_version(patched, "ProductUpdated", now)))
}

/// Returns the variants of `product`, of which the only one is changed by `change`.
fn changed_variants(
    product: &Product,
    change: VariantChange,
    now: Time,
) -> Result<Vec<Variant>, VariantError> {
    let product_error = |fault| VariantError { at: None, fault };
    if let Some(only) = product.only_variant() {
        let changed = variants::change(only, change, now);
        return Ok(vec![changed.map_err(product_error)?]);
    }
    let fields = [
        (change.price.is_some(), "/price"),
        (change.sale.is_some(), "/sale"),
        (change.weight_grams.is_some(), "/weight_grams"),
        (change.sku.is_some(), "/sku"),
        (change.gtin.is_some(), "/gtin"),
    ];
    match fields.into_iter().find(|(is_sent, _)| *is_sent) {
        Some((_, field)) => Err(product_error(VariantFault::Several(field))),
        None => Ok(product.variants.clone()),
    }
}

/// Returns the list that leaves `variants` as they are.
fn as_they_are(variants: &[Variant]) -> Vec<ListedVariant> {
    let variants = variants.iter();
    variants
        .map(|variant| ListedVariant {
            id: Some(variant.id),
            change: VariantChange::default(),
        })
        .collect()
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
    /// An admin, who also sees products that are not public, and a sale that has not started.
    Admin,
    /// Anybody.
    Anyone,
}

impl Viewer {
    /// Returns whether `product` is shown.
    #[must_use]
    pub fn sees(self, product: &Product) -> bool {
        self == Self::Admin || product.status.is_public()
    }

    /// Returns the sale of something with `prices` that is seen at `now`.
    #[must_use]
    pub fn sale(self, prices: &Prices, now: Time) -> Option<Sale> {
        let sale = prices.sale_at(now)?;
        (self == Self::Admin || sale.is_on(now)).then_some(sale)
    }
}

/// Returns the entity tag of a product as `viewer` sees it at `now`: its version, with what is shown of its stock unless it
/// is in stock, and of its sale, such as `3-low-2-sale`. Of several variants, the tag has a hash of these.
#[must_use]
pub fn tag(product: &Product, viewer: Viewer, now: Time) -> String {
    let shown = product.variants.iter();
    let shown = shown.map(|variant| shown_of(product, variant, viewer, now));
    let shown: Vec<String> = shown.collect();
    let suffix = match shown.as_slice() {
        [only] => only.clone(),
        _ if shown.iter().all(String::is_empty) => String::new(),
        all => {
            let mut hash = sha256_hex(all.join("\n"));
            hash.truncate(16);
            format!("-{hash}")
        }
    };
    format!("{}{suffix}", product.version)
}

/// Returns what a tag says of a variant: nothing if it is in stock and not on sale.
fn shown_of(product: &Product, variant: &Variant, viewer: Viewer, now: Time) -> String {
    let quantity = product.available_quantity(variant);
    let stock = match (product.availability_of(variant), quantity) {
        (Availability::InStock, _) => String::new(),
        (Availability::Low, Some(quantity)) => format!("-low-{quantity}"),
        (Availability::Low, None) => "-low".to_owned(),
        (Availability::Backorder, _) => "-backorder".to_owned(),
        (Availability::OutOfStock, _) => "-out_of_stock".to_owned(),
    };
    let sale = match viewer.sale(&variant.prices, now) {
        Some(sale) if sale.is_on(now) => "-sale",
        Some(_) => "-scheduled",
        None => "",
    };
    format!("{stock}{sale}")
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
