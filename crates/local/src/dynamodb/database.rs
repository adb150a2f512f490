//! The engine's file: one `SQLite` database, and DynamoDB's JSON in and out.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use dynoxide::actions::get_item::GetItemRequest;
use dynoxide::actions::transact_write_items::TransactWriteItemsRequest;
use dynoxide::actions::{self, vector_lifecycle::VectorIndexLifecycle};
use dynoxide::storage::Storage;
use dynoxide::{DynoxideError, Item};
use futures::FutureExt;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::aws::AwsError;
use crate::clock::Clock;

/// The response to an operation.
#[derive(Debug, Default)]
pub(super) struct Answer {
    /// Its JSON, without `ConsumedCapacity`.
    pub(super) body: Bytes,
    /// `ConsumedCapacity`, if the request asks for it.
    pub(super) consumed: Option<Value>,
}

impl Answer {
    /// The JSON, to be read or changed.
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// One connection to the file.
pub(super) struct Database {
    pub(super) storage: Storage,
    vectors: VectorIndexLifecycle,
}

/// The response to an operation that consumes capacity: each has a response of its own type, with the
/// same field.
macro_rules! metered {
    ($result:expr) => {{
        let mut result = outcome($result)?;
        let consumed = take_consumed(&mut result.consumed_capacity);
        answer(&result, consumed)
    }};
}

impl Database {
    /// Opens the file at `path` with the runner's time.
    pub(super) fn open(path: &Path, clock: &Clock) -> Result<Self, DynoxideError> {
        let clock = Arc::new(EngineClock(clock.clone()));
        Ok(Self {
            storage: Storage::new(&path.to_string_lossy())?.with_clock(clock),
            vectors: VectorIndexLifecycle::new(),
        })
    }

    /// Carries out one operation on this file.
    pub(super) fn call(&self, operation: &str, body: &Value) -> Result<Answer, AwsError> {
        let storage = &self.storage;
        match operation {
            "DeleteTable" => without_capacity(actions::delete_table::execute(
                storage,
                request(body)?,
                &self.vectors,
            )),
            "DescribeTable" => without_capacity(actions::describe_table::execute(
                storage,
                request(body)?,
                &self.vectors,
            )),
            "CreateTable" => {
                without_capacity(actions::create_table::execute(storage, request(body)?))
            }
            "UpdateTimeToLive" => without_capacity(actions::update_time_to_live::execute(
                storage,
                request(body)?,
            )),
            "PutItem" => metered!(actions::put_item::execute(storage, request(body)?)),
            "UpdateItem" => metered!(actions::update_item::execute(storage, request(body)?)),
            "DeleteItem" => metered!(actions::delete_item::execute(storage, request(body)?)),
            "BatchWriteItem" => {
                metered!(actions::batch_write_item::execute(storage, request(body)?))
            }
            "TransactWriteItems" => self.transact_write(request(body)?),
            read => self.read(read, body),
        }
    }

    /// Carries out a transaction.
    pub(super) fn transact_write(
        &self,
        request: TransactWriteItemsRequest,
    ) -> Result<Answer, AwsError> {
        metered!(actions::transact_write_items::execute(
            &self.storage,
            request
        ))
    }

    /// The size of the item with this key in bytes, as DynamoDB counts them; 0 if there is none.
    pub(super) fn item_size(&self, table: &str, key: Item) -> usize {
        let request = GetItemRequest {
            table_name: table.to_owned(),
            key,
            consistent_read: Some(true),
            ..GetItemRequest::default()
        };
        let found = outcome(actions::get_item::execute(&self.storage, request));
        let item = found.ok().and_then(|found| found.item);
        item.map_or(0, |item| dynoxide::types::item_size(&item))
    }

    /// Carries out an operation that writes nothing.
    pub(super) fn read(&self, operation: &str, body: &Value) -> Result<Answer, AwsError> {
        let storage = &self.storage;
        match operation {
            "GetItem" => metered!(actions::get_item::execute(storage, request(body)?)),
            "Query" => metered!(actions::query::execute(storage, request(body)?)),
            "Scan" => metered!(actions::scan::execute(storage, request(body)?)),
            "BatchGetItem" => metered!(actions::batch_get_item::execute(storage, request(body)?)),
            "TransactGetItems" => metered!(actions::transact_get_items::execute(
                storage,
                request(body)?,
            )),
            "ListTables" => {
                without_capacity(actions::list_tables::execute(storage, request(body)?))
            }
            "DescribeTimeToLive" => without_capacity(actions::describe_time_to_live::execute(
                storage,
                request(body)?,
            )),
            other => Err(AwsError::unknown_operation("dynamodb", other)),
        }
    }
}

/// Reads a request of the engine.
pub(super) fn request<T: DeserializeOwned>(body: &Value) -> Result<T, AwsError> {
    // Through text, because the engine's own readers borrow from it.
    serde_json::from_str(&body.to_string()).map_err(|error| {
        // The engine marks its messages with the kind of error that they are.
        let message = error.to_string();
        let kinds = [
            ("VALIDATION_REQUEST:", "ValidationException"),
            ("VALIDATION_AS_READ:", "ValidationException"),
            ("VALIDATION:", "ValidationException"),
            ("SERIALIZATION_AS_READ:", "SerializationException"),
            ("SERIALIZATION:", "SerializationException"),
        ];
        for (mark, code) in kinds {
            if let Some(rest) = message.strip_prefix(mark) {
                let rest = rest.rsplit_once(" at line ").map_or(rest, |(text, _)| text);
                return AwsError::client(code, rest);
            }
        }
        // Another JSON type than the parameter's; what is missing, null or unknown is invalid only.
        let other_type = message.starts_with("invalid type: ") || message.starts_with("expected ");
        if other_type && !message.starts_with("invalid type: null") {
            return AwsError::client("SerializationException", message);
        }
        AwsError::validation(message)
    })
}

/// The response to an operation that consumes no capacity.
fn without_capacity<T: Serialize>(
    result: impl Future<Output = Result<T, DynoxideError>>,
) -> Result<Answer, AwsError> {
    answer(&outcome(result)?, None)
}

fn answer(result: &impl Serialize, consumed: Option<Value>) -> Result<Answer, AwsError> {
    let body = serde_json::to_vec(result).map_err(|error| AwsError::internal(error.to_string()))?;
    Ok(Answer {
        body: body.into(),
        consumed,
    })
}

/// Takes `ConsumedCapacity`, one or a list, out of a response.
fn take_consumed(capacity: &mut Option<impl Serialize>) -> Option<Value> {
    serde_json::to_value(capacity.take()?).ok()
}

/// The outcome of one of the engine's futures, none of which ever waits.
pub(super) fn outcome<T>(
    result: impl Future<Output = Result<T, DynoxideError>>,
) -> Result<T, AwsError> {
    match result.now_or_never() {
        Some(Ok(value)) => Ok(value),
        Some(Err(error)) => Err(aws_error(&error)),
        None => Err(AwsError::internal("the engine waits for something")),
    }
}

fn aws_error(error: &DynoxideError) -> AwsError {
    let mut fields: Map<String, Value> = serde_json::from_str(&error.to_json()).unwrap_or_default();
    let message = error.to_string();
    let kind = error.error_type();
    fields.retain(|name, _| !matches!(name.as_str(), "__type" | "message" | "Message"));
    AwsError {
        status: error.status_code(),
        code: kind
            .rsplit_once('#')
            .map_or(kind, |(_, code)| code)
            .to_owned(),
        message,
        fields,
    }
}

/// The runner's time, as the engine asks for it.
struct EngineClock(Clock);

#[expect(
    clippy::disallowed_types,
    reason = "the engine's trait asks for seconds like this"
)]
impl dynoxide::storage_backend::Clock for EngineClock {
    fn now_unix_secs(&self) -> u64 {
        u64::try_from(self.0.now().as_second()).unwrap_or(0)
    }

    fn now_unix_secs_f64(&self) -> f64 {
        self.0.now().as_duration().as_secs_f64()
    }
}
