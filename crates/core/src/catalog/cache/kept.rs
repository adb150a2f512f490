//! How what is kept is written: JSON of the stored shapes, without what only the table needs.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::catalog::categories::model::Tree;
use crate::catalog::categories::store::KeptTree;
use crate::catalog::item::ProductItem;
use crate::catalog::model::Product;
use crate::catalog::store::lists::Listed;
use crate::http::page::Page;
use crate::values::clock::Time;
use crate::values::id::ProductId;

use super::local::Kept;

fn written(value: &impl Serialize) -> Option<Vec<u8>> {
    serde_json::to_vec(value).ok()
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    serde_json::from_slice(bytes).ok()
}

impl Kept for Option<Product> {
    fn write(&self) -> Option<Vec<u8>> {
        let item = self.as_ref().map(ProductItem::without_places);
        written(&item.transpose().ok()?)
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let item: Option<ProductItem> = read(bytes)?;
        Some(item.map(Product::from))
    }

    fn is_nothing(&self) -> bool {
        self.is_none()
    }

    fn changed_at(&self) -> Option<Time> {
        self.as_ref().map(|product| product.updated_at)
    }
}

/// Where a slug leads.
impl Kept for Option<ProductId> {
    fn write(&self) -> Option<Vec<u8>> {
        written(self)
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        read(bytes)
    }

    fn is_nothing(&self) -> bool {
        self.is_none()
    }

    fn changed_at(&self) -> Option<Time> {
        None
    }
}

impl Kept for Tree {
    fn write(&self) -> Option<Vec<u8>> {
        written(&KeptTree::from(self))
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let item: KeptTree = read(bytes)?;
        Some(item.into())
    }

    fn is_nothing(&self) -> bool {
        self.nodes.is_empty()
    }

    fn changed_at(&self) -> Option<Time> {
        Some(self.updated_at)
    }
}

#[derive(Serialize, Deserialize)]
struct PageItem {
    items: Vec<(String, ProductItem)>,
    next: Option<String>,
}

impl Kept for Page<Listed> {
    fn write(&self) -> Option<Vec<u8>> {
        let items = self.items.iter().map(|listed| {
            let item = ProductItem::without_places(&listed.product).ok()?;
            Some((listed.position.clone(), item))
        });
        written(&PageItem {
            items: items.collect::<Option<_>>()?,
            next: self.next.clone(),
        })
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let page: PageItem = read(bytes)?;
        let items = page.items.into_iter();
        let items = items.map(|(position, item)| Listed {
            position,
            product: item.into(),
        });
        Some(Self {
            items: items.collect(),
            next: page.next,
        })
    }

    fn is_nothing(&self) -> bool {
        self.items.is_empty()
    }

    fn changed_at(&self) -> Option<Time> {
        self.items
            .iter()
            .map(|listed| listed.product.updated_at)
            .max()
    }
}
