//! An order's lines and their prices, by the catalogue.

use std::collections::HashMap;

use super::model::Line;
use crate::aws::dynamo::StoreError;
use crate::catalog;
use crate::catalog::model::Product;
use crate::catalog::store::ProductStore;
use crate::catalog::variants::Variant;
use crate::http::problem::Fault;
use crate::pricing::cart::MOST_OF_ONE;
use crate::values::clock::Time;
use crate::values::id::{ProductId, VariantId};
use crate::values::locale::Locale;
use crate::values::money::{Currency, Money, MoneyError};

/// The most entries that a request to place an order may have.
pub const MOST_ITEMS: usize = 50;

/// One entry of a request to place an order. It names the product, the variant, or both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item {
    /// The product, which must have one variant unless the variant is named, too.
    pub product_id: Option<ProductId>,
    /// The variant.
    pub variant_id: Option<VariantId>,
    /// The number of pieces.
    pub quantity: u32,
}

impl Item {
    /// Returns the variant that it is likely to be for: the one that it names, or the only variant that most products have.
    #[must_use]
    pub fn likely_variant(&self) -> Option<VariantId> {
        self.variant_id.or(self.product_id.map(VariantId::from))
    }

    /// Returns whether it became a part of `line`.
    #[must_use]
    pub fn is_of(&self, line: &Line) -> bool {
        match self.variant_id {
            Some(variant) => variant == line.variant_id,
            None => self.product_id == Some(line.product_id),
        }
    }
}

/// Reads the products of `items`; those that do not exist are left out. Items that name only a variant take one more read
/// for all of them, before the one of the products.
///
/// # Errors
/// [`StoreError`].
pub async fn products(store: &ProductStore, items: &[Item]) -> Result<Vec<Product>, StoreError> {
    let alone = items.iter().filter(|item| item.product_id.is_none());
    let alone: Vec<VariantId> = alone.filter_map(|item| item.variant_id).collect();
    let mut ids: Vec<ProductId> = items.iter().filter_map(|item| item.product_id).collect();
    if !alone.is_empty() {
        ids.extend(store.products_of(alone).await?.into_values());
    }
    store.get_many(ids).await
}

/// Returns the lines for `items`, one for each variant in the order of their first entries, with the names in the
/// language `locale`, and the catalogue's prices of `now`.
///
/// # Errors
/// Returns all faults of the request: products and variants that do not exist or are not for sale, and more than
/// [`MOST_OF_ONE`] pieces of one variant.
pub fn price(
    items: &[Item],
    products: &[Product],
    locale: Option<&Locale>,
    now: Time,
) -> Result<Vec<Line>, Vec<Fault>> {
    let products = Products::new(products);
    let mut lines: Vec<Line> = Vec::with_capacity(items.len());
    let mut faults = Vec::new();
    for (at, item) in items.iter().enumerate() {
        let (product, variant) = match products.for_sale(item) {
            Ok(found) => found,
            Err((field, code, detail)) => {
                faults.push(fault(format!("/items/{at}/{field}"), code, detail));
                continue;
            }
        };
        let line = lines.iter_mut().find(|line| line.variant_id == variant.id);
        let quantity = line.as_ref().map_or(0, |line| line.quantity) + item.quantity;
        if quantity > MOST_OF_ONE {
            let detail = format!("at most {MOST_OF_ONE} of one product can be ordered");
            faults.push(fault(format!("/items/{at}/quantity"), "range", detail));
        } else if let Some(line) = line {
            line.quantity = quantity;
        } else {
            lines.push(Line {
                product_id: product.id,
                variant_id: variant.id,
                sku: variant.sku.clone(),
                name: product.name_of(variant, locale),
                quantity,
                unit_price: variant.prices.at(now),
                price_list: None,
            });
        }
    }
    if faults.is_empty() {
        Ok(lines)
    } else {
        Err(faults)
    }
}

/// The products of a request, by their identifiers and those of their variants.
struct Products<'a> {
    by_id: HashMap<ProductId, &'a Product>,
    by_variant: HashMap<VariantId, (&'a Product, &'a Variant)>,
}

impl<'a> Products<'a> {
    fn new(products: &'a [Product]) -> Self {
        let by_id = products.iter().map(|product| (product.id, product));
        let by_variant = products.iter().flat_map(|product| {
            let variants = product.variants.iter();
            variants.map(move |variant| (variant.id, (product, variant)))
        });
        Self {
            by_id: by_id.collect(),
            by_variant: by_variant.collect(),
        }
    }

    /// Returns what `item` is for, or the field, code and detail of the fault.
    fn for_sale(
        &self,
        item: &Item,
    ) -> Result<(&'a Product, &'a Variant), (&'static str, &'static str, &'static str)> {
        let found = match (item.product_id, item.variant_id) {
            (None, None) => {
                let detail = "name the product or the variant";
                return Err(("product_id", "required", detail));
            }
            (Some(id), None) => {
                let product = self.by_id.get(&id).copied();
                let detail = "there is no such product";
                let product = product.ok_or(("product_id", "unknown_product", detail))?;
                let detail = "this product has several variants; name one as variant_id";
                let variant = product.only_variant();
                (product, variant.ok_or(("variant_id", "required", detail))?)
            }
            (product, Some(id)) => {
                let found = self.by_variant.get(&id).copied();
                let found = found.filter(|(found, _)| product.is_none_or(|id| id == found.id));
                let detail = match product {
                    Some(_) => "the product has no such variant",
                    None => "there is no such variant",
                };
                found.ok_or(("variant_id", "unknown_variant", detail))?
            }
        };
        let field = if item.variant_id.is_some() {
            "variant_id"
        } else {
            "product_id"
        };
        match found.0.status {
            catalog::model::Status::Active => Ok(found),
            catalog::model::Status::Inactive
            | catalog::model::Status::OutOfStock
            | catalog::model::Status::Discontinued => {
                Err((field, "not_for_sale", "this product is not for sale now"))
            }
        }
    }
}

fn fault(pointer: String, code: &'static str, detail: impl Into<String>) -> Fault {
    Fault {
        pointer,
        code,
        detail: detail.into(),
    }
}

/// Returns the total of `lines`, before discounts, shipping and tax.
///
/// # Errors
/// Returns [`MoneyError`] if it is more than [`Money`] holds, or the currencies differ.
pub fn total(currency: Currency, lines: &[Line]) -> Result<Money, MoneyError> {
    lines.iter().try_fold(Money::zero(currency), |total, line| {
        total.plus(line.subtotal()?)
    })
}

#[cfg(test)]
mod tests;
