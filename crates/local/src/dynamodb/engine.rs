//! The DynamoDB engine itself: one `SQLite` file, and DynamoDB's JSON in and out.
//!
//! Invariants: one request at a time touches the file; nothing here knows callers, bills or faults.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dynoxide::actions::{self, vector_lifecycle::VectorIndexLifecycle};
use dynoxide::storage::Storage;
use dynoxide::{DynoxideError, ttl};
use futures::FutureExt;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tempfile::TempDir;

use super::parameters;
use super::snapshots::Snapshots;
use super::tokens::{self, Tokens};
use crate::aws::AwsError;
use crate::clock::Clock;

/// Without it every write looks at all stream records of its table: 1,000 writes per second after
/// 10,000 records, and falling; with it 6,000, however many there are.
const STREAM_INDEX: &str = "CREATE INDEX IF NOT EXISTS _stream_records_by_sequence
    ON _stream_records (table_name, CAST(sequence_number AS INTEGER));
    CREATE TABLE IF NOT EXISTS _stream_positions (
        mapping TEXT PRIMARY KEY, position INTEGER NOT NULL)";

/// Why an engine could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder or file cannot be made.
    #[error("cannot open the tables in {path}")]
    Folder {
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is there and is not usable.
    #[error("cannot open the tables in {path}: {message}")]
    File {
        /// Where.
        path: PathBuf,
        /// Why.
        message: String,
    },
    /// A table of the template cannot be made.
    #[error("table {table}: {message}")]
    Table {
        /// The table's physical name.
        table: String,
        /// Why.
        message: String,
    },
}

/// A DynamoDB of its own. Share it through an [`Arc`].
pub struct Engine {
    path: PathBuf,
    inner: Mutex<Inner>,
    snapshots: Snapshots,
    clock: Clock,
    // Dropped last: the folder goes once the file is closed.
    _folder: Option<TempDir>,
}

/// What one request at a time has.
pub(super) struct Inner {
    /// The file.
    pub(super) storage: Storage,
    vectors: VectorIndexLifecycle,
    pub(super) tokens: Tokens,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl Engine {
    /// An empty engine whose file goes when the engine does.
    ///
    /// # Errors
    /// When the machine's folder for temporary files cannot be written.
    pub fn temporary(clock: &Clock) -> Result<Self, OpenError> {
        let folder = tempfile::Builder::new()
            .prefix("oxcart-tables-")
            .tempdir()
            .map_err(|source| OpenError::Folder {
                path: std::env::temp_dir(),
                source,
            })?;
        let path = folder.path().join("tables.sqlite");
        // Nothing of it is to survive the machine.
        Self::at(path, clock, "PRAGMA synchronous = OFF", Some(folder))
    }

    /// The engine whose file is `tables.sqlite` in `folder`, which is made if it is not there.
    ///
    /// # Errors
    /// When the folder cannot be made or the file is not one of this engine's.
    pub fn open(folder: &Path, clock: &Clock) -> Result<Self, OpenError> {
        std::fs::create_dir_all(folder).map_err(|source| OpenError::Folder {
            path: folder.to_owned(),
            source,
        })?;
        // Survives a crash of the process; the machine's may cost the last writes.
        Self::at(
            folder.join("tables.sqlite"),
            clock,
            "PRAGMA synchronous = NORMAL",
            None,
        )
    }

    fn at(
        path: PathBuf,
        clock: &Clock,
        pragma: &str,
        folder: Option<TempDir>,
    ) -> Result<Self, OpenError> {
        let open = || -> Result<Storage, DynoxideError> {
            let storage = storage_at(&path, clock)?;
            storage.conn().execute_batch(pragma)?;
            storage.conn().execute_batch(STREAM_INDEX)?;
            Ok(storage)
        };
        let storage = open().map_err(|error| OpenError::File {
            path: path.clone(),
            message: error.to_string(),
        })?;
        Ok(Self {
            snapshots: Snapshots::new(path.clone(), clock.clone()),
            path,
            inner: Mutex::new(Inner {
                storage,
                vectors: VectorIndexLifecycle::new(),
                tokens: Tokens::default(),
            }),
            clock: clock.clone(),
            _folder: folder,
        })
    }

    /// Carries out one operation, blocking. The answer is DynamoDB's.
    ///
    /// # Errors
    /// As DynamoDB; and any operation or parameter that is not emulated, by name.
    pub fn call(&self, operation: &str, body: Value) -> Result<Value, AwsError> {
        parameters::check(operation, &body)?;
        let mut inner = self.lock();
        self.snapshots.before_write(operation, &body);
        if operation == "TransactWriteItems" {
            return tokens::transact(&mut inner, body, self.clock.now());
        }
        inner.call(operation, body)
    }

    /// Carries out a read on the table as it was before the last write to it; if
    /// [`Engine::keep_snapshots`] was not on at that write, as it is.
    ///
    /// # Errors
    /// As [`Engine::call`].
    pub fn call_stale(&self, operation: &str, body: Value) -> Result<Value, AwsError> {
        parameters::check(operation, &body)?;
        match self.snapshots.read(operation, &body) {
            Some(answer) => answer,
            None => self.call(operation, body),
        }
    }

    /// Whether to keep what [`Engine::call_stale`] reads; writes cost more while it is on.
    pub fn keep_snapshots(&self, keep: bool) {
        self.snapshots.keep(keep);
    }

    /// Deletes what has outlived its time to live; answers how many items.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn sweep(&self) -> Result<usize, AwsError> {
        now(ttl::sweep_expired_items(&self.lock().storage))
    }

    /// One request's turn.
    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic leaves at most an open transaction, which the next request reports.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Carries out one operation on this file.
    pub(super) fn call(&mut self, operation: &str, body: Value) -> Result<Value, AwsError> {
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
            read => read_from(storage, read, body),
        }
    }
}

/// Carries out an operation that writes nothing.
pub(super) fn read_from(
    storage: &Storage,
    operation: &str,
    body: Value,
) -> Result<Value, AwsError> {
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

/// Opens the file at `path` with the runner's time.
pub(super) fn storage_at(path: &Path, clock: &Clock) -> Result<Storage, DynoxideError> {
    let clock = Arc::new(EngineClock(clock.clone()));
    Ok(Storage::new(&path.to_string_lossy())?.with_clock(clock))
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
fn now<T>(result: impl Future<Output = Result<T, DynoxideError>>) -> Result<T, AwsError> {
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
