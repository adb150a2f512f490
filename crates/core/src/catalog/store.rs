//! The table of products.
//!
//! A product is one item, with all its variants. [`lists`] has the indexes.
//!
//! Three kinds of small items lead to products: `sku#<SKU>` and `slug#<slug>` keep these unique and are written in one
//! transaction with the product. That of a slug stays when the product gets another one, so that its old address leads to
//! it. And `variant#<id>` is there for each variant that does not have the identifier of its product. It is written
//! before the product, and never deleted; where the product does not have the variant, it means nothing.

pub mod lists;
pub mod lookup;
pub mod places;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures::future;

use crate::aws::Aws;
use crate::aws::dynamo::{Key, StoreError, Table, Write, Written};
use crate::aws::settings::{Setting, SettingError};
use crate::values::id::{ProductId, VariantId};

use super::content::Slug;
use super::item::{LeadItem, ProductItem, fits, sku_lead, slug_lead, variant_lead, variant_stock};
use super::model::{Product, ProductError};
use super::sku::Sku;
use super::variants::{ShownStock, VariantError, VariantFault};

/// The most writes of a transaction (DynamoDB's quota).
const MOST_WRITES: usize = 100;

/// Returns the key of a product, or of what leads to one.
pub(super) fn key(id: impl ToString) -> Key {
    Key::new("product_id", id)
}

/// Returns whether `stored` is what was written as `product`. The stock of its variants may have changed since.
fn is_written(stored: &Product, product: &Product) -> bool {
    let mut product = product.clone();
    for variant in &mut product.variants {
        let stored = stored.variant(variant.id);
        variant.stock = stored.map_or(variant.stock, |stored| stored.stock);
    }
    *stored == product
}

/// Returns the item of `product`.
///
/// # Errors
/// [`ProductError::TooLarge`] if DynamoDB could not hold it.
fn item(product: &Product) -> Result<ProductItem, ProductError> {
    let item = ProductItem::new(product)?;
    if fits(&item)? {
        Ok(item)
    } else {
        Err(ProductError::TooLarge)
    }
}

/// Returns the SKUs that the variants of `product` were given.
fn skus(product: &Product) -> BTreeSet<Sku> {
    let variants = product.variants.iter();
    variants.filter_map(|variant| variant.sku.clone()).collect()
}

/// Makes `write` depend on the version that is stored being `before`, with the same stock shown.
fn if_stored(write: Write, before: &Product) -> Result<Write, StoreError> {
    let write = write.value(":before", &before.version)?;
    if !before.is_plain() {
        let write = write.when("version = :before AND variant_stock = :stock");
        return write.value(":stock", &variant_stock(before));
    }
    match before.only_variant().and_then(|only| only.stock) {
        Some(stock) => {
            let write = write.when("version = :before AND stock = :stock");
            write.value(":stock", &stock)
        }
        None => Ok(write.when("version = :before AND attribute_not_exists(stock)")),
    }
}

/// Returns the error of the first variant of `product` whose SKU is refused: the first write of a transaction is the
/// product, the next ones are `skus`, and those at the `refused` places are.
fn taken(product: &Product, skus: &[Sku], refused: &[usize]) -> Option<ProductError> {
    let skus = refused.iter().filter_map(|at| skus.get(at.checked_sub(1)?));
    let skus: BTreeSet<&Sku> = skus.collect();
    let mut variants = product.variants.iter();
    let at = variants.position(|variant| {
        let sku = variant.sku.as_ref();
        sku.is_some_and(|sku| skus.contains(sku))
    })?;
    let fault = VariantFault::SkuTaken;
    let at = (!product.is_plain()).then_some(at);
    Some(VariantError { at, fault }.into())
}

/// How the write of a product ended.
enum Saved {
    Done,
    /// Refused, with the error of an SKU that another product has, if that is why.
    Refused(Option<ProductError>),
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

    /// Returns the products with `ids` that exist, as they were a moment ago or are now.
    pub(super) async fn get_many_eventually(
        &self,
        ids: impl IntoIterator<Item = ProductId>,
    ) -> Result<HashMap<ProductId, Product>, StoreError> {
        let keys = ids.into_iter().map(key).collect();
        let items: Vec<ProductItem> = self.table.get_many(keys, false).await?;
        let products = items.into_iter().map(Product::from);
        Ok(products.map(|product| (product.id, product)).collect())
    }

    /// Returns where the items with the keys `leads`, which may occur several times, lead; those that do not exist are left
    /// out.
    async fn leads(
        &self,
        leads: impl IntoIterator<Item = String>,
        consistent: bool,
    ) -> Result<BTreeMap<String, ProductId>, StoreError> {
        let leads: BTreeSet<String> = leads.into_iter().collect();
        let keys = leads.into_iter().map(key).collect();
        let found: Vec<LeadItem> = self.table.get_many(keys, consistent).await?;
        let found = found.into_iter();
        Ok(found.map(|lead| (lead.product_id, lead.leads_to)).collect())
    }

    /// Returns the products that the variants `ids` are of, if these exist: what leads from each, or else the product with the
    /// same identifier. There are at most 100 `ids`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn products_of(
        &self,
        ids: impl IntoIterator<Item = VariantId>,
    ) -> Result<BTreeMap<VariantId, ProductId>, StoreError> {
        let ids: BTreeSet<VariantId> = ids.into_iter().collect();
        let found = self.leads(ids.iter().copied().map(variant_lead), false);
        let found = found.await?;
        let product = |id: VariantId| found.get(&variant_lead(id)).copied();
        let products = ids.into_iter();
        Ok(products
            .map(|id| (id, product(id).unwrap_or(id.as_product())))
            .collect())
    }

    /// Returns the products that have the `skus`. An SKU that is an identifier is that of a variant that was given none, and
    /// may lead to a product that is not there. There are at most 100 `skus` of that kind.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn with_skus(
        &self,
        skus: impl IntoIterator<Item = Sku>,
    ) -> Result<BTreeMap<Sku, ProductId>, StoreError> {
        let skus: BTreeSet<Sku> = skus.into_iter().collect();
        let found = self.leads(skus.iter().map(sku_lead), true).await?;
        let own = self
            .products_of(skus.iter().filter_map(Sku::variant))
            .await?;
        let own = skus
            .iter()
            .filter_map(|sku| Some((sku.clone(), *own.get(&sku.variant()?)?)));
        let given = skus
            .iter()
            .filter_map(|sku| Some((sku.clone(), *found.get(&sku_lead(sku))?)));
        // One that was given comes last, and counts.
        Ok(own.chain(given).collect())
    }

    /// Returns the variants of all products that have one of the `skus`, by SKU; a variant that was given none has its
    /// identifier. There are at most 100 `skus`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn variants_with(
        &self,
        skus: impl IntoIterator<Item = Sku>,
    ) -> Result<BTreeMap<Sku, VariantId>, StoreError> {
        let products = self
            .get_many(self.with_skus(skus).await?.into_values())
            .await?;
        let variants = products.iter().flat_map(|product| &product.variants);
        Ok(variants
            .map(|variant| (variant.sku(), variant.id))
            .collect())
    }

    /// Returns the product that has the variant `id`, or `None` if there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn with_variant(&self, id: VariantId) -> Result<Option<Product>, StoreError> {
        let has_it = |product: &Product| product.variant(id).is_some();
        if let Some(product) = self.get(id.as_product()).await?.filter(has_it) {
            return Ok(Some(product));
        }
        let lead: Option<LeadItem> = self.table.get(key(variant_lead(id))).await?;
        let Some(lead) = lead else {
            return Ok(None);
        };
        Ok(self.get(lead.leads_to).await?.filter(has_it))
    }

    /// Returns the identifier of the product that has or had the slug, or `None` if there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn lead_of(&self, slug: &Slug) -> Result<Option<ProductId>, StoreError> {
        let lead: Option<LeadItem> = self.table.get(key(slug_lead(slug))).await?;
        Ok(lead.map(|lead| lead.leads_to))
    }

    /// Stores the new `product` and returns it with `false`. If the same request has created it before,
    /// returns the stored product with `true`.
    ///
    /// # Errors
    /// [`ProductError::KeyReused`] if another request created a product with this identifier; [`ProductError::Variant`] if
    /// another product has one of the SKUs; [`ProductError::SlugTaken`]; [`ProductError::TooLarge`].
    pub async fn create(&self, product: Product) -> Result<(Product, bool), ProductError> {
        let write = self.table.put(&item(&product)?)?;
        let write = write.when("attribute_not_exists(product_id)");
        let taken = match self.write_with_leads(None, &product, write).await? {
            Saved::Done => return Ok((product, false)),
            Saved::Refused(taken) => taken,
        };
        match self.get(product.id).await? {
            // Our own write, whose response was lost.
            Some(stored) if is_written(&stored, &product) => Ok((stored, false)),
            Some(stored) if stored.request_hash == product.request_hash => Ok((stored, true)),
            Some(_) => Err(ProductError::KeyReused),
            None => Err(taken.unwrap_or(ProductError::KeyReused)),
        }
    }

    /// Replaces `before` by `product`, its next version, and returns `product`.
    ///
    /// # Errors
    /// [`ProductError::Stale`] if another version is stored, and [`ProductError::StockMoved`] if other stock is shown of it:
    /// read again and decide again. Otherwise as [`ProductStore::create`], and [`ProductError::TooManySkus`].
    pub async fn replace(
        &self,
        before: &Product,
        product: Product,
    ) -> Result<Product, ProductError> {
        let write = self.table.put(&item(&product)?)?;
        let write = if_stored(write, before)?;
        let taken = match self.write_with_leads(Some(before), &product, write).await? {
            Saved::Done => return Ok(product),
            Saved::Refused(taken) => taken,
        };
        // The write may have been refused because it was made before and its response was lost.
        let stored = self.get(product.id).await?.ok_or(ProductError::Stale)?;
        if is_written(&stored, &product) {
            Ok(stored)
        } else if stored.version != before.version {
            Err(ProductError::Stale)
        } else if variant_stock(&stored) != variant_stock(before) {
            Err(ProductError::StockMoved)
        } else {
            Err(taken.unwrap_or(ProductError::Stale))
        }
    }

    /// Carries out `write`, which stores `product` in the place of `before`, and with it what leads to it. If it is
    /// refused, nothing leads to it that did not before, but for its variants.
    async fn write_with_leads(
        &self,
        before: Option<&Product>,
        product: &Product,
        write: Write,
    ) -> Result<Saved, ProductError> {
        let (old, new) = (before.map(skus).unwrap_or_default(), skus(product));
        let added: Vec<Sku> = new.difference(&old).cloned().collect();
        let mut writes = vec![write];
        for sku in &added {
            let lead = LeadItem::new(sku_lead(sku), product.id);
            let write = self.table.put(&lead)?;
            writes.push(write.when("attribute_not_exists(product_id)"));
        }
        for sku in old.difference(&new) {
            writes.push(self.table.delete(key(sku_lead(sku))));
        }
        let slug_place = writes.len();
        writes.extend(self.lead_from_slug(before, product)?);
        if writes.len() > MOST_WRITES {
            return Err(ProductError::TooManySkus);
        }
        self.lead_to_variants(before, product).await?;
        let written = match writes.len() {
            1 => self.table.write(writes.remove(0)).await?,
            _ => self.table.transact(writes).await?,
        };
        Ok(match written {
            Written::Done => Saved::Done,
            Written::Refused(refused) if refused.contains(&slug_place) => {
                Saved::Refused(Some(ProductError::SlugTaken))
            }
            Written::Refused(refused) => Saved::Refused(taken(product, &added, &refused)),
        })
    }

    /// Returns the write of what leads from the slug of `product` to it, unless `before` had the same slug.
    fn lead_from_slug(
        &self,
        before: Option<&Product>,
        product: &Product,
    ) -> Result<Option<Write>, StoreError> {
        let old = before.and_then(|before| before.content.slug.as_ref());
        let Some(slug) = product
            .content
            .slug
            .as_ref()
            .filter(|slug| Some(*slug) != old)
        else {
            return Ok(None);
        };
        let write = self
            .table
            .put(&LeadItem::new(slug_lead(slug), product.id))?;
        let write = write.when("attribute_not_exists(product_id) OR leads_to = :product");
        write.value(":product", &product.id).map(Some)
    }

    /// Stores what leads from the new variants of `product` to it.
    async fn lead_to_variants(
        &self,
        before: Option<&Product>,
        product: &Product,
    ) -> Result<(), StoreError> {
        let is_known = |id| before.is_some_and(|before| before.variant(id).is_some());
        let ids = product.variants.iter().map(|variant| variant.id);
        let new = ids.filter(|id| id.as_product() != product.id && !is_known(*id));
        let puts = new.map(|id| {
            let lead = LeadItem::new(variant_lead(id), product.id);
            self.table.put(&lead)
        });
        let puts: Vec<Write> = puts.collect::<Result<_, _>>()?;
        let puts = puts.into_iter().map(|put| self.table.write(put));
        future::try_join_all(puts).await?;
        Ok(())
    }

    /// Shows `stock` of the variant `id` of `product`, which keeps its version. Refused if another version is stored.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn show_stock(
        &self,
        product: &Product,
        id: VariantId,
        stock: ShownStock,
    ) -> Result<Written, StoreError> {
        let key = key(product.id);
        let write = if product.is_plain() {
            self.table.update(key, "SET stock = :stock")
        } else {
            let write = self.table.update(key, "SET variant_stock.#id = :stock");
            write.name("#id", &id.to_string())
        };
        let write = write.value(":stock", &stock)?;
        let write = write.when("version = :version");
        let write = write.value(":version", &product.version)?;
        self.table.write(write).await
    }
}
