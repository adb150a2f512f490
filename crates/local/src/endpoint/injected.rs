//! How a service responds when a fault makes it fail.

use serde_json::{Map, Value, json};

use crate::aws::AwsError;

/// Each service's refusal under load.
pub(super) fn throttled(service: &str) -> AwsError {
    let message = "Rate exceeded (fault)";
    match service {
        "dynamodb" => AwsError::client("ProvisionedThroughputExceededException", message),
        "sqs" => AwsError::client("RequestThrottled", message),
        "ses" => AwsError {
            status: 429,
            ..AwsError::client("TooManyRequestsException", message)
        },
        "s3" => AwsError {
            status: 503,
            ..AwsError::client("SlowDown", "Please reduce your request rate. (fault)")
        },
        _ => AwsError::client("ThrottlingException", message),
    }
}

/// Each service's own failure.
pub(super) fn failed(service: &str) -> AwsError {
    let error = AwsError::internal("fault");
    match service {
        "s3" => AwsError {
            code: "InternalError".to_owned(),
            ..error
        },
        _ => error,
    }
}

/// A write or transaction of DynamoDB that meets another transaction. In a transaction it is the
/// first item that is met.
pub(super) fn conflict(operation: &str, body: &Value) -> AwsError {
    let message = "Transaction is ongoing for the item";
    if !operation.starts_with("Transact") {
        return AwsError::client("TransactionConflictException", message);
    }
    let items = body["TransactItems"].as_array().map_or(0, Vec::len);
    let reasons: Vec<Value> = (0..items)
        .map(|i| match i {
            0 => json!({"Code": "TransactionConflict", "Message": message}),
            _ => json!({"Code": "None"}),
        })
        .collect();
    let codes: Vec<&str> = reasons
        .iter()
        .filter_map(|reason| reason["Code"].as_str())
        .collect();
    let message = format!(
        "Transaction cancelled, please refer cancellation reasons for specific reasons [{}]",
        codes.join(", ")
    );
    let fields = Map::from_iter([("CancellationReasons".to_owned(), Value::Array(reasons))]);
    AwsError {
        fields,
        ..AwsError::client("TransactionCanceledException", message)
    }
}

/// A batch without its first entry, and what its response says about that.
pub(super) struct Partial {
    /// What is left to be carried out; `None` if nothing is.
    pub(super) rest: Option<Value>,
    omitted: OmittedEntry,
}

enum OmittedEntry {
    Event,
    Message {
        id: Value,
    },
    Item {
        table: String,
        request: Value,
        answer: &'static str,
    },
}

impl Partial {
    /// Takes the first entry out of a batch; `None` if it has none.
    pub(super) fn split(operation: &str, mut body: Value) -> Option<Self> {
        let (omitted, empty) = match operation {
            "PutEvents" | "SendMessageBatch" => {
                let entries = body.get_mut("Entries")?.as_array_mut()?;
                let entry = (!entries.is_empty()).then(|| entries.remove(0))?;
                let omitted = match operation {
                    "PutEvents" => OmittedEntry::Event,
                    _ => OmittedEntry::Message {
                        id: entry["Id"].clone(),
                    },
                };
                (omitted, entries.is_empty())
            }
            "BatchWriteItem" | "BatchGetItem" => {
                let tables = body.get_mut("RequestItems")?.as_object_mut()?;
                let table = tables.keys().next()?.clone();
                let request = tables.get_mut(&table)?;
                let (request, empty, answer) = if operation == "BatchWriteItem" {
                    let writes = request.as_array_mut()?;
                    let write = (!writes.is_empty()).then(|| writes.remove(0))?;
                    (json!([write]), writes.is_empty(), "UnprocessedItems")
                } else {
                    let mut omitted = request.clone();
                    let keys = request.get_mut("Keys")?.as_array_mut()?;
                    let key = (!keys.is_empty()).then(|| keys.remove(0))?;
                    omitted["Keys"] = json!([key]);
                    (omitted, keys.is_empty(), "UnprocessedKeys")
                };
                if empty {
                    tables.remove(&table);
                }
                (
                    OmittedEntry::Item {
                        table,
                        request,
                        answer,
                    },
                    tables.is_empty(),
                )
            }
            _ => return None,
        };
        Some(Self {
            rest: (!empty).then_some(body),
            omitted,
        })
    }

    /// The response to the whole batch, from the response to what was left of it.
    pub(super) fn response(self, rest: Value) -> Value {
        let mut answer = if rest.is_object() { rest } else { json!({}) };
        match self.omitted {
            OmittedEntry::Event => {
                let error = json!({"ErrorCode": "InternalFailure", "ErrorMessage": "fault"});
                let failed = answer["FailedEntryCount"].as_u64().unwrap_or(0) + 1;
                let mut entries = answer["Entries"].as_array().cloned().unwrap_or_default();
                entries.insert(0, error);
                answer["Entries"] = Value::Array(entries);
                answer["FailedEntryCount"] = json!(failed);
            }
            OmittedEntry::Message { id } => {
                let error = json!({
                    "Id": id,
                    "SenderFault": false,
                    "Code": "InternalError",
                    "Message": "fault",
                });
                let mut failed = answer["Failed"].as_array().cloned().unwrap_or_default();
                failed.push(error);
                answer["Failed"] = Value::Array(failed);
                if answer.get("Successful").is_none() {
                    answer["Successful"] = json!([]);
                }
            }
            OmittedEntry::Item {
                table,
                request,
                answer: field,
            } => {
                if answer.get(field).is_none() {
                    answer[field] = json!({});
                }
                if field == "UnprocessedKeys" && answer.get("Responses").is_none() {
                    answer["Responses"] = json!({});
                }
                answer[field][table] = request;
            }
        }
        answer
    }
}
