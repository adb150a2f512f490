//! Publishing: from the streams of the tables to the event log and the bus.
//!
//! Order of the two: first the log, where the same event is the same item, then the bus. So whatever
//! fails, doing all of it again is harmless, and a log that fails repeats nothing on the bus. What
//! was on the bus already when something after it failed comes twice, as events may.

use super::bus::{Bus, NotOnBus};
use super::rules::{self, Entry, Unpublishable};
use super::stream::{StreamAnswer, StreamBatch, StreamRecord};
use super::tables::Tables;
use crate::aws::dynamo::StoreError;
use crate::aws::settings::SettingError;
use crate::aws::{Aws, telemetry};
use crate::event_log::store::EventLog;
use crate::runtime::Error;

/// What publishes.
#[derive(Clone, Debug)]
pub struct Publisher {
    tables: Tables,
    log: EventLog,
    bus: Bus,
}

impl Publisher {
    /// The publisher of this function.
    ///
    /// # Errors
    /// [`SettingError`] if a setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        Ok(Self {
            tables: Tables::new(aws)?,
            log: EventLog::new(aws)?,
            bus: Bus::new(aws)?,
        })
    }
}

/// Why a whole batch must come again.
#[derive(Debug, thiserror::Error)]
#[error("the change {sequence_number} cannot be published")]
pub struct PoisonFirst {
    sequence_number: String,
    #[source]
    reason: Unpublishable,
}

/// Why a change is not published yet.
#[derive(Debug, thiserror::Error)]
enum NotYet {
    #[error("the event log failed")]
    Log(#[from] StoreError),
    #[error("the bus failed")]
    Bus(#[from] NotOnBus),
}

/// An event to publish, and which record it comes from.
struct Due<'a> {
    sequence_number: &'a str,
    entry: Entry,
}

/// Publishes the events of a batch of changes, in their order, and answers from which change on the
/// batch must come again.
///
/// # Errors
/// [`PoisonFirst`], if the first change of the batch can never be published. The whole batch fails,
/// so that Lambda halves it until that change is alone, gives it up and keeps it in a bucket; the
/// others go on.
pub async fn publish_events(
    publisher: &Publisher,
    batch: StreamBatch,
) -> Result<StreamAnswer, Error> {
    let (due, poison) = due(&publisher.tables, &batch.records);
    for call in rules::calls(due, |due| &due.entry) {
        if let Err((sequence_number, error)) = publish(publisher, &call).await {
            let error = telemetry::chain(&error);
            tracing::error!(sequence_number, error, "change not published");
            return Ok(StreamAnswer::again_from(sequence_number));
        }
    }
    let Some((record, reason)) = poison else {
        return Ok(StreamAnswer::done());
    };
    let sequence_number = record.sequence_number();
    let error = telemetry::chain(&reason);
    tracing::error!(sequence_number, error, "change cannot be published");
    let is_first =
        batch.records.first().map(StreamRecord::sequence_number) == Some(sequence_number);
    if is_first {
        let sequence_number = sequence_number.to_owned();
        return Err(PoisonFirst {
            sequence_number,
            reason,
        }
        .into());
    }
    Ok(StreamAnswer::again_from(sequence_number))
}

/// What the records have to publish, up to the first that cannot be published.
fn due<'a>(
    tables: &Tables,
    records: &'a [StreamRecord],
) -> (Vec<Due<'a>>, Option<(&'a StreamRecord, Unpublishable)>) {
    let mut due = Vec::new();
    for record in records {
        match rules::entry(tables, record) {
            Ok(None) => {}
            Ok(Some(entry)) => due.push(Due {
                sequence_number: record.sequence_number(),
                entry,
            }),
            Err(reason) => return (due, Some((record, reason))),
        }
    }
    (due, None)
}

/// Publishes what one call takes; else says from which record on it must come again.
async fn publish<'a>(publisher: &Publisher, call: &[Due<'a>]) -> Result<(), (&'a str, NotYet)> {
    let appends = call
        .iter()
        .map(|due| publisher.log.append(due.entry.event.clone()));
    let appended = futures::future::join_all(appends).await;
    // What is before the first that the log failed to take can go on the bus.
    let logged = appended.iter().take_while(|result| result.is_ok()).count();
    let entries: Vec<&Entry> = call[..logged].iter().map(|due| &due.entry).collect();
    if !entries.is_empty() {
        let put = publisher.bus.put(&entries).await;
        put.map_err(|error| (call[error.at].sequence_number, NotYet::from(error)))?;
    }
    match appended.into_iter().nth(logged) {
        Some(Err(error)) => Err((call[logged].sequence_number, NotYet::from(error))),
        Some(Ok(())) | None => Ok(()),
    }
}
