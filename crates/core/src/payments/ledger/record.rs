//! `record-ledger`: writes the entries of the changes that the streams of the tables of payments and of gift cards deliver.
//!
//! Each change is looked at by itself, and an entry is written if it is absent, so it does not matter how often and in
//! which batches changes are delivered. A change that cannot be recorded holds up those behind it, for as long as the
//! stream keeps it, and an alarm looks at its age: entries that are late are better than entries that are missing.

use futures::StreamExt as _;

use super::gift_cards;
use super::model::Entry;
use super::rules;
use super::store::LedgerStore;
use crate::aws::dynamo::StoreError;
use crate::aws::telemetry;
use crate::orders::gift_cards::image::GiftCardImage;
use crate::payments::store::PaymentImage;
use crate::runtime::Error;
use crate::values::money::MoneyError;
use crate::values::stream::{StreamBatch, StreamRecord, StreamResponse};

/// How many changes are recorded at the same time.
const AT_ONCE: usize = 16;

/// Why a change is not in the ledger.
#[derive(Debug, thiserror::Error)]
enum NotRecorded {
    #[error("the item is neither a payment nor of a gift card")]
    Shape(#[from] serde_dynamo::Error),
    #[error("the amounts cannot be compared")]
    Money(#[from] MoneyError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Writes the entries of a batch of changes of payments or of gift cards. Returns the change from which on the batch has to be delivered
/// again.
///
/// # Errors
/// A batch never fails as a whole: what could not be recorded is named in the response.
pub async fn record_ledger(
    ledger: &LedgerStore,
    batch: StreamBatch,
) -> Result<StreamResponse, Error> {
    let made: Vec<_> = batch.records.iter().map(entries).collect();
    let recorded = made.into_iter().map(|made| record(ledger, made));
    let recorded = futures::stream::iter(recorded).buffered(AT_ONCE);
    let recorded: Vec<Result<(), NotRecorded>> = recorded.collect().await;
    let mut changes = batch.records.iter().zip(recorded);
    let first = changes.find_map(|(change, recorded)| Some((change, recorded.err()?)));
    let Some((change, error)) = first else {
        return Ok(StreamResponse::all_done());
    };
    let (sequence_number, error) = (change.sequence_number(), telemetry::chain(&error));
    tracing::error!(sequence_number, error, "change not recorded in the ledger");
    Ok(StreamResponse::retry_from(sequence_number))
}

async fn record(
    ledger: &LedgerStore,
    made: Result<Vec<Entry>, NotRecorded>,
) -> Result<(), NotRecorded> {
    for entry in made? {
        ledger.record(&entry).await?;
    }
    Ok(())
}

/// Returns the entries of `change`. Neither a payment nor anything of a gift card is ever deleted.
fn entries(change: &StreamRecord) -> Result<Vec<Entry>, NotRecorded> {
    let Some(new) = change.new_image() else {
        return Ok(Vec::new());
    };
    if change.key().contains_key("gift_card_id") {
        let new = GiftCardImage::read(new.clone())?;
        let old = change.old_image().cloned().map(GiftCardImage::read);
        return Ok(gift_cards::entries(old.transpose()?.as_ref(), &new)?);
    }
    let new = PaymentImage::read(new.clone())?;
    let old = change.old_image().cloned().map(PaymentImage::read);
    Ok(rules::entries(old.transpose()?.as_ref(), &new)?)
}
