//! The items of the table of products that hold the collections.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::aws::Aws;
use crate::aws::dynamo::{self, Attempt, Key, StoreError, Table, Write, Written};
use crate::aws::settings::{Setting, SettingError};
use crate::catalog::content::Slug;
use crate::catalog::item::fits;
use crate::catalog::names::Names;
use crate::catalog::sort::Sort;
use crate::values::clock::Time;
use crate::values::event::Stamp;
use crate::values::id::ProductId;

use super::model::{Choice, Chosen, Collection, CollectionError, Collections};

/// The `product_id` of the item, and the aggregate of its events. No product has it: theirs are UUIDs.
pub(in crate::catalog) const COLLECTIONS: &str = "collections";

/// The version of the stored shape of [`CollectionsItem`].
const SCHEMA: u32 = 1;

/// The collections as they are stored.
#[derive(Debug, Serialize, Deserialize)]
struct CollectionsItem {
    /// [`COLLECTIONS`].
    product_id: String,
    collections: BTreeMap<Slug, CollectionItem>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    left: BTreeSet<String>,
    /// The collection that the last event is about.
    changed: Slug,
    version: u64,
    revision: u64,
    schema: u32,
    updated_at: Time,
    event: Stamp,
}

/// A collection as it is stored.
#[derive(Debug, Serialize, Deserialize)]
struct CollectionItem {
    name: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    translations: BTreeMap<String, String>,
    /// Absent if it is by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    chosen: Option<ChosenItem>,
}

/// A rule as it is stored.
#[derive(Debug, Serialize, Deserialize)]
struct ChosenItem {
    rule: String,
    sort: Sort,
    set: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shown: Option<u64>,
}

/// The products of a collection by hand, as they are stored.
#[derive(Debug, Serialize, Deserialize)]
struct ByHandItem {
    /// `collection#<id>`.
    product_id: String,
    products: Vec<ProductId>,
}

impl From<&Collection> for CollectionItem {
    fn from(collection: &Collection) -> Self {
        let chosen = match &collection.choice {
            Choice::Hand => None,
            Choice::Rule(chosen) => Some(ChosenItem {
                rule: chosen.rule.clone(),
                sort: chosen.sort,
                set: chosen.set,
                after: chosen.after.clone(),
                shown: chosen.shown,
            }),
        };
        Self {
            name: collection.names.name.clone(),
            translations: collection.names.translations.clone(),
            chosen,
        }
    }
}

impl From<CollectionItem> for Collection {
    fn from(item: CollectionItem) -> Self {
        let choice = item.chosen.map_or(Choice::Hand, |item| {
            Choice::Rule(Chosen {
                rule: item.rule,
                sort: item.sort,
                set: item.set,
                after: item.after,
                shown: item.shown,
            })
        });
        Self {
            names: Names {
                name: item.name,
                translations: item.translations,
            },
            choice,
        }
    }
}

/// What is stored, with the last event.
struct Stored {
    collections: Collections,
    changed: Slug,
    event: Stamp,
}

impl From<CollectionsItem> for Stored {
    fn from(item: CollectionsItem) -> Self {
        let all = item.collections.into_iter();
        Self {
            collections: Collections {
                all: all
                    .map(|(id, collection)| (id, collection.into()))
                    .collect(),
                left: item.left,
                version: item.version,
                revision: item.revision,
                updated_at: item.updated_at,
            },
            changed: item.changed,
            event: item.event,
        }
    }
}

/// What becomes of the products of a collection by hand when it changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByHand<'a> {
    /// They are these.
    Products(&'a [ProductId]),
    /// It has none, because it is by rule or removed.
    None,
}

/// The collections in the table of products.
#[derive(Clone, Debug)]
pub struct CollectionStore {
    table: Table,
}

impl CollectionStore {
    /// Returns the store in the table that the settings name (`PRODUCTS_TABLE`).
    ///
    /// # Errors
    /// [`SettingError`] if a setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        Ok(Self {
            table: Table::new(aws, Setting::ProductsTable)?,
        })
    }

    /// Returns the collections.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get(&self) -> Result<Collections, StoreError> {
        let stored = self.stored().await?;
        Ok(stored.map_or_else(Collections::none, |stored| stored.collections))
    }

    /// Returns the collections as they were a moment ago, at half the cost.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_eventually(&self) -> Result<Collections, StoreError> {
        let item: Option<CollectionsItem> = self.table.get_eventually(key(COLLECTIONS)).await?;
        Ok(item.map_or_else(Collections::none, |item| Stored::from(item).collections))
    }

    /// Returns the products of the collection `id` by hand, in their order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn by_hand(&self, id: &Slug) -> Result<Vec<ProductId>, StoreError> {
        let item: Option<ByHandItem> = self.table.get(key(&hand_key(id))).await?;
        Ok(item.map_or_else(Vec::new, |item| item.products))
    }

    /// Returns the products of the collection `id` by hand as they were a moment ago, at half the cost.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn by_hand_eventually(&self, id: &Slug) -> Result<Vec<ProductId>, StoreError> {
        let item: Option<ByHandItem> = self.table.get_eventually(key(&hand_key(id))).await?;
        Ok(item.map_or_else(Vec::new, |item| item.products))
    }

    /// Stores `collections`, in which an admin has changed `changed`, with its event and with its products by hand. If
    /// another revision is stored, nothing is written.
    ///
    /// # Errors
    /// [`CollectionError::TooLarge`] if DynamoDB could not hold it, and [`CollectionError::Store`].
    pub async fn replace(
        &self,
        collections: &Collections,
        changed: &Slug,
        by_hand: ByHand<'_>,
        traceparent: Option<String>,
    ) -> Result<Attempt<()>, CollectionError> {
        let is_there = collections.all.contains_key(changed);
        let event_type = if is_there {
            "CollectionChanged"
        } else {
            "CollectionRemoved"
        };
        let stamp = Stamp::new(
            COLLECTIONS,
            collections.version,
            event_type,
            collections.updated_at,
        );
        let event = Stamp {
            traceparent,
            ..stamp
        };
        let write = self.write(collections, changed, event)?;
        let hand_key = hand_key(changed);
        let by_hand = match by_hand {
            ByHand::Products(products) => self.table.put(&ByHandItem {
                product_id: hand_key,
                products: products.to_vec(),
            })?,
            ByHand::None => self.table.delete(key(&hand_key)),
        };
        match self.table.transact(vec![write, by_hand]).await? {
            Written::Done => Ok(Attempt::Done(())),
            // Our own write, whose response was lost.
            Written::Refused(_) if self.get().await? == *collections => Ok(Attempt::Done(())),
            Written::Refused(_) => Ok(Attempt::Overtaken),
        }
    }

    /// Stores what `change` makes of the collections, and returns it, without an event. `None` changes nothing.
    ///
    /// # Errors
    /// [`CollectionError`], also [`StoreError::Busy`] if others keep changing them.
    pub async fn revise(
        &self,
        change: impl Fn(&Collections) -> Option<Collections>,
    ) -> Result<(), CollectionError> {
        dynamo::change("the collections", || async {
            let Some(stored) = self.stored().await? else {
                return Ok(Attempt::Done(()));
            };
            let Some(next) = change(&stored.collections) else {
                return Ok(Attempt::Done(()));
            };
            let write = self.write(&next, &stored.changed, stored.event)?;
            Ok(self.table.write(write).await?.into())
        })
        .await
    }

    async fn stored(&self) -> Result<Option<Stored>, StoreError> {
        let item: Option<CollectionsItem> = self.table.get(key(COLLECTIONS)).await?;
        Ok(item.map(Stored::from))
    }

    /// Returns the write of `collections`, the revision after the stored one.
    fn write(
        &self,
        collections: &Collections,
        changed: &Slug,
        event: Stamp,
    ) -> Result<Write, CollectionError> {
        let all = collections.all.iter();
        let item = CollectionsItem {
            product_id: COLLECTIONS.to_owned(),
            collections: all
                .map(|(id, collection)| (id.clone(), collection.into()))
                .collect(),
            left: collections.left.clone(),
            changed: changed.clone(),
            version: collections.version,
            revision: collections.revision,
            schema: SCHEMA,
            updated_at: collections.updated_at,
            event,
        };
        if !fits(&item)? {
            return Err(CollectionError::TooLarge);
        }
        let write = self.table.put(&item)?;
        Ok(match collections.revision {
            1 => write.when("attribute_not_exists(product_id)"),
            revision => {
                let write = write.when("revision = :before");
                write.value(":before", &(revision - 1))?
            }
        })
    }
}

fn key(id: &str) -> Key {
    Key::new("product_id", id)
}

/// Returns the key of the products of a collection by hand.
fn hand_key(id: &Slug) -> String {
    format!("collection#{id}")
}
