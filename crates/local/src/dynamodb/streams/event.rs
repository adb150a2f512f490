//! What a function gets of a stream, what it may return, and what is kept of a batch that failed.

use bytes::Bytes;
use dynoxide::actions::get_records::Record;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::functions::InvokeError;

/// One stream record.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Its position in its table's stream.
    pub(super) position: i64,
    /// When it was written, in seconds since 1970.
    pub(super) created: i64,
    /// Whether the new image differs from the old one.
    pub(super) changes_something: bool,
    /// The record as Lambda hands it to functions, in JSON.
    pub(super) text: String,
    sequence: String,
}

impl Entry {
    /// The engine's record in Lambda's shape.
    pub(super) fn new(position: i64, record: &Record, region: &str, stream_arn: &str) -> Self {
        let mut event = serde_json::to_value(record).unwrap_or_default();
        // Whole seconds; the engine's JSON has them with a fraction that is always zero.
        let created = event["dynamodb"]["ApproximateCreationDateTime"].to_string();
        let created = created
            .split('.')
            .next()
            .and_then(|s| s.parse().ok())
            .unwrap_or(0);
        event["awsRegion"] = json!(region);
        event["eventSourceARN"] = json!(stream_arn);
        event["dynamodb"]["ApproximateCreationDateTime"] = json!(created);
        let images = &event["dynamodb"];
        Self {
            position,
            created,
            changes_something: record.event_name != "MODIFY"
                || images["NewImage"] != images["OldImage"],
            text: event.to_string(),
            sequence: record.dynamodb.sequence_number.clone(),
        }
    }

    fn arrival(&self) -> String {
        Timestamp::from_second(self.created)
            .unwrap_or_default()
            .to_string()
    }
}

/// The function's event.
pub(super) fn payload(entries: &[Entry]) -> Bytes {
    let records: Vec<&str> = entries.iter().map(|entry| entry.text.as_str()).collect();
    format!(r#"{{"Records":[{}]}}"#, records.join(",")).into()
}

/// Why, and from which record on, a batch failed.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    /// The first record that was not carried out.
    pub(super) first: usize,
    /// `Unhandled`, where the function itself failed.
    function_error: Option<&'static str>,
}

impl Failure {
    /// The whole batch failed.
    pub(super) fn all(error: &InvokeError) -> Self {
        let unhandled = match error {
            InvokeError::Function { .. }
            | InvokeError::Timeout { .. }
            | InvokeError::Exited { .. } => Some("Unhandled"),
            InvokeError::Throttled | InvokeError::Unknown(_) => None,
        };
        Self {
            first: 0,
            function_error: unhandled,
        }
    }
}

/// `ReportBatchItemFailures`: what a function returns.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Answer {
    batch_item_failures: Option<Vec<ItemFailure>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ItemFailure {
    item_identifier: Option<String>,
}

/// Reads a partial response: everything before the lowest record that failed was carried out. An
/// identifier that is none of the batch's fails all of it.
///
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html>
pub(super) fn read_failures(answer: &[u8], entries: &[Entry]) -> Result<(), Failure> {
    let failed = |first| Failure {
        first,
        function_error: None,
    };
    if answer.is_empty() || answer == b"null" {
        return Ok(());
    }
    let Ok(answer) = serde_json::from_slice::<Answer>(answer) else {
        // Only an object with a list that is none of failures is a malformed response.
        let value: Value = serde_json::from_slice(answer).unwrap_or_default();
        return if value.get("batchItemFailures").is_some() {
            Err(failed(0))
        } else {
            Ok(())
        };
    };
    let mut lowest: Option<usize> = None;
    for failure in answer.batch_item_failures.unwrap_or_default() {
        let named = failure.item_identifier.unwrap_or_default();
        let at = entries.iter().position(|entry| entry.sequence == named);
        let at = at.ok_or_else(|| failed(0))?;
        lowest = Some(lowest.map_or(at, |lowest| lowest.min(at)));
    }
    lowest.map_or(Ok(()), |first| Err(failed(first)))
}

/// What an invocation record tells besides the records.
pub(super) struct Context<'a> {
    pub(super) function_arn: &'a str,
    pub(super) stream_arn: &'a str,
    pub(super) shard: String,
    pub(super) condition: &'a str,
    pub(super) tries: u32,
    pub(super) now: Timestamp,
    /// Buckets get the records themselves; queues only their positions.
    pub(super) with_payload: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InvocationRecord<'a> {
    request_context: RequestContext<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_context: Option<ResponseContext>,
    version: &'static str,
    timestamp: String,
    #[serde(rename = "DDBStreamBatchInfo")]
    batch: BatchInfo<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext<'a> {
    request_id: Uuid,
    function_arn: &'a str,
    condition: &'a str,
    approximate_invoke_count: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResponseContext {
    status_code: u16,
    executed_version: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    function_error: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BatchInfo<'a> {
    shard_id: &'a str,
    start_sequence_number: &'a str,
    end_sequence_number: &'a str,
    approximate_arrival_of_first_record: String,
    approximate_arrival_of_last_record: String,
    batch_size: usize,
    stream_arn: &'a str,
}

/// The record of a batch that failed for good, as Lambda writes it.
///
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html>
pub(super) fn invocation_record(
    context: &Context<'_>,
    entries: &[Entry],
    failure: Option<&Failure>,
) -> String {
    let sequence = |entry: Option<&'_ Entry>| entry.map(|entry| entry.sequence.clone());
    let (first, last) = (entries.first(), entries.last());
    let (start, end) = (
        sequence(first).unwrap_or_default(),
        sequence(last).unwrap_or_default(),
    );
    let response = |failure: &Failure| ResponseContext {
        status_code: 200,
        executed_version: "$LATEST",
        function_error: failure.function_error,
    };
    let payload = || String::from_utf8_lossy(&payload(entries)).into_owned();
    let record = InvocationRecord {
        request_context: RequestContext {
            request_id: Uuid::new_v4(),
            function_arn: context.function_arn,
            condition: context.condition,
            approximate_invoke_count: context.tries,
        },
        response_context: failure.map(response),
        version: "1.0",
        timestamp: context.now.to_string(),
        batch: BatchInfo {
            shard_id: &context.shard,
            start_sequence_number: &start,
            end_sequence_number: &end,
            approximate_arrival_of_first_record: first.map(Entry::arrival).unwrap_or_default(),
            approximate_arrival_of_last_record: last.map(Entry::arrival).unwrap_or_default(),
            batch_size: entries.len(),
            stream_arn: context.stream_arn,
        },
        payload: context.with_payload.then(payload),
    };
    serde_json::to_string(&record).unwrap_or_default()
}
