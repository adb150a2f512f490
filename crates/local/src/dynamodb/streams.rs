//! Streams: each mapping reads its table's records in order and hands them to its function, as
//! Lambda's event source mappings do.
//!
//! One batch of a mapping at a time, so order holds; a mapping goes on only once a batch has been
//! carried out, has failed for good, or is too old. A write wakes its table's mappings.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use jiff::SignedDuration;
use tokio::sync::watch;
use tokio::task::JoinSet;

use dynoxide::DynoxideError;

use super::engine::Engine;
use super::{DynamoDb, positions};
use crate::functions::Functions;
use crate::model::{Destination, Mapping, Source, Stack};
use event::{Entry, Failure};
use filter::Filter;

mod event;
mod filter;

/// Takes what has failed for good: where it goes, and the record as JSON.
pub type Deliver = Arc<dyn Fn(&Destination, String) + Send + Sync>;

/// Where a mapping's records go.
#[derive(Clone)]
pub struct Destinations {
    /// The functions.
    pub functions: Functions,
    /// Who takes what has failed for good.
    pub deliver: Deliver,
}

/// The first wait before a failed batch is tried again; each next one is twice as long.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The longest wait before a failed batch is tried again.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

impl DynamoDb {
    /// Starts a reader for each stream mapping of `stack`. They end when the set is dropped.
    ///
    /// # Errors
    /// A message that names the mapping whose table has no stream, or whose filter is none.
    pub fn start_streams(
        &self,
        stack: &Stack,
        destinations: &Destinations,
    ) -> Result<JoinSet<()>, String> {
        let mut tasks = JoinSet::new();
        for mapping in &stack.mappings {
            if let Source::Stream(table) = &mapping.source {
                tasks.spawn(self.reader(stack, mapping, table, destinations)?.run());
            }
        }
        Ok(tasks)
    }

    /// Resolves once every record that was written before has been carried out, or has failed for
    /// good; with batches that wait for a manual clock, not before that moves.
    pub async fn streams_idle(&self) {
        loop {
            let readers = self
                .shared
                .readers
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone();
            let mut waited = false;
            for (table, mut done) in readers {
                let Some(written) = self.shared.written.get(&table) else {
                    continue;
                };
                let until = *written.borrow();
                if *done.borrow() < until {
                    // A reader that has ended will not get further.
                    waited |= done.wait_for(|done| *done >= until).await.is_ok();
                }
            }
            if !waited {
                return;
            }
        }
    }

    fn reader(
        &self,
        stack: &Stack,
        mapping: &Mapping,
        table: &str,
        destinations: &Destinations,
    ) -> Result<Reader, String> {
        let id = |mapping: &Mapping| format!("{}:{table}", mapping.function);
        let what = format!(
            "the mapping of table {table} to function {}",
            mapping.function
        );
        let name = stack.tables.get(table).map(|table| table.name.clone());
        let name = name.ok_or_else(|| format!("{what}: there is no such table"))?;
        let function = stack.functions.get(&mapping.function);
        let function = function.ok_or_else(|| format!("{what}: there is no such function"))?;
        let written = self.shared.written.get(&name);
        let written = written.ok_or_else(|| format!("{what}: the table has no stream"))?;
        let filter = Filter::new(&mapping.filters).map_err(|error| format!("{what}: {error}"))?;
        let siblings = stack
            .mappings
            .iter()
            .filter(|other| other.source == mapping.source);
        let done = watch::Sender::new(0);
        let mut readers = self
            .shared
            .readers
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        readers.push((name.clone(), done.subscribe()));
        Ok(Reader {
            db: self.clone(),
            id: id(mapping),
            siblings: siblings.map(id).collect(),
            stream_arn: self.shared.arns.stream(&name),
            function_arn: self.shared.arns.function(&function.name),
            table: name,
            mapping: mapping.clone(),
            filter,
            destinations: destinations.clone(),
            position: 0,
            written: written.subscribe(),
            done,
        })
    }
}

/// One mapping at work.
struct Reader {
    db: DynamoDb,
    id: String,
    /// All mappings of the same stream.
    siblings: Vec<String>,
    table: String,
    stream_arn: String,
    function_arn: String,
    mapping: Mapping,
    filter: Filter,
    destinations: Destinations,
    /// How far it has read.
    position: i64,
    written: watch::Receiver<u64>,
    done: watch::Sender<u64>,
}

/// Part of a batch that is still to be carried out.
struct PendingBatch {
    entries: Vec<Entry>,
    failures: u32,
}

impl Reader {
    async fn run(mut self) {
        match self.engine(|engine| positions::position(engine, &self.id)) {
            Ok(position) => self.position = position,
            Err(error) => {
                tracing::error!(mapping = self.id, error, "the stream cannot be read");
                return;
            }
        }
        loop {
            let seen = *self.written.borrow_and_update();
            let entries = self.gather().await;
            let Some(last) = entries.last().map(|entry| entry.position) else {
                self.done.send_replace(seen);
                if self.written.changed().await.is_err() {
                    return;
                }
                continue;
            };
            let entries = entries
                .into_iter()
                .filter(|entry| self.filter.takes(entry))
                .collect();
            self.carry_out(entries).await;
            // Behind what the filter has taken out too.
            self.advance(last);
        }
    }

    /// The next records: at most a batch, fewer when the window closes.
    async fn gather(&mut self) -> Vec<Entry> {
        let mut entries = self.read();
        if entries.is_empty() || self.mapping.window.is_zero() {
            return entries;
        }
        let clock = self.db.shared.clock.clone();
        let window = clock.sleep(self.mapping.window);
        tokio::pin!(window);
        while entries.len() < self.mapping.batch_size {
            tokio::select! {
                () = &mut window => break,
                changed = self.written.changed() => {
                    if changed.is_err() {
                        break;
                    }
                    entries = self.read();
                }
            }
        }
        entries
    }

    fn read(&self) -> Vec<Entry> {
        let limit = self.mapping.batch_size.clamp(1, 1000);
        let records =
            self.engine(|engine| positions::records(engine, &self.table, self.position, limit));
        let records = records.unwrap_or_else(|error| {
            tracing::error!(mapping = self.id, error, "the stream cannot be read");
            Vec::new()
        });
        let region = self.db.shared.arns.region();
        let entry = |(at, record)| Entry::new(at, &record, region, &self.stream_arn);
        records.into_iter().map(entry).collect()
    }

    /// Moves on to `position`, if not further already.
    fn advance(&mut self, position: i64) {
        if position <= self.position {
            return;
        }
        self.position = position;
        let moved = self.engine(|engine| {
            positions::advance(engine, &self.table, &self.id, &self.siblings, position)
        });
        if let Err(error) = moved {
            tracing::error!(
                mapping = self.id,
                error,
                "the stream's position cannot be kept"
            );
        }
    }

    /// Works on the engine.
    fn engine<T>(
        &self,
        work: impl FnOnce(&Engine) -> Result<T, DynoxideError>,
    ) -> Result<T, String> {
        let worked = self.db.shared.engine.work(work);
        worked?.map_err(|error| error.to_string())
    }

    /// Invokes the function with `entries` until each is carried out or has failed for good.
    async fn carry_out(&mut self, entries: Vec<Entry>) {
        let mut pending = vec![PendingBatch {
            entries,
            failures: 0,
        }];
        while let Some(mut work) = pending.pop() {
            self.give_up_old(&mut work);
            if work.entries.is_empty() {
                continue;
            }
            let Err(failure) = self.invoke(&work.entries).await else {
                self.move_past(&work.entries);
                continue;
            };
            if failure.first > 0 {
                let carried_out: Vec<_> = work.entries.drain(..failure.first).collect();
                self.move_past(&carried_out);
                work.failures = 0;
            }
            if self.mapping.bisect && work.entries.len() > 1 {
                // Splitting does not count as a retry.
                let second = work.entries.split_off(work.entries.len() / 2);
                pending.push(PendingBatch {
                    entries: second,
                    failures: work.failures,
                });
                pending.push(work);
                continue;
            }
            work.failures += 1;
            if self
                .mapping
                .retries
                .is_some_and(|retries| work.failures > retries)
            {
                self.give_up(
                    &work.entries,
                    "RetryAttemptsExhausted",
                    work.failures,
                    Some(&failure),
                );
                continue;
            }
            let wait = FIRST_WAIT.saturating_mul(1 << work.failures.clamp(1, 7) >> 1);
            self.db.shared.clock.sleep(wait.min(LONGEST_WAIT)).await;
            pending.push(work);
        }
    }

    async fn invoke(&self, entries: &[Entry]) -> Result<(), Failure> {
        let payload = event::payload(entries);
        let functions = &self.destinations.functions;
        let answer = functions
            .invoke_from("dynamodb", &self.mapping.function, payload)
            .await;
        match answer {
            Ok(answer) if self.mapping.partial_batches => event::read_failures(&answer, entries),
            Ok(_) => Ok(()),
            Err(error) => {
                tracing::warn!(mapping = self.id, %error, "a batch of stream records failed");
                Err(Failure::all(&error))
            }
        }
    }

    /// Goes on behind `entries`.
    fn move_past(&mut self, entries: &[Entry]) {
        if let Some(last) = entries.last() {
            self.advance(last.position);
        }
    }

    fn give_up_old(&mut self, work: &mut PendingBatch) {
        let Some(age) = self.mapping.max_age else {
            return;
        };
        let age = SignedDuration::try_from(age).unwrap_or(SignedDuration::MAX);
        let oldest = self
            .db
            .shared
            .clock
            .now()
            .as_second()
            .saturating_sub(age.as_secs());
        let fresh = work
            .entries
            .iter()
            .position(|entry| entry.created >= oldest);
        let old: Vec<_> = work
            .entries
            .drain(..fresh.unwrap_or(work.entries.len()))
            .collect();
        if !old.is_empty() {
            self.give_up(&old, "RecordAgeExceeded", work.failures, None);
        }
    }

    fn give_up(&mut self, entries: &[Entry], why: &str, tries: u32, failure: Option<&Failure>) {
        self.move_past(entries);
        let records = entries.len();
        tracing::error!(
            mapping = self.id,
            records,
            why,
            "stream records failed for good"
        );
        let Some(destination) = &self.mapping.on_failure else {
            return;
        };
        let context = event::Context {
            function_arn: &self.function_arn,
            stream_arn: &self.stream_arn,
            shard: dynoxide::streams::shard_id(&self.table),
            condition: why,
            tries,
            now: self.db.shared.clock.now(),
            with_payload: matches!(destination, Destination::Bucket(_)),
        };
        (self.destinations.deliver)(
            destination,
            event::invocation_record(&context, entries, failure),
        );
    }
}
