//! The item of the table of products that holds the tree of categories.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::aws::Aws;
use crate::aws::dynamo::{Attempt, Key, StoreError, Table, Written};
use crate::aws::settings::{Setting, SettingError};
use crate::catalog::item::fits;
use crate::catalog::model::Category;
use crate::catalog::names::Names;
use crate::values::clock::Time;
use crate::values::event::Stamp;

use super::model::{CategoryError, Node, Tree};

/// The `product_id` of the item, and the aggregate of its events. No product has it: theirs are UUIDs.
pub(in crate::catalog) const TREE: &str = "categories";

/// The version of the stored shape of [`TreeItem`].
const SCHEMA: u32 = 1;

/// The tree as it is stored.
#[derive(Debug, Serialize, Deserialize)]
struct TreeItem {
    /// [`TREE`].
    product_id: String,
    categories: BTreeMap<Category, NodeItem>,
    /// The category that the last event is about.
    changed: Category,
    version: u64,
    schema: u32,
    updated_at: Time,
    event: Stamp,
}

/// A category as it is stored.
#[derive(Debug, Serialize, Deserialize)]
struct NodeItem {
    name: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    translations: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parent: Option<Category>,
    position: u32,
}

impl From<&Node> for NodeItem {
    fn from(node: &Node) -> Self {
        Self {
            name: node.names.name.clone(),
            translations: node.names.translations.clone(),
            parent: node.parent.clone(),
            position: node.position,
        }
    }
}

impl From<NodeItem> for Node {
    fn from(item: NodeItem) -> Self {
        Self {
            names: Names {
                name: item.name,
                translations: item.translations,
            },
            parent: item.parent,
            position: item.position,
        }
    }
}

impl From<TreeItem> for Tree {
    fn from(item: TreeItem) -> Self {
        let nodes = item.categories.into_iter();
        Self {
            nodes: nodes.map(|(id, node)| (id, node.into())).collect(),
            version: item.version,
            updated_at: item.updated_at,
        }
    }
}

/// The tree as caches keep it.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::catalog) struct KeptTree {
    categories: BTreeMap<Category, NodeItem>,
    version: u64,
    updated_at: Time,
}

impl From<&Tree> for KeptTree {
    fn from(tree: &Tree) -> Self {
        let nodes = tree.nodes.iter();
        Self {
            categories: nodes.map(|(id, node)| (id.clone(), node.into())).collect(),
            version: tree.version,
            updated_at: tree.updated_at,
        }
    }
}

impl From<KeptTree> for Tree {
    fn from(tree: KeptTree) -> Self {
        let nodes = tree.categories.into_iter();
        Self {
            nodes: nodes.map(|(id, node)| (id, node.into())).collect(),
            version: tree.version,
            updated_at: tree.updated_at,
        }
    }
}

/// The tree in the table of products.
#[derive(Clone, Debug)]
pub struct CategoryStore {
    table: Table,
}

impl CategoryStore {
    /// Returns the store in the table that the settings name (`PRODUCTS_TABLE`).
    ///
    /// # Errors
    /// [`SettingError`] if a setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        Ok(Self {
            table: Table::new(aws, Setting::ProductsTable)?,
        })
    }

    /// Returns the tree.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get(&self) -> Result<Tree, StoreError> {
        let item: Option<TreeItem> = self.table.get(key()).await?;
        Ok(item.map_or_else(Tree::empty, Tree::from))
    }

    /// Returns the tree as it was a moment ago, at half the cost.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_eventually(&self) -> Result<Tree, StoreError> {
        let item: Option<TreeItem> = self.table.get_eventually(key()).await?;
        Ok(item.map_or_else(Tree::empty, Tree::from))
    }

    /// Stores `tree`, in which the category `changed` differs from the version before, with its event. If another version
    /// is stored, nothing is written.
    ///
    /// # Errors
    /// [`CategoryError::TooLarge`] if DynamoDB could not hold it, and [`CategoryError::Store`].
    pub async fn replace(
        &self,
        tree: &Tree,
        changed: &Category,
        traceparent: Option<String>,
    ) -> Result<Attempt<()>, CategoryError> {
        let is_there = tree.nodes.contains_key(changed);
        let event_type = if is_there {
            "CategoryChanged"
        } else {
            "CategoryRemoved"
        };
        let stamp = Stamp::new(TREE, tree.version, event_type, tree.updated_at);
        let nodes = tree.nodes.iter();
        let item = TreeItem {
            product_id: TREE.to_owned(),
            categories: nodes.map(|(id, node)| (id.clone(), node.into())).collect(),
            changed: changed.clone(),
            version: tree.version,
            schema: SCHEMA,
            updated_at: tree.updated_at,
            event: Stamp {
                traceparent,
                ..stamp
            },
        };
        if !fits(&item)? {
            return Err(CategoryError::TooLarge);
        }
        let write = self.table.put(&item)?;
        let write = match tree.version {
            1 => write.when("attribute_not_exists(product_id)"),
            version => {
                let write = write.when("version = :before");
                write.value(":before", &(version - 1))?
            }
        };
        match self.table.write(write).await? {
            Written::Done => Ok(Attempt::Done(())),
            // Our own write, whose response was lost.
            Written::Refused(_) if self.get().await? == *tree => Ok(Attempt::Done(())),
            Written::Refused(_) => Ok(Attempt::Overtaken),
        }
    }
}

fn key() -> Key {
    Key::new("product_id", TREE)
}
