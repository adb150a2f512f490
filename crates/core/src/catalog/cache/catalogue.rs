//! The catalogue as anyone may read it.

use std::collections::HashMap;
use std::sync::Arc;

use crate::aws::Aws;
use crate::aws::dynamo::StoreError;
use crate::aws::settings::{Setting, SettingError};
use crate::catalog::categories::model::Tree;
use crate::catalog::categories::store::CategoryStore;
use crate::catalog::content::Slug;
use crate::catalog::lookup::{Found, Names};
use crate::catalog::model::Product;
use crate::catalog::store::ProductStore;
use crate::catalog::store::lists::{List, Listed, Of};
use crate::http::page::{Page, PageRequest};
use crate::values::digest::sha256_hex;
use crate::values::id::ProductId;

use super::changes::ChangeLog;
use super::envelope::VERSION;
use super::local::{Asked, Limits, LocalCache, Wanted};
use super::shared::SharedCache;
use super::tag::Tag;

/// The products and the tree of categories, of which some are kept. It can do nothing but read, and what writes or prices
/// does not get it.
#[derive(Clone, Debug)]
pub struct PublicCatalogue {
    products: ProductStore,
    categories: CategoryStore,
    cache: Arc<LocalCache>,
}

impl PublicCatalogue {
    /// Returns the catalogue in the tables that the settings name, with an empty cache.
    ///
    /// # Errors
    /// [`SettingError`] if a setting is missing or not valid.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        let url: String = aws.settings().read(Setting::SharedCacheUrl)?;
        let shared = (!url.is_empty()).then(|| shared(aws, &url)).transpose()?;
        Self::with(aws, Limits::new(aws)?, shared)
    }

    /// Returns the catalogue with a cache within `limits`, and with what processes share.
    ///
    /// # Errors
    /// [`SettingError`] if a setting is missing.
    pub fn with(
        aws: &Aws,
        limits: Limits,
        shared: Option<SharedCache>,
    ) -> Result<Self, SettingError> {
        Ok(Self {
            products: ProductStore::new(aws)?,
            categories: CategoryStore::new(aws)?,
            cache: Arc::new(LocalCache::new(limits, ChangeLog::new(aws)?, shared)),
        })
    }

    /// Returns the product with `id`, or `None` if there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn product(
        &self,
        id: ProductId,
        asked: &Asked,
    ) -> Result<Option<Product>, StoreError> {
        let wanted = Wanted {
            key: format!("product:{id}"),
            tags: vec![Tag::product(id)],
            lifetime: self.cache.limits.product,
            from_index: false,
        };
        let load = || self.products.get(id);
        self.cache.read(&wanted, asked, load).await
    }

    /// Returns the product that has or had the slug, or `None` if there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn with_slug(
        &self,
        slug: &Slug,
        asked: &Asked,
    ) -> Result<Option<Product>, StoreError> {
        let wanted = Wanted {
            key: format!("slug:{slug}"),
            tags: vec![Tag::slug(slug)],
            lifetime: self.cache.limits.product,
            from_index: false,
        };
        let load = || self.products.lead_of(slug);
        match self.cache.read(&wanted, asked, load).await? {
            Some(id) => self.product(id, asked).await,
            None => Ok(None),
        }
    }

    /// Returns the products with `ids` that exist, as they were a moment ago or are now. None of them is kept.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn found(
        &self,
        ids: impl IntoIterator<Item = ProductId>,
    ) -> Result<HashMap<ProductId, Product>, StoreError> {
        self.products.get_many_eventually(ids).await
    }

    /// Returns the tree of categories.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tree(&self, asked: &Asked) -> Result<Tree, StoreError> {
        let wanted = Wanted {
            key: "tree".to_owned(),
            tags: vec![Tag::tree()],
            lifetime: self.cache.limits.category,
            from_index: true,
        };
        let load = || self.categories.get_eventually();
        self.cache.read(&wanted, asked, load).await
    }

    /// Returns a page of `list`. Pages of collections, and of what only admins list, are not kept.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list(
        &self,
        list: &List,
        page: &PageRequest,
        asked: &Asked,
    ) -> Result<Page<Listed>, StoreError> {
        let load = || self.products.list(list, page);
        let tags = match &list.of {
            Of::All => vec![Tag::products()],
            Of::Categories(categories) => categories.iter().map(Tag::category).collect(),
            Of::Entries(..) | Of::Chosen(_) => return load().await,
        };
        if !list.status.is_public() {
            return load().await;
        }
        let wanted = Wanted {
            key: page_key(list, page),
            tags,
            lifetime: self.cache.limits.category,
            from_index: true,
        };
        self.cache.read(&wanted, asked, load).await
    }

    /// Returns how many entries are kept, and how many bytes they have.
    #[cfg(test)]
    pub(super) async fn kept(&self) -> (u64, u64) {
        self.cache.kept().await
    }

    /// Returns a page of what `names` lead to, read from the table.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn look_up(
        &self,
        names: &Names,
        page: &PageRequest,
    ) -> Result<Page<Found>, StoreError> {
        self.products.look_up(names, page).await
    }
}

/// Returns the server at `url`. Shops have different tables, so those that share a server do not meet.
///
/// # Errors
/// [`SettingError`] if `url` is not an address of such a server, or a setting is missing.
fn shared(aws: &Aws, url: &str) -> Result<SharedCache, SettingError> {
    let table: String = aws.settings().read(Setting::ProductsTable)?;
    let prefix = format!("oxcart:{VERSION}:{table}:");
    // The address may have a password.
    let invalid = || SettingError::Invalid(Setting::SharedCacheUrl.name(), "not shown".to_owned());
    SharedCache::new(url, prefix).map_err(|_| invalid())
}

/// Returns the name of a page. What a client may write into it has no bounds, so it is a hash.
fn page_key(list: &List, page: &PageRequest) -> String {
    format!("page:{}", sha256_hex(format!("{list:?} {page:?}")))
}
