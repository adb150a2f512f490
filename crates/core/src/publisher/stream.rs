//! What Lambda hands over of a table's stream, and what it is answered: the parts that are used.

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
    #[serde(default)]
    new_image: Option<serde_dynamo::Item>,
    #[serde(default)]
    old_image: Option<serde_dynamo::Item>,
}

impl StreamRecord {
    /// The table's name: of `arn:aws:dynamodb:<region>:<account>:table/<name>/stream/<label>`.
    #[must_use]
    pub fn table(&self) -> Option<&str> {
        let resource = self.stream_arn.splitn(6, ':').nth(5)?;
        resource.strip_prefix("table/")?.split('/').next()
    }

    /// The change's place in its shard.
    #[must_use]
    pub fn sequence_number(&self) -> &str {
        &self.dynamodb.sequence_number
    }

    /// The item after the change; `None` if it was removed.
    #[must_use]
    pub fn new_image(&self) -> Option<&serde_dynamo::Item> {
        self.dynamodb.new_image.as_ref()
    }

    /// The item before the change; `None` if there was none.
    #[must_use]
    pub fn old_image(&self) -> Option<&serde_dynamo::Item> {
        self.dynamodb.old_image.as_ref()
    }
}

/// The answer to a batch: from which change on it must come again (`ReportBatchItemFailures`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StreamAnswer {
    batch_item_failures: Vec<BatchItemFailure>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct BatchItemFailure {
    item_identifier: String,
}

impl StreamAnswer {
    /// All changes are dealt with.
    #[must_use]
    pub fn done() -> Self {
        Self::default()
    }

    /// The changes before the one at `sequence_number` are dealt with; that one and all after it
    /// must come again.
    #[must_use]
    pub fn again_from(sequence_number: &str) -> Self {
        let failure = BatchItemFailure {
            item_identifier: sequence_number.to_owned(),
        };
        Self {
            batch_item_failures: vec![failure],
        }
    }
}
