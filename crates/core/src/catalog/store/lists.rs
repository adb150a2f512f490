//! Lists of products.
//!
//! There is an index for each way in which products are listed: those of one status (`by-status`) and those of one status
//! in one category (`in-category`), each sorted by `position`, by `name_position` (`-name`) and by `price_position`
//! (`-price`). The few keys of `by-status` are split into shards, so that no single key takes all the writes.
//!
//! The indexes of the newest hold whole products, which costs least to read. The others hold places only, so that what
//! changes a product and not its place costs no write of them; the products are read from the table.

use std::collections::{BTreeSet, HashMap};

use crate::aws::dynamo::{self, Query, SortKey, StoreError};
use crate::catalog::filter::Filter;
use crate::catalog::item::{PlaceItem, ProductItem, SHARDS, shard_key};
use crate::catalog::model::{Category, Product, Status};
use crate::catalog::sort::Sort;
use crate::http::page::{Page, PageRequest};
use crate::values::id::ProductId;

use super::{ProductStore, key};

/// After so many pieces of a list, a page is returned even if it is not full.
const MOST_PIECES: usize = 5;

/// The most products of a piece of a list that are looked at.
const MOST_OF_PIECE: usize = 100;

/// A product in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its place in the list.
    pub position: String,
    /// The product.
    pub product: Product,
}

/// Returns what the names of the indexes of `sort` end with, and the attribute by which they are sorted.
fn index_of(sort: Sort) -> (&'static str, &'static str) {
    match sort {
        Sort::Newest => ("", "position"),
        Sort::Name => ("-name", "name_position"),
        Sort::Price | Sort::HighestPrice => ("-price", "price_position"),
    }
}

/// Which products a list has, and in which order.
#[derive(Clone, Debug)]
pub struct List {
    /// Those in one of these categories; all, if there are none.
    pub categories: Option<BTreeSet<Category>>,
    /// Those of this status.
    pub status: Status,
    /// Those with these attributes.
    pub filter: Filter,
    /// Their order.
    pub sort: Sort,
}

impl ProductStore {
    /// Returns a page of `list`. A page of a list with a filter may have fewer products than its limit and still be followed
    /// by another page, if few of very many products pass the filter.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list(&self, list: &List, page: &PageRequest) -> Result<Page<Listed>, StoreError> {
        let mut found = Vec::new();
        let mut at = page.clone();
        for _ in 0..MOST_PIECES {
            let piece = self.piece(list, &at).await?;
            let items = piece.items.into_iter();
            found.extend(items.filter(|listed| list.filter.matches(&listed.product)));
            at.after = piece.next;
            if found.len() >= page.limit || at.after.is_none() {
                break;
            }
            at.limit = (2 * at.limit).min(MOST_OF_PIECE);
        }
        if found.len() > page.limit {
            return Ok(Page::cut(found, page.limit, |listed| {
                listed.position.clone()
            }));
        }
        Ok(Page {
            items: found,
            next: at.after,
        })
    }

    /// Returns a page of `list` without its filter.
    async fn piece(&self, list: &List, page: &PageRequest) -> Result<Page<Listed>, StoreError> {
        let queries = self.queries(list, page.after.as_deref());
        let (most, descending) = (page.limit + 1, list.sort.descending());
        match list.sort {
            Sort::Newest => {
                let position = |item: &ProductItem| item.position.clone();
                let items = dynamo::merged(queries, most, descending, position).await?;
                let page = Page::cut(items, page.limit, position);
                Ok(page.map(|item| Listed {
                    position: position(&item),
                    product: item.into(),
                }))
            }
            Sort::Name | Sort::Price | Sort::HighestPrice => {
                let position = PlaceItem::position;
                let places = dynamo::merged(queries, most, descending, position).await?;
                let page = Page::cut(places, page.limit, position);
                self.at_places(page, list.status).await
            }
        }
    }

    /// Returns the queries that together find the products of `list`, from after `after` on.
    fn queries(&self, list: &List, after: Option<&str>) -> Vec<Query> {
        let (suffix, attribute) = index_of(list.sort);
        let order = SortKey {
            attribute,
            descending: list.sort.descending(),
        };
        let Some(categories) = &list.categories else {
            let index = format!("by-status{suffix}");
            let shards = (0..SHARDS).map(|shard| {
                let key = [("status_shard", shard_key(list.status, shard))];
                self.table.sorted(&index, &key, order, after)
            });
            return shards.collect();
        };
        let index = format!("in-category{suffix}");
        let status = list.status.to_string();
        let categories = categories.iter().map(|category| {
            let key = [
                ("category", category.to_string()),
                ("status", status.clone()),
            ];
            self.table.sorted(&index, &key, order, after)
        });
        categories.collect()
    }

    /// Returns the products at `places`. One that does not have `status` any more is left out.
    async fn at_places(
        &self,
        places: Page<PlaceItem>,
        status: Status,
    ) -> Result<Page<Listed>, StoreError> {
        let keys = places.items.iter().map(|place| key(place.product_id));
        let items: Vec<ProductItem> = self.table.get_many(keys.collect(), false).await?;
        let products = items.into_iter().map(Product::from);
        let mut products: HashMap<ProductId, Product> =
            products.map(|product| (product.id, product)).collect();
        let listed = places.items.iter().filter_map(|place| {
            let product = products.remove(&place.product_id);
            let product = product.filter(|product| product.status == status)?;
            let position = place.position();
            Some(Listed { position, product })
        });
        Ok(Page {
            items: listed.collect(),
            next: places.next,
        })
    }
}
