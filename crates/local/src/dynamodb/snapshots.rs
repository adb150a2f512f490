//! Stale reads: each table as it was before the last write to it.
//!
//! A second connection to the file holds a read transaction open, which goes on seeing what it saw
//! at its start; it is begun anew right before each write to the table.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use super::database::{Answer, Database};
use super::parameters;
use crate::aws::AwsError;
use crate::clock::Clock;

/// The held snapshots, by table.
pub(super) struct Snapshots {
    path: PathBuf,
    clock: Clock,
    /// `None` while no stale read is asked for.
    held: Mutex<Option<HashMap<String, Database>>>,
}

impl Snapshots {
    /// Nothing held.
    pub(super) fn new(path: PathBuf, clock: Clock) -> Self {
        Self {
            path,
            clock,
            held: Mutex::new(None),
        }
    }

    /// Begins or ends holding.
    pub(super) fn keep(&self, keep: bool) {
        let mut held = self.lock();
        match (keep, held.is_some()) {
            (true, false) => *held = Some(HashMap::new()),
            (false, true) => *held = None,
            (true, true) | (false, false) => {}
        }
    }

    /// Moves the snapshots of the tables about to be written to this moment.
    pub(super) fn before_write(&self, operation: &str, body: &Value) {
        if !parameters::writes(operation) {
            return;
        }
        let mut held = self.lock();
        let Some(held) = held.as_mut() else { return };
        for table in parameters::tables(body) {
            let database = match held.remove(&table) {
                Some(database) => Ok(database),
                None => Database::open(&self.path, &self.clock),
            };
            // Without a snapshot a read sees what is there now.
            if let Ok(database) = database
                && begin(&database).is_ok()
            {
                held.insert(table, database);
            }
        }
    }

    /// Reads from the snapshot of the request's table; `None` if there is none.
    pub(super) fn read(&self, operation: &str, body: &Value) -> Option<Result<Answer, AwsError>> {
        let held = self.lock();
        let tables = parameters::tables(body);
        let [table] = tables.as_slice() else {
            return None;
        };
        let database = held.as_ref()?.get(table)?;
        Some(database.read(operation, body))
    }

    fn lock(&self) -> MutexGuard<'_, Option<HashMap<String, Database>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn begin(database: &Database) -> Result<(), dynoxide::DynoxideError> {
    let connection = database.storage.conn();
    if !connection.is_autocommit() {
        connection.execute_batch("ROLLBACK")?;
    }
    // A transaction sees what is there at its first read.
    connection.execute_batch("BEGIN DEFERRED; SELECT count(*) FROM _tables;")?;
    Ok(())
}
