//! What the operations have in common: finding the queue, limits, and batches.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use crate::aws::AwsError;
use crate::queues::{Queue, Queues};

/// A message may have so many bytes, and all of a batch together (SQS quota since August 2025).
pub(super) const MAX_BYTES: usize = 1024 * 1024;

/// Finds a queue by its URL: the path's last part is its name.
pub(super) fn find<'a>(queues: &'a Queues, url: &str) -> Result<(&'a str, &'a Queue), AwsError> {
    let name = url.rsplit('/').next().unwrap_or_default();
    by_name(queues, name)
}

pub(super) fn by_name<'a>(
    queues: &'a Queues,
    name: &str,
) -> Result<(&'a str, &'a Queue), AwsError> {
    let found = queues
        .inner
        .queues
        .iter()
        .find(|(_, queue)| queue.settings.name == name);
    found
        .map(|(id, queue)| (id.as_str(), queue))
        .ok_or_else(|| AwsError::client("QueueDoesNotExist", "The specified queue does not exist."))
}

pub(super) fn invalid(message: impl Into<String>) -> AwsError {
    AwsError::client("InvalidParameterValue", message)
}

/// Reads a number of seconds that may be at most `max`.
pub(super) fn seconds(
    name: &str,
    value: Option<u64>,
    max: u64,
) -> Result<Option<Duration>, AwsError> {
    match value {
        Some(value) if value > max => Err(invalid(format!(
            "Value {value} for parameter {name} is invalid."
        ))),
        value => Ok(value.map(Duration::from_secs)),
    }
}

/// Checks what all batches have in common: 1 to 10 entries with ids of their own.
pub(super) fn check_batch<'a>(ids: impl ExactSizeIterator<Item = &'a str>) -> Result<(), AwsError> {
    let count = ids.len();
    if count == 0 {
        return Err(AwsError::client(
            "EmptyBatchRequest",
            "There should be at least one entry in the request.",
        ));
    }
    if count > 10 {
        return Err(AwsError::client(
            "TooManyEntriesInBatchRequest",
            "Maximum number of entries per request are 10.",
        ));
    }
    let mut seen = BTreeSet::new();
    for id in ids {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if id.is_empty() || id.len() > 80 || !id.chars().all(allowed) {
            return Err(AwsError::client(
                "InvalidBatchEntryId",
                format!("{id:?} is not a batch entry id."),
            ));
        }
        if !seen.insert(id) {
            return Err(AwsError::client(
                "BatchEntryIdsNotDistinct",
                format!("Id {id} repeated."),
            ));
        }
    }
    Ok(())
}

/// The response to a batch: what was done, and what was not.
pub(super) fn batch_answer(
    outcomes: impl Iterator<Item = (String, Result<Value, AwsError>)>,
) -> Value {
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for (id, outcome) in outcomes {
        match outcome {
            Ok(mut entry) => {
                entry["Id"] = id.into();
                successful.push(entry);
            }
            Err(error) => {
                failed.push(json!({"Id": id, "SenderFault": true, "Code": error.code, "Message": error.message}));
            }
        }
    }
    json!({"Successful": successful, "Failed": failed})
}
