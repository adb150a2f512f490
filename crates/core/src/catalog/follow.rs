//! What follows the stream of the table of products: the log of changes, and the collections by rule.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::aws::telemetry;
use crate::runtime::Error;
use crate::values::money::Currency;
use crate::values::stream::{StreamBatch, StreamRecord, StreamResponse};

use super::cache::changes::ChangeLog;
use super::cache::tag::Tag;
use super::categories::store::TREE;
use super::collections::entries::EntryStore;
use super::collections::follow::follow_collections;
use super::collections::store::CollectionStore;
use super::item::ProductItem;
use super::model::Product;

/// Notes in `log` what changed in `batch`, and brings the products that changed into the collections whose rule holds for
/// them now, and out of the others.
///
/// # Errors
/// A batch never fails as a whole: from where it has to be delivered again is named in the response.
pub async fn follow_products(
    log: &ChangeLog,
    collections: &CollectionStore,
    entries: &EntryStore,
    currency: Currency,
    batch: StreamBatch,
) -> Result<StreamResponse, Error> {
    let Some(first) = batch.records.first() else {
        return Ok(StreamResponse::all_done());
    };
    let sequence_number = first.sequence_number();
    let tags: BTreeSet<Tag> = batch.records.iter().flat_map(changed).collect();
    if let Err(error) = log.append(&tags, sequence_number).await {
        let error = telemetry::chain(&error);
        tracing::error!(sequence_number, error, "changes of the catalogue not noted");
        return Ok(StreamResponse::retry_from(sequence_number));
    }
    follow_collections(collections, entries, currency, batch).await
}

/// The key of an item of the table.
#[derive(Deserialize)]
struct ItemKey {
    product_id: String,
}

/// Returns what `record` has changed. A product counts in its category of before and in that of now.
fn changed(record: &StreamRecord) -> Vec<Tag> {
    let key: Option<ItemKey> = serde_dynamo::from_item(record.key().clone()).ok();
    if key.is_some_and(|key| key.product_id == TREE) {
        return vec![Tag::tree()];
    }
    let images = [record.old_image(), record.new_image()];
    let products = images.into_iter().filter_map(product);
    products
        .flat_map(|product| Tag::of(&product).collect::<Vec<_>>())
        .collect()
}

/// Returns the product that `image` is, or `None` if it is something else.
fn product(image: Option<&serde_dynamo::Item>) -> Option<Product> {
    let item: ProductItem = serde_dynamo::from_item(image?.clone()).ok()?;
    Some(item.into())
}
