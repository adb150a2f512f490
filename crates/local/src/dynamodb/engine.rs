//! The DynamoDB engine itself: one file with all tables, one request at a time.
//!
//! Invariants: one request at a time touches the file; nothing here knows callers, bills or faults.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use dynoxide::{DynoxideError, ttl};
use serde_json::Value;
use tempfile::TempDir;

use super::database::{self, Answer, Database};
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

/// How many prepared statements are kept: a few for each table and each index. The default of 16
/// throws most away before they are needed again.
const STATEMENTS: usize = 512;

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

/// A DynamoDB of its own. Share it through an [`Arc`](std::sync::Arc).
pub(super) struct Engine {
    path: PathBuf,
    inner: Mutex<Inner>,
    snapshots: Snapshots,
    clock: Clock,
    // Dropped last: the folder goes once the file is closed.
    _folder: Option<TempDir>,
}

/// What one request at a time has.
pub(super) struct Inner {
    pub(super) database: Database,
    tokens: Tokens,
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
    pub(super) fn temporary(clock: &Clock) -> Result<Self, OpenError> {
        let folder = tempfile::Builder::new()
            .prefix("oxcart-tables-")
            .tempdir()
            .map_err(|source| OpenError::Folder {
                path: std::env::temp_dir(),
                source,
            })?;
        let path = folder.path().join("tables.sqlite");
        // Nothing of it is to survive the machine.
        Self::open_at(path, clock, "PRAGMA synchronous = OFF", Some(folder))
    }

    /// The engine whose file is `tables.sqlite` in `folder`, which is made if it is not there.
    ///
    /// # Errors
    /// When the folder cannot be made or the file is not one of this engine's.
    pub(super) fn open(folder: &Path, clock: &Clock) -> Result<Self, OpenError> {
        std::fs::create_dir_all(folder).map_err(|source| OpenError::Folder {
            path: folder.to_owned(),
            source,
        })?;
        // Survives a crash of the process; the machine's may cost the last writes.
        Self::open_at(
            folder.join("tables.sqlite"),
            clock,
            "PRAGMA synchronous = NORMAL",
            None,
        )
    }

    fn open_at(
        path: PathBuf,
        clock: &Clock,
        pragma: &str,
        folder: Option<TempDir>,
    ) -> Result<Self, OpenError> {
        let open = || -> Result<Database, DynoxideError> {
            let database = Database::open(&path, clock)?;
            let connection = database.storage.conn();
            connection.set_prepared_statement_cache_capacity(STATEMENTS);
            connection.execute_batch(pragma)?;
            connection.execute_batch(STREAM_INDEX)?;
            Ok(database)
        };
        let database = open().map_err(|error| OpenError::File {
            path: path.clone(),
            message: error.to_string(),
        })?;
        Ok(Self {
            snapshots: Snapshots::new(path.clone(), clock.clone()),
            path,
            inner: Mutex::new(Inner {
                database,
                tokens: Tokens::default(),
            }),
            clock: clock.clone(),
            _folder: folder,
        })
    }

    /// Carries out one operation, blocking. The response is DynamoDB's.
    ///
    /// # Errors
    /// As DynamoDB; and any operation or parameter that is not emulated, by name.
    pub(super) fn call(&self, operation: &str, body: &Value) -> Result<Answer, AwsError> {
        parameters::check(operation, body)?;
        let mut inner = self.lock();
        self.snapshots.before_write(operation, body);
        if operation == "TransactWriteItems" {
            let Inner { database, tokens } = &mut *inner;
            return tokens::transact(tokens, database, body, self.clock.now());
        }
        inner.database.call(operation, body)
    }

    /// Carries out a read on the table as it was before the last write to it; if
    /// [`Engine::keep_snapshots`] was not on at that write, as it is.
    ///
    /// # Errors
    /// As [`Engine::call`].
    pub(super) fn call_stale(&self, operation: &str, body: &Value) -> Result<Answer, AwsError> {
        parameters::check(operation, body)?;
        match self.snapshots.read(operation, body) {
            Some(answer) => answer,
            None => self.call(operation, body),
        }
    }

    /// Whether to keep what [`Engine::call_stale`] reads; writes cost more while it is on.
    pub(super) fn keep_snapshots(&self, keep: bool) {
        self.snapshots.keep(keep);
    }

    /// Deletes what has outlived its time to live, and returns how many items.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn sweep(&self) -> Result<usize, AwsError> {
        database::outcome(ttl::sweep_expired_items(&self.lock().database.storage))
    }

    /// Works on this engine on the calling thread, async or not: that takes less time than a hop to
    /// another thread and back. If the engine panics, the message is the error.
    pub(super) fn work<T>(&self, work: impl FnOnce(&Self) -> T) -> Result<T, &'static str> {
        catch_unwind(AssertUnwindSafe(|| work(self))).map_err(|_| "the engine panicked")
    }

    /// One request's turn.
    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic leaves at most an open transaction, which the next request reports.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
