//! Rows that are prices: `sku`, `price`, and `sale` as a product's variant has them.

use std::collections::BTreeMap;

use futures::{StreamExt as _, TryStreamExt as _};

use crate::aws::dynamo::{self, Attempt, StoreError};
use crate::catalog::fields::price_change;
use crate::catalog::model::{Product, ProductError};
use crate::catalog::rules::{self, Patch};
use crate::catalog::sku::Sku;
use crate::catalog::variants::{ListedVariant, VariantChange};
use crate::http::body;
use crate::http::exchange::IfMatch;
use crate::values::id::ProductId;

use super::context::{Context, fault_of};
use super::piece::{AT_ONCE, Came, Fields};

/// A row that could be read, with its place among the others.
#[derive(Debug)]
struct Price {
    place: usize,
    sku: Sku,
    change: VariantChange,
}

/// Imports `rows`, at most a hundred, which have no key in common. Returns what came of each.
///
/// # Errors
/// [`StoreError`]; some rows may have been imported.
pub(super) async fn import(
    context: &Context<'_>,
    rows: &[Fields],
) -> Result<Vec<Came>, StoreError> {
    let mut came: Vec<Option<Came>> = Vec::new();
    let mut prices = Vec::new();
    for (place, fields) in rows.iter().enumerate() {
        let read = body::read_object(fields.clone(), |body| price_change(body, context.currency));
        came.push(match read {
            Ok((sku, change)) => {
                prices.push(Price { place, sku, change });
                None
            }
            Err(faults) => Some(Came::Faults(faults)),
        });
    }
    let by_sku = context
        .products
        .with_skus(prices.iter().map(|price| price.sku.clone()))
        .await?;
    let mut groups: BTreeMap<ProductId, Vec<Price>> = BTreeMap::new();
    for price in prices {
        match by_sku.get(&price.sku) {
            Some(product) => groups.entry(*product).or_default().push(price),
            None => set(&mut came, price.place, Came::unknown_sku()),
        }
    }
    let groups = groups
        .into_iter()
        .map(|(product, prices)| change(context, product, prices));
    let groups: Vec<_> = groups.collect();
    let mut groups = futures::stream::iter(groups).buffer_unordered(AT_ONCE);
    while let Some(group) = groups.try_next().await? {
        for (place, outcome) in group {
            set(&mut came, place, outcome);
        }
    }
    drop(groups);
    Ok(came
        .into_iter()
        .map(|came| came.unwrap_or(Came::Same))
        .collect())
}

fn set(came: &mut [Option<Came>], place: usize, outcome: Came) {
    if let Some(came) = came.get_mut(place) {
        *came = Some(outcome);
    }
}

/// Changes the `prices` of variants of the product with `id`, and returns what came of each.
async fn change(
    context: &Context<'_>,
    id: ProductId,
    prices: Vec<Price>,
) -> Result<Vec<(usize, Came)>, StoreError> {
    let changed = dynamo::change("the product", || async {
        let product = context
            .products
            .get(id)
            .await?
            .ok_or(ProductError::NotFound)?;
        let (decided, next) = decide(context, &product, &prices)?;
        let Some(next) = next else {
            return Ok(Attempt::Done(decided));
        };
        Ok(match context.replace(&product, next).await? {
            Attempt::Done(_) => Attempt::Done(decided),
            Attempt::Overtaken => Attempt::Overtaken,
        })
    });
    match changed.await {
        Ok(decided) => Ok(decided),
        Err(ProductError::NotFound) => Ok(prices
            .iter()
            .map(|price| (price.place, Came::unknown_sku()))
            .collect()),
        Err(error) => {
            let fault = fault_of(error)?;
            Ok(prices
                .iter()
                .map(|price| (price.place, Came::Faults(vec![fault.clone()])))
                .collect())
        }
    }
}

/// What comes of each of some prices, by its place, and the product with those that it can have, if that changes it.
type Decided = (Vec<(usize, Came)>, Option<Product>);

/// Returns what comes of each of the `prices`, and `product` with those that it can have, if that changes it.
fn decide(
    context: &Context<'_>,
    product: &Product,
    prices: &[Price],
) -> Result<Decided, ProductError> {
    let mut came = Vec::new();
    let mut next = product.clone();
    for price in prices {
        let Some(variant) = product
            .variants
            .iter()
            .find(|variant| variant.sku() == price.sku)
        else {
            came.push((price.place, Came::unknown_sku()));
            continue;
        };
        let variants = next.variants.iter().map(|known| ListedVariant {
            id: Some(known.id),
            change: if known.id == variant.id {
                price.change.clone()
            } else {
                VariantChange::default()
            },
        });
        let patch = Patch {
            variants: Some(variants.collect()),
            ..Patch::default()
        };
        match rules::update(&next, patch, &IfMatch::Any, context.now) {
            Ok(None) => came.push((price.place, Came::Same)),
            Ok(Some(changed)) => {
                // All changes together are one version.
                next = Product {
                    version: product.version,
                    ..changed
                };
                came.push((price.place, Came::Changed));
            }
            Err(ProductError::Variant(mut error)) => {
                error.at = None;
                came.push((price.place, Came::Faults(vec![fault_of(error.into())?])));
            }
            Err(error) => return Err(error),
        }
    }
    let next = Product {
        version: product.version + 1,
        ..next
    };
    let is_changed = came.iter().any(|(_, came)| *came == Came::Changed);
    Ok((came, is_changed.then_some(next)))
}
