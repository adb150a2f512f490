//! What Lambda passes in for a batch of a table's stream, and what it expects in return: the parts that are
//! used.

use serde::{Deserialize, Serialize};

/// A batch of changes, in the order in which they were made.
#[derive(Clone, Debug, Deserialize)]
pub struct StreamBatch {
    /// The changes.
    #[serde(rename = "Records")]
    pub records: Vec<StreamRecord>,
}

/// One change of one item.
#[derive(Clone, Debug, Deserialize)]
pub struct StreamRecord {
    #[serde(rename = "eventSourceARN")]
    stream_arn: String,
    dynamodb: Change,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Change {
    sequence_number: String,
    keys: serde_dynamo::Item,
    #[serde(default)]
    new_image: Option<serde_dynamo::Item>,
    #[serde(default)]
    old_image: Option<serde_dynamo::Item>,
}

impl StreamRecord {
    /// Returns the table's name, from `arn:aws:dynamodb:<region>:<account>:table/<name>/stream/<label>`. The name of
    /// another ARN is empty.
    #[must_use]
    pub fn table(&self) -> &str {
        let resource = self.stream_arn.splitn(6, ':').nth(5);
        let path = resource.and_then(|resource| resource.strip_prefix("table/"));
        path.and_then(|path| path.split('/').next())
            .unwrap_or_default()
    }

    /// Returns the primary key of the item.
    #[must_use]
    pub fn key(&self) -> &serde_dynamo::Item {
        &self.dynamodb.keys
    }

    /// Returns the change's place in its shard.
    #[must_use]
    pub fn sequence_number(&self) -> &str {
        &self.dynamodb.sequence_number
    }

    /// Returns the item after the change, or `None` if it was removed.
    #[must_use]
    pub fn new_image(&self) -> Option<&serde_dynamo::Item> {
        self.dynamodb.new_image.as_ref()
    }

    /// Returns the item before the change, or `None` if it is new.
    #[must_use]
    pub fn old_image(&self) -> Option<&serde_dynamo::Item> {
        self.dynamodb.old_image.as_ref()
    }
}

/// The response to a batch: from which change on it has to be delivered again
/// (`ReportBatchItemFailures`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StreamResponse {
    batch_item_failures: Vec<BatchItemFailure>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct BatchItemFailure {
    item_identifier: String,
}

impl StreamResponse {
    /// All changes are done with.
    #[must_use]
    pub fn all_done() -> Self {
        Self::default()
    }

    /// The changes before the one at `sequence_number` are done with; that one and all after it have to
    /// be delivered again.
    #[must_use]
    pub fn retry_from(sequence_number: &str) -> Self {
        let failure = BatchItemFailure {
            item_identifier: sequence_number.to_owned(),
        };
        Self {
            batch_item_failures: vec![failure],
        }
    }
}
