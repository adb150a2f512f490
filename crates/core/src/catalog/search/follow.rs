//! Brings changed products into the index.

use std::collections::BTreeSet;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use oxcart_search::{segment, versions};

use super::documents::document;
use super::model::{FORMAT, Manifest};
use super::store::{IndexError, IndexStore};
use crate::aws::Aws;
use crate::aws::settings::SettingError;
use crate::catalog::categories::store::CategoryStore;
use crate::catalog::store::ProductStore;
use crate::runtime::Error;
use crate::values::clock::Time;
use crate::values::event::Delivered;
use crate::values::id::ProductId;

/// The most products that are read at a time.
const READ_AT_ONCE: usize = 100;

/// What the index is written from.
#[derive(Clone, Debug)]
pub struct Sources {
    /// The products.
    pub products: ProductStore,
    /// The tree of categories.
    pub categories: CategoryStore,
    /// The index.
    pub index: IndexStore,
}

/// Brings the products that the events in `batch` are about into the index, as they are now. An event about a category
/// has the index built anew. Returns the messages that have no event; if anything else fails, the whole batch comes again,
/// which does no harm.
///
/// # Errors
/// If the table or the bucket cannot be read or written.
pub async fn index_products(sources: &Sources, batch: SqsEvent) -> Result<SqsBatchResponse, Error> {
    let mut response = SqsBatchResponse::default();
    let mut ids = BTreeSet::new();
    let mut rebuild = false;
    let mut now = Time::from_millis(0);
    for message in batch.records {
        let event = match Delivered::parse(&message.body.unwrap_or_default()) {
            Ok(event) => event,
            Err(error) => {
                let id = message.message_id.unwrap_or_default();
                tracing::error!(message.id = id, %error, "message has no event");
                response.add_failure(id);
                continue;
            }
        };
        now = now.max(event.time);
        match event.detail.aggregate_id.parse::<ProductId>() {
            Ok(id) => {
                ids.insert(id);
            }
            Err(_) => rebuild = true,
        }
    }
    if rebuild {
        let begin = move |manifest: &mut Manifest, _: &_| {
            manifest.rebuild(now);
            Ok(())
        };
        sources.index.change(now, begin).await?;
    }
    let ids: Vec<ProductId> = ids.into_iter().collect();
    sources.index_now(&ids, now).await?;
    Ok(response)
}

/// How many bytes of segments stay in memory. Those that are merged are read as a whole.
const MOST_BYTES: usize = 256 << 20;

impl Sources {
    /// Returns the tables and the bucket that the settings name (`PRODUCTS_TABLE`, `SEARCH_BUCKET`).
    ///
    /// # Errors
    /// [`SettingError`] if a setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        Ok(Self {
            products: ProductStore::new(aws)?,
            categories: CategoryStore::new(aws)?,
            index: IndexStore::new(aws, MOST_BYTES)?,
        })
    }

    /// Writes a segment of the products with `ids`.
    async fn index_now(&self, ids: &[ProductId], now: Time) -> Result<(), IndexError> {
        let tree = self.categories.get().await?;
        let mut documents = Vec::with_capacity(ids.len());
        for ids in ids.chunks(READ_AT_ONCE) {
            let products = self.products.get_many(ids.iter().copied()).await?;
            documents.extend(products.iter().map(|product| document(product, &tree)));
        }
        if documents.is_empty() {
            return Ok(());
        }
        let written = tokio::task::spawn_blocking(|| segment::write(documents)).await??;
        let layout = self.index.put(written).await?;
        let add = move |manifest: &mut Manifest, blocks: &_| {
            if let Some(build) = &mut manifest.build {
                versions::add(blocks, &mut build.parts, layout.clone())?;
            }
            // While the first index is built, there is no other one.
            let is_there = manifest.build.is_none() || !manifest.parts.is_empty();
            if is_there && manifest.format == FORMAT {
                versions::add(blocks, &mut manifest.parts, layout.clone())?;
            }
            Ok(())
        };
        self.index.change(now, add).await
    }
}
