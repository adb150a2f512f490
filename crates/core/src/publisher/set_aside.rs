//! Changes whose event can never be published as things are, kept in a queue until the cause is mended.
//!
//! A message has the key of the item and the stamp of the event, which are free of personal data, and nothing else of
//! what the item contains.

use serde::{Deserialize, Serialize};

use super::rules::Unpublishable;
use crate::values::event::Stamp;
use crate::values::stream::StreamRecord;

/// A change that was set aside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SetAside {
    /// The table's name.
    pub table: String,
    /// The primary key of the item.
    pub key: serde_dynamo::Item,
    /// The stamp of the event, or `None` if it cannot be read.
    pub stamp: Option<Stamp>,
    /// The change's place in its shard of the stream.
    pub sequence_number: String,
    /// Why its event could not be published.
    pub reason: String,
}

impl SetAside {
    /// Returns what is kept of `record`, whose event cannot be published because of `reason`.
    #[must_use]
    pub fn new(record: &StreamRecord, reason: Unpublishable) -> Self {
        let event = record.new_image().and_then(|image| image.get("event"));
        let stamp = event.and_then(|event| serde_dynamo::from_attribute_value(event.clone()).ok());
        Self {
            table: record.table().to_owned(),
            key: record.key().clone(),
            stamp,
            sequence_number: record.sequence_number().to_owned(),
            reason: reason.to_string(),
        }
    }
}
