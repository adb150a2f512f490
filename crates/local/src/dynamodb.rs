//! DynamoDB: the stack's tables in an embedded engine, with what each call costs on AWS, time to
//! live, and streams that feed functions.
//!
//! Refuses every operation and parameter that is not emulated. Tables are the template's: made at
//! the start, and kept when a folder was given and they are there already.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::Instant;

pub use engine::OpenError;

use capacity::CallerOptions;
use engine::Engine;

use crate::arn::Arns;
use crate::aws::{self, AwsError, Call, Caller, Service};
use crate::bill::{Bill, Cost};
use crate::clock::Clock;
use crate::faults::{Faults, Mode};
use crate::model::Stack;
use crate::record::Record;

mod capacity;
mod database;
mod engine;
mod parameters;
mod positions;
mod snapshots;
pub mod streams;
mod tables;
mod tokens;

/// How long the machine's time goes on between two looks for items past their time to live.
const SWEEP_EVERY: SignedDuration = SignedDuration::from_secs(10);

/// How many times as long as a look took the next one is put off: a look reads every table that has a time to live, and
/// nothing else is served meanwhile.
const SWEEP_REST: u32 = 19;

/// The stack's tables. Clones share them.
#[derive(Clone, Debug)]
pub struct DynamoDb {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    engine: Engine,
    arns: Arns,
    bill: Bill,
    clock: Clock,
    faults: OnceLock<Faults>,
    record: Record,
    /// By physical name of a table with a stream: how many calls may have written to it.
    written: BTreeMap<String, watch::Sender<u64>>,
    /// The streams' readers: the table, and the count of writes up to which nothing is left.
    readers: Mutex<Vec<(String, watch::Receiver<u64>)>>,
}

impl DynamoDb {
    /// Makes or opens the tables of `stack`: in the folder `data`, or for this run only.
    ///
    /// # Errors
    /// When the folder cannot be used, or has a table with another schema.
    pub fn start(
        stack: &Stack,
        arns: &Arns,
        clock: &Clock,
        bill: &Bill,
        record: &Record,
        data: Option<&Path>,
    ) -> Result<Self, OpenError> {
        let engine = match data {
            Some(folder) => Engine::open(folder, clock)?,
            None => Engine::temporary(clock)?,
        };
        let mut written = BTreeMap::new();
        for table in stack.tables.values() {
            tables::make(&engine, table).map_err(|message| OpenError::Table {
                table: table.name.clone(),
                message,
            })?;
            if table.stream {
                written.insert(table.name.clone(), watch::Sender::new(0));
            }
        }
        let shared = Shared {
            engine,
            arns: arns.clone(),
            bill: bill.clone(),
            clock: clock.clone(),
            faults: OnceLock::new(),
            record: record.clone(),
            written,
            readers: Mutex::default(),
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    /// Carries out one operation, and returns its JSON.
    ///
    /// # Errors
    /// As DynamoDB; and any operation or parameter that is not emulated, by name.
    pub fn call(&self, caller: &Caller, operation: &str, body: Value) -> Result<Bytes, AwsError> {
        self.run(caller, operation, body, false)
    }

    /// Carries out one operation; a read that is not consistent (`GetItem`, `BatchGetItem` of one table, `Query`,
    /// `Scan`) sees its table as it was before the last write to it.
    ///
    /// # Errors
    /// As [`DynamoDb::call`].
    pub fn call_stale(
        &self,
        caller: &Caller,
        operation: &str,
        body: Value,
    ) -> Result<Bytes, AwsError> {
        let consistent = |of: &Value| of.get("ConsistentRead") == Some(&Value::Bool(true));
        let stale = match operation {
            "GetItem" | "Query" | "Scan" => !consistent(&body),
            "BatchGetItem" => {
                let tables = body.get("RequestItems").and_then(Value::as_object);
                !tables.into_iter().flatten().any(|(_, of)| consistent(of))
            }
            _ => false,
        };
        self.run(caller, operation, body, stale)
    }

    /// Keeps what [`DynamoDb::call_stale`] returns for as long as a fault in force asks for stale
    /// reads: writes cost more then. Keeps what has outlived its time to live for as long as a fault asks for that. The
    /// first call counts.
    pub fn follow(&self, faults: &Faults) {
        // As in `Functions::set_faults`.
        let _ = self.shared.faults.set(faults.clone());
        let shared = Arc::downgrade(&self.shared);
        faults.on_change(move |faults| {
            if let Some(shared) = shared.upgrade() {
                let stale = faults.iter().any(|fault| fault.mode() == Mode::StaleRead);
                shared.engine.keep_snapshots(stale);
            }
        });
    }

    /// Deletes what has outlived its time to live.
    pub async fn sweep(&self) {
        let shared = Arc::clone(&self.shared);
        let swept = tokio::task::spawn_blocking(move || {
            if let Err(error) =
                positions::forget_old(&shared.engine, shared.clock.now().as_second())
            {
                tracing::warn!(%error, "old stream records cannot be forgotten");
            }
            if shared.faults.get().is_some_and(Faults::keep_expired) {
                return Ok(0);
            }
            shared.engine.sweep()
        });
        let swept = swept.await;
        match swept {
            Ok(Ok(0)) | Err(_) => {}
            Ok(Ok(_)) => self
                .shared
                .written
                .values()
                .for_each(|table| notify(Some(table))),
            Ok(Err(error)) => tracing::warn!(%error, "time to live failed"),
        }
    }

    /// Keeps deleting what has outlived its time to live, until it is dropped.
    pub async fn keep_sweeping(self) {
        // A manual clock stands still between advances; then any advance is worth a look.
        let clock = self.shared.clock.clone();
        let every = if clock.is_manual() {
            SignedDuration::from_secs(1)
        } else {
            SWEEP_EVERY
        };
        let mut looked = clock.now();
        loop {
            let next = looked.saturating_add(every).unwrap_or(Timestamp::MAX);
            clock.sleep_until(next).await;
            looked = clock.now();
            let began = Instant::now();
            self.sweep().await;
            tokio::time::sleep(began.elapsed() * SWEEP_REST).await;
        }
    }

    fn run(
        &self,
        caller: &Caller,
        operation: &str,
        mut body: Value,
        stale: bool,
    ) -> Result<Bytes, AwsError> {
        let options = CallerOptions::replace_in(operation, &mut body);
        let result = self.shared.engine.work(|engine| {
            if stale {
                engine.call_stale(operation, &body)
            } else {
                engine.call(operation, &body)
            }
        });
        let mut result = result.unwrap_or_else(|panic| Err(AwsError::internal(panic)));
        let costs = match &mut result {
            Ok(answer) => CallerOptions::costs(operation, answer.consumed.as_ref()),
            Err(error) => options.cost_of_failure(&body, error),
        };
        for cost in &costs {
            let Cost {
                table,
                read,
                write,
                index_write,
            } = cost;
            self.shared
                .bill
                .units(caller, table, *read, *write, *index_write);
        }
        self.shared.record.tables(caller, operation, &body, &costs);
        if parameters::writes(operation) && result.is_ok() {
            for table in parameters::tables(&body) {
                notify(self.shared.written.get(&table));
            }
        }
        let answer = result?;
        if matches!(operation, "CreateTable" | "DescribeTable" | "DeleteTable") {
            let mut description = answer.json();
            tables::localise(&mut description, &self.shared.arns);
            return Ok(aws::text(&description));
        }
        Ok(options.body(answer))
    }
}

impl Service for DynamoDb {
    fn call<'a>(&'a self, caller: &'a Caller, operation: &'a str, body: Value) -> Call<'a> {
        Box::pin(async move { self.call(caller, operation, body) })
    }

    fn call_stale<'a>(&'a self, caller: &'a Caller, operation: &'a str, body: Value) -> Call<'a> {
        Box::pin(async move { self.call_stale(caller, operation, body) })
    }
}

fn notify(table: Option<&watch::Sender<u64>>) {
    if let Some(table) = table {
        table.send_modify(|writes| *writes += 1);
    }
}

#[cfg(test)]
mod tests;
