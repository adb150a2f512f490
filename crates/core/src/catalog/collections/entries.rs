//! The table of entries: which products are in a collection by rule, sorted as products are listed.
//!
//! Its key is `list` (`<collection>#<set>`) and `product_id`. The local indexes `by-age`, `by-name` and `by-price` sort a set
//! by the places that products have in all lists.

use futures::future;
use serde::{Deserialize, Serialize};

use crate::aws::Aws;
use crate::aws::dynamo::{Key, StoreError, Table, Written};
use crate::aws::settings::{Setting, SettingError};
use crate::catalog::content::Slug;
use crate::catalog::item::position;
use crate::catalog::model::{Product, Status};
use crate::catalog::store::lists::Of;
use crate::catalog::{sort, store};
use crate::screening::cel::Expression;
use crate::screening::product::ProductView;
use crate::screening::view::Facts;
use crate::values::id::ProductId;

use super::model::set_name;

/// A product in a set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    product_id: ProductId,
    position: String,
    name_position: String,
    price_position: String,
}

impl Entry {
    /// Returns the entry of `product`.
    ///
    /// # Errors
    /// [`StoreError`] if it has no variants, which no product does.
    pub(super) fn new(product: &Product) -> Result<Self, StoreError> {
        let lowest = product.lowest(|prices| prices.regular);
        let lowest = lowest.ok_or_else(|| StoreError::unreadable("a product without variants"))?;
        Ok(Self {
            product_id: product.id,
            position: position(product),
            name_position: sort::name_position(&product.name, product.id)?,
            price_position: sort::price_position(lowest, product.id)?,
        })
    }
}

#[derive(Serialize)]
struct EntryItem<'a> {
    list: &'a str,
    #[serde(flatten)]
    entry: &'a Entry,
}

#[derive(Deserialize)]
struct EntryKey {
    product_id: ProductId,
}

/// Returns whether `product` is in a collection by `rule`: it is active, and the rule holds for it. A rule that cannot be
/// evaluated does not hold.
pub(super) fn belongs(product: &Product, rule: &Expression) -> bool {
    let Some(price) = product.lowest(|prices| prices.regular) else {
        return false;
    };
    let attributes = product.attributes.iter();
    let facts = Facts::of_product(ProductView {
        id: product.id,
        name: product.name.clone(),
        brand: product.content.brand.clone(),
        category: product.category.to_string(),
        price,
        shipped: product.shipped,
        created_at: product.created_at,
        tags: product.content.tags.clone(),
        attributes: attributes
            .map(|(name, value)| format!("{name}={value}"))
            .collect(),
    });
    let holds = facts.is_ok_and(|facts| rule.holds(&facts) == Ok(true));
    holds && product.status == Status::Active
}

/// The table of entries, and that of products.
#[derive(Clone, Debug)]
pub struct EntryStore {
    entries: Table,
    products: Table,
}

impl EntryStore {
    /// Returns the tables that the settings name (`COLLECTIONS_TABLE` and `PRODUCTS_TABLE`).
    ///
    /// # Errors
    /// [`SettingError`] if a setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        Ok(Self {
            entries: Table::new(aws, Setting::CollectionsTable)?,
            products: Table::new(aws, Setting::ProductsTable)?,
        })
    }

    /// Returns the products of the set `set` of the collection `id`, for a list.
    #[must_use]
    pub fn list(&self, id: &Slug, set: u64) -> Of {
        Of::Entries(self.entries.clone(), set_name(id, set))
    }

    /// Puts `product` into the set `list`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) async fn put(&self, list: &str, product: &Product) -> Result<(), StoreError> {
        let entry = Entry::new(product)?;
        let write = self.entries.put(&EntryItem {
            list,
            entry: &entry,
        })?;
        self.entries.write(write).await.map(drop)
    }

    /// Puts `product` into the set `list`, unless another version of it is stored by now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) async fn put_current(
        &self,
        list: &str,
        product: &Product,
    ) -> Result<Written, StoreError> {
        let entry = Entry::new(product)?;
        let write = self.entries.put(&EntryItem {
            list,
            entry: &entry,
        })?;
        let check = self.products.check(store::key(product.id));
        let check = check.when("version = :version");
        let check = check.value(":version", &product.version)?;
        self.entries.transact(vec![write, check]).await
    }

    /// Takes the product `id` out of the set `list`, if it is there.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) async fn remove(&self, list: &str, id: ProductId) -> Result<(), StoreError> {
        let write = self.entries.delete(key(list, id));
        self.entries.write(write).await.map(drop)
    }

    /// Takes at most `most` products out of the set `list`. Returns whether it had no more.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) async fn clear(&self, list: &str, most: usize) -> Result<bool, StoreError> {
        let query = self.entries.query("#list = :list").name("#list", "list");
        let found: Vec<EntryKey> = query.value(":list", list).first(most).await?;
        let removals = found
            .iter()
            .map(|entry| self.remove(list, entry.product_id));
        future::try_join_all(removals).await?;
        Ok(found.len() < most)
    }
}

fn key(list: &str, id: ProductId) -> Key {
    Key::new("list", list).and("product_id", id)
}
