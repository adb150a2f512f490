//! Products come into collections by rule and leave them as they change, from the stream of their table.
//!
//! The changes of one product come in their order, so that the last one decides at the end. What is delivered again is
//! decided again, in the same order.

use crate::aws::dynamo::StoreError;
use crate::aws::telemetry;
use crate::catalog::item::ProductItem;
use crate::catalog::model::Product;
use crate::runtime::Error;
use crate::screening::cel::Expression;
use crate::values::money::Currency;
use crate::values::stream::{StreamBatch, StreamRecord, StreamResponse};

use super::entries::{Entry, EntryStore, belongs};
use super::store::CollectionStore;

/// How a product changed.
struct Change<'a> {
    /// Where the batch goes on if this change cannot be followed.
    sequence_number: &'a str,
    before: Option<Product>,
    after: Product,
}

/// A rule, and the set of entries that belongs to it.
struct Rule {
    list: String,
    expression: Expression,
}

/// Brings the products that changed in `batch` into the collections whose rule holds for them now, and out of the others.
///
/// # Errors
/// A batch never fails as a whole: from where it has to be delivered again is named in the response.
pub async fn follow_collections(
    collections: &CollectionStore,
    entries: &EntryStore,
    currency: Currency,
    batch: StreamBatch,
) -> Result<StreamResponse, Error> {
    let changes = changes(&batch.records);
    let Some(first) = changes.first() else {
        return Ok(StreamResponse::all_done());
    };
    let rules = match rules(collections, currency).await {
        Ok(rules) => rules,
        Err(error) => return Ok(left(first, &error)),
    };
    for change in &changes {
        for rule in &rules {
            if let Err(error) = follow(entries, rule, change).await {
                return Ok(left(change, &error));
            }
        }
    }
    Ok(StreamResponse::all_done())
}

/// Logs `error`, and returns that the batch has to be delivered again from `change` on.
fn left(change: &Change<'_>, error: &StoreError) -> StreamResponse {
    let (sequence_number, error) = (change.sequence_number, telemetry::chain(error));
    tracing::error!(product.id = %change.after.id, sequence_number, error, "collections not followed");
    StreamResponse::retry_from(sequence_number)
}

/// Returns the rules, read after the changes were: what changed before a rule was there is found by those who go through all
/// products for it. A rule that does not compile, as after a change of the shop's currency, is passed over.
async fn rules(collections: &CollectionStore, currency: Currency) -> Result<Vec<Rule>, StoreError> {
    let collections = collections.get().await?;
    let rules = collections.rules().filter_map(|(list, chosen)| {
        let expression = Expression::compile_listed(&chosen.rule, currency).ok()?;
        Some(Rule { list, expression })
    });
    Ok(rules.collect())
}

/// Returns the changes of products, each by itself: a product may have been in a collection between two of them, and have
/// been put there while its set was made.
fn changes(records: &[StreamRecord]) -> Vec<Change<'_>> {
    let changes = records.iter().filter_map(|record| {
        Some(Change {
            sequence_number: record.sequence_number(),
            before: product(record.old_image()),
            after: product(record.new_image())?,
        })
    });
    changes.collect()
}

/// Returns the product that `image` is, or `None` if it is something else.
fn product(image: Option<&serde_dynamo::Item>) -> Option<Product> {
    let item: ProductItem = serde_dynamo::from_item(image?.clone()).ok()?;
    Some(item.into())
}

async fn follow(entries: &EntryStore, rule: &Rule, change: &Change<'_>) -> Result<(), StoreError> {
    let Change { before, after, .. } = change;
    let was_in = before
        .as_ref()
        .filter(|before| belongs(before, &rule.expression));
    if !belongs(after, &rule.expression) {
        return match was_in {
            Some(_) => entries.remove(&rule.list, after.id).await,
            None => Ok(()),
        };
    }
    let is_at_its_place = match was_in {
        Some(before) => Entry::new(before)? == Entry::new(after)?,
        None => false,
    };
    if is_at_its_place {
        return Ok(());
    }
    entries.put(&rule.list, after).await
}
