//! Rows that are products: the body of `POST /products`, with an `id` if that is known.
//!
//! A row is of the product that has its identifier, or one of its SKUs. That product is changed as `PATCH` changes it; if
//! there is none, it is created.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt as _, TryStreamExt as _};
use serde_json::Value;

use crate::aws::dynamo::{self, Attempt, StoreError};
use crate::catalog::fields::{draft, patch};
use crate::catalog::model::{Product, ProductError};
use crate::catalog::rules;
use crate::catalog::sku::Sku;
use crate::catalog::variants::VariantFault;
use crate::http::body;
use crate::http::exchange::IfMatch;
use crate::values::id::ProductId;

use super::context::{Context, fault_of};
use super::piece::{AT_ONCE, Came, Fields};

/// What a row calls its product by.
#[derive(Debug)]
struct Names {
    id: Option<ProductId>,
    /// Whether an identifier is given that cannot be a product's.
    is_unreadable: bool,
    skus: BTreeSet<Sku>,
}

fn text<T: std::str::FromStr>(fields: &Fields, name: &str) -> Option<T> {
    fields.get(name)?.as_str()?.parse().ok()
}

fn listed(fields: &Fields) -> impl Iterator<Item = &Fields> {
    let variants = fields.get("variants").and_then(Value::as_array);
    variants.into_iter().flatten().filter_map(Value::as_object)
}

impl Names {
    fn of(fields: &Fields) -> Self {
        let variants = std::iter::once(fields).chain(listed(fields));
        let id = text(fields, "id");
        let is_given = fields.get("id").is_some_and(|id| !id.is_null());
        Self {
            id,
            is_unreadable: is_given && id.is_none(),
            skus: variants
                .filter_map(|variant| text(variant, "sku"))
                .collect(),
        }
    }
}

/// Returns what no two rows that are imported at the same time may have in common.
pub(super) fn keys(fields: &Fields) -> Vec<String> {
    let names = Names::of(fields);
    let skus = names.skus.iter().map(|sku| format!("sku {sku}"));
    let id = names.id.map(|id| format!("id {id}"));
    let slug: Option<String> = text(fields, "slug");
    skus.chain(id)
        .chain(slug.map(|slug| format!("slug {slug}")))
        .collect()
}

/// Imports `rows`, at most a hundred, which have no key in common. Returns what came of each.
///
/// # Errors
/// [`StoreError`]; some rows may have been imported.
pub(super) async fn import(
    context: &Context<'_>,
    rows: &[Fields],
) -> Result<Vec<Came>, StoreError> {
    let names: Vec<Names> = rows.iter().map(Names::of).collect();
    let targets = targets(context, &names).await?;
    let ids = targets.iter().flatten().flatten().copied();
    let products = context.products.get_many(ids).await?;
    let products: BTreeMap<ProductId, Product> = products
        .into_iter()
        .map(|product| (product.id, product))
        .collect();
    let rows = rows
        .iter()
        .zip(&names)
        .zip(targets)
        .map(|((fields, names), target)| {
            let product = target.map(|target| products.get(&target?).cloned());
            async move {
                let came = match product {
                    Err(came) => return Ok(came),
                    Ok(Some(product)) => change(context, product, fields).await,
                    Ok(None) => create_or_change(context, names, fields).await,
                };
                came.or_else(|error| Ok(Came::Faults(vec![fault_of(error)?])))
            }
        });
    let rows: Vec<_> = rows.collect();
    futures::stream::iter(rows)
        .buffered(AT_ONCE)
        .try_collect()
        .await
}

/// Returns the product that each row is of, if there is one, or what is wrong with its names.
async fn targets(
    context: &Context<'_>,
    names: &[Names],
) -> Result<Vec<Result<Option<ProductId>, Came>>, StoreError> {
    let skus = names.iter().flat_map(|names| names.skus.iter().cloned());
    let by_sku = context.products.with_skus(skus).await?;
    let target = |names: &Names| {
        if names.is_unreadable {
            return Err(Came::fault("/id", "invalid", "this must be a product's id"));
        }
        if names.id.is_none() && names.skus.is_empty() {
            let detail = "a row needs an id or an SKU, so that it can be imported again";
            return Err(Came::fault("/sku", "required", detail));
        }
        let found: BTreeSet<ProductId> = names
            .skus
            .iter()
            .filter_map(|sku| by_sku.get(sku).copied())
            .chain(names.id)
            .collect();
        let mut found = found.into_iter();
        let target = found.next();
        if found.next().is_some() {
            let detail = "the identifier and the SKUs of this row are of different products";
            return Err(Came::fault("", "contradiction", detail));
        }
        Ok(target)
    };
    Ok(names.iter().map(target).collect())
}

/// Changes `product`, or the next version of it that somebody else stores meanwhile.
async fn change(
    context: &Context<'_>,
    product: Product,
    fields: &Fields,
) -> Result<Came, ProductError> {
    let id = product.id;
    let read = std::sync::Mutex::new(Some(product));
    dynamo::change("the product", || async {
        let read = read.lock().ok().and_then(|mut read| read.take());
        let product = match read {
            Some(product) => product,
            None => context
                .products
                .get(id)
                .await?
                .ok_or(ProductError::NotFound)?,
        };
        let patch = body::read_object(identified(fields, &product), |body| {
            patch(body, context.currency)
        });
        let patch = match patch {
            Ok(patch) => patch,
            Err(faults) => return Ok(Attempt::Done(Came::Faults(faults))),
        };
        let Some(next) = rules::update(&product, patch, &IfMatch::Any, context.now)? else {
            return Ok(Attempt::Done(Came::Same));
        };
        context.replace(&product, next).await
    })
    .await
}

/// Returns `fields` with the identifiers of the variants that `product` has.
fn identified(fields: &Fields, product: &Product) -> Fields {
    let mut fields = fields.clone();
    fields.remove("id");
    let variants = fields.get_mut("variants").and_then(Value::as_array_mut);
    let variants = variants
        .into_iter()
        .flatten()
        .filter_map(Value::as_object_mut);
    for variant in variants.filter(|variant| !variant.contains_key("id")) {
        let sku: Option<Sku> = text(variant, "sku");
        let with_sku = product
            .variants
            .iter()
            .find(|known| sku.as_ref() == Some(&known.sku()));
        let known = with_sku.or_else(|| {
            let values: BTreeMap<String, String> =
                serde_json::from_value(variant.get("options")?.clone()).ok()?;
            product
                .variants
                .iter()
                .find(|known| known.options == values)
        });
        if let Some(known) = known {
            variant.insert("id".to_owned(), Value::String(known.id.to_string()));
        }
    }
    fields
}

/// Creates the product of a row, or changes the one that another import has created meanwhile.
async fn create_or_change(
    context: &Context<'_>,
    names: &Names,
    fields: &Fields,
) -> Result<Came, ProductError> {
    let error = match create(context, names, fields).await {
        Err(error @ ProductError::KeyReused) => error,
        Err(ProductError::Variant(error)) if error.fault == VariantFault::SkuTaken => error.into(),
        created => return created,
    };
    let target = targets(context, std::slice::from_ref(names)).await?.pop();
    match target {
        Some(Ok(Some(id))) => match context.products.get(id).await? {
            Some(product) => change(context, product, fields).await,
            None => Err(error),
        },
        Some(Ok(None)) | None => Err(error),
        Some(Err(came)) => Ok(came),
    }
}

/// Creates the product of a row.
async fn create(
    context: &Context<'_>,
    names: &Names,
    fields: &Fields,
) -> Result<Came, ProductError> {
    let mut fields = fields.clone();
    fields.remove("id");
    let variants = fields.get_mut("variants").and_then(Value::as_array_mut);
    for variant in variants
        .into_iter()
        .flatten()
        .filter_map(Value::as_object_mut)
    {
        variant.remove("id");
    }
    let draft = match body::read_object(fields, |body| draft(body, context.currency)) {
        Ok(draft) => draft,
        Err(faults) => return Ok(Came::Faults(faults)),
    };
    let id = names.id.unwrap_or_else(|| ProductId::fresh(context.now));
    let product = rules::create(id, draft, None, context.now)?;
    if !context.dry_run {
        let (_, is_there) = context.products.create(product).await?;
        if is_there {
            return Err(ProductError::KeyReused);
        }
    }
    Ok(Came::Changed)
}
