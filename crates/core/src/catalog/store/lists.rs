//! Lists of products.
//!
//! There is an index for each way in which products are listed: those of one status (`by-status`) and those of one status
//! in one category (`in-category`), each sorted by `position`, by `name_position` (`-name`) and by `price_position`
//! (`-price`). The few keys of `by-status` are split into shards, so that no single key takes all the writes.
//!
//! The indexes of the newest hold whole products, which costs least to read. The others hold places only, so that what
//! changes a product and not its place costs no write of them; the products are read from the table.

use std::collections::BTreeSet;

use crate::aws::dynamo::{self, Query, SortKey, StoreError, Table};
use crate::catalog::filter::Filter;
use crate::catalog::item::{PlaceItem, ProductItem, SHARDS, shard_key};
use crate::catalog::model::{Category, Product, Status};
use crate::catalog::sort::Sort;
use crate::http::page::{Page, PageRequest};
use crate::values::id::ProductId;

use super::ProductStore;

/// After so many pieces of a list, a page is returned even if it is not full.
const MOST_PIECES: usize = 5;

/// The most products of a piece of a list that are looked at.
const MOST_OF_PIECE: usize = 100;

/// Where a product is in a list.
struct Place {
    position: String,
    product_id: ProductId,
}

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

/// Where the products of a list come from.
#[derive(Clone, Debug)]
pub enum Of {
    /// All products.
    All,
    /// One of these categories.
    Categories(BTreeSet<Category>),
    /// A set of entries, which has this name in this table.
    Entries(Table, String),
    /// These products, a few hundred at most, in this order, whatever the list is sorted by.
    Chosen(Vec<ProductId>),
}

/// Which products a list has, and in which order.
#[derive(Clone, Debug)]
pub struct List {
    /// Those of these.
    pub of: Of,
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
            let piece = self.piece_of(list, &at).await?;
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
    async fn piece_of(&self, list: &List, page: &PageRequest) -> Result<Page<Listed>, StoreError> {
        let (most, descending) = (page.limit + 1, list.sort.descending());
        let queries = match (&list.of, list.sort) {
            (Of::Chosen(ids), _) => return self.at_places(chosen(ids, page), list.status).await,
            (Of::All | Of::Categories(_), Sort::Newest) => {
                let position = |item: &ProductItem| item.position.clone();
                let queries = self.queries(list, page.after.as_deref());
                let items = dynamo::merged(queries, most, descending, position).await?;
                let page = Page::cut(items, page.limit, position);
                return Ok(page.map(|item| Listed {
                    position: position(&item),
                    product: item.into(),
                }));
            }
            (Of::All | Of::Categories(_) | Of::Entries(..), _) => {
                self.queries(list, page.after.as_deref())
            }
        };
        let position = PlaceItem::position;
        let places = dynamo::merged(queries, most, descending, position).await?;
        let page = Page::cut(places, page.limit, position);
        let places = page.map(|place| Place {
            position: place.position(),
            product_id: place.product_id,
        });
        self.at_places(places, list.status).await
    }

    /// Returns the queries that together find the products of `list`, from after `after` on.
    fn queries(&self, list: &List, after: Option<&str>) -> Vec<Query> {
        let (suffix, attribute) = index_of(list.sort);
        let order = SortKey {
            attribute,
            descending: list.sort.descending(),
        };
        let status = list.status.to_string();
        match &list.of {
            Of::All => {
                let index = format!("by-status{suffix}");
                let shards = (0..SHARDS).map(|shard| {
                    let key = [("status_shard", shard_key(list.status, shard))];
                    self.table.sorted(&index, &key, order, after)
                });
                shards.collect()
            }
            Of::Categories(categories) => {
                let index = format!("in-category{suffix}");
                let categories = categories.iter().map(|category| {
                    let category = category.to_string();
                    let key = [("category", category), ("status", status.clone())];
                    self.table.sorted(&index, &key, order, after)
                });
                categories.collect()
            }
            Of::Entries(table, name) => {
                let index = match list.sort {
                    Sort::Newest => "by-age",
                    Sort::Name => "by-name",
                    Sort::Price | Sort::HighestPrice => "by-price",
                };
                vec![table.sorted(index, &[("list", name.clone())], order, after)]
            }
            Of::Chosen(_) => Vec::new(),
        }
    }

    /// Returns the products at `places`. One that does not have `status` any more is left out.
    async fn at_places(
        &self,
        places: Page<Place>,
        status: Status,
    ) -> Result<Page<Listed>, StoreError> {
        let ids = places.items.iter().map(|place| place.product_id);
        let mut products = self.get_many_eventually(ids).await?;
        let listed = places.items.iter().filter_map(|place| {
            let product = products.remove(&place.product_id);
            let product = product.filter(|product| product.status == status)?;
            let position = place.position.clone();
            Some(Listed { position, product })
        });
        Ok(Page {
            items: listed.collect(),
            next: places.next,
        })
    }
}

/// Returns a page of products that were chosen by hand. Their positions are `<place>#<product_id>`.
fn chosen(ids: &[ProductId], page: &PageRequest) -> Page<Place> {
    let from = page.after.as_deref().map_or(0, |after| {
        let (place, id) = after.split_once('#').unwrap_or_default();
        // After this product, or, if it is not there any more, with the one that has taken its place.
        let found = ids.iter().position(|known| known.to_string() == id);
        found.map_or_else(|| place.parse().unwrap_or(ids.len()), |found| found + 1)
    });
    let places = ids.iter().enumerate().skip(from).map(|(place, id)| Place {
        position: format!("{place}#{id}"),
        product_id: *id,
    });
    let places = places.take(page.limit + 1).collect();
    Page::cut(places, page.limit, |place: &Place| place.position.clone())
}
