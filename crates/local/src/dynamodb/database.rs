//! The engine's file: one `SQLite` database, and DynamoDB's JSON in and out.

use std::path::Path;
use std::sync::Arc;

use dynoxide::DynoxideError;
use dynoxide::actions::{self, vector_lifecycle::VectorIndexLifecycle};
use dynoxide::storage::Storage;
use futures::FutureExt;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::aws::AwsError;
use crate::clock::Clock;

/// One connection to the file.
pub(super) struct Database {
    pub(super) storage: Storage,
    vectors: VectorIndexLifecycle,
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
    pub(super) fn call(&self, operation: &str, body: Value) -> Result<Value, AwsError> {
        let storage = &self.storage;
        match operation {
            "DeleteTable" => answer(actions::delete_table::execute(
                storage,
                request(body)?,
                &self.vectors,
            )),
            "DescribeTable" => answer(actions::describe_table::execute(
                storage,
                request(body)?,
                &self.vectors,
            )),
            "CreateTable" => answer(actions::create_table::execute(storage, request(body)?)),
            "UpdateTimeToLive" => answer(actions::update_time_to_live::execute(
                storage,
                request(body)?,
            )),
            "PutItem" => answer(actions::put_item::execute(storage, request(body)?)),
            "UpdateItem" => answer(actions::update_item::execute(storage, request(body)?)),
            "DeleteItem" => answer(actions::delete_item::execute(storage, request(body)?)),
            "BatchWriteItem" => answer(actions::batch_write_item::execute(storage, request(body)?)),
            "TransactWriteItems" => answer(actions::transact_write_items::execute(
                storage,
                request(body)?,
            )),
            read => self.read(read, body),
        }
    }

    /// Carries out an operation that writes nothing.
    pub(super) fn read(&self, operation: &str, body: Value) -> Result<Value, AwsError> {
        let storage = &self.storage;
        match operation {
            "GetItem" => answer(actions::get_item::execute(storage, request(body)?)),
            "Query" => answer(actions::query::execute(storage, request(body)?)),
            "Scan" => answer(actions::scan::execute(storage, request(body)?)),
            "BatchGetItem" => answer(actions::batch_get_item::execute(storage, request(body)?)),
            "TransactGetItems" => answer(actions::transact_get_items::execute(
                storage,
                request(body)?,
            )),
            "ListTables" => answer(actions::list_tables::execute(storage, request(body)?)),
            "DescribeTimeToLive" => answer(actions::describe_time_to_live::execute(
                storage,
                request(body)?,
            )),
            other => Err(AwsError::unknown_operation("dynamodb", other)),
        }
    }
}

fn request<T: DeserializeOwned>(body: Value) -> Result<T, AwsError> {
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

fn answer<T: Serialize>(
    result: impl Future<Output = Result<T, DynoxideError>>,
) -> Result<Value, AwsError> {
    serde_json::to_value(now(result)?).map_err(|error| AwsError::internal(error.to_string()))
}

/// The outcome of one of the engine's futures, none of which ever waits.
pub(super) fn now<T>(
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
