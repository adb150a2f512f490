//! Publishes events from the streams of the tables to the event log and the bus.
//!
//! An event goes into the log first, where the same event is the same item, and then on the bus. So it is
//! harmless to do all of it again after any failure, and a failure of the log repeats nothing on the bus.
//! What was on the bus already when something after it failed is put twice, as EventBridge allows.

use super::bus::{Bus, NotOnBus};
use super::rules::{self, Entry, Unpublishable};
use super::stream::{StreamBatch, StreamRecord, StreamResponse};
use super::tables::Tables;
use crate::aws::dynamo::StoreError;
use crate::aws::settings::SettingError;
use crate::aws::{Aws, telemetry};
use crate::event_log::store::EventLog;
use crate::runtime::Error;

/// The resources of `publish-events`.
#[derive(Clone, Debug)]
pub struct Publisher {
    tables: Tables,
    log: EventLog,
    bus: Bus,
}

impl Publisher {
    /// Creates the publisher from the settings.
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

/// The first change of a batch can never be published, so the whole batch fails.
#[derive(Debug, thiserror::Error)]
#[error("the change {sequence_number} cannot be published")]
pub struct UnpublishableFirst {
    sequence_number: String,
    #[source]
    reason: Unpublishable,
}

/// Why a change could not be published this time.
#[derive(Debug, thiserror::Error)]
enum PublishError {
    #[error("the event log failed")]
    Log(#[from] StoreError),
    #[error("the bus failed")]
    Bus(#[from] NotOnBus),
}

/// An event that has to be published, and the record that it comes from.
struct PendingEvent<'a> {
    sequence_number: &'a str,
    entry: Entry,
}

/// Publishes the events of a batch of changes in their order. Returns the change from which on the
/// batch has to be delivered again.
///
/// While the bus takes the events of one call, the log takes those of the next.
///
/// # Errors
/// [`UnpublishableFirst`] if the first change of the batch can never be published. The whole batch fails,
/// so that Lambda halves it until that change is alone, gives it up and keeps it in a bucket; the
/// others are published.
pub async fn publish_events(
    publisher: &Publisher,
    batch: StreamBatch,
) -> Result<StreamResponse, Error> {
    let (pending, unpublishable) = pending_events(&publisher.tables, &batch.records);
    let calls = rules::group_into_calls(pending, |pending| &pending.entry);
    let mut logged = append(publisher, calls.first()).await;
    for (place, call) in calls.iter().enumerate() {
        let next_call = calls.get(place + 1);
        let (put, next_logged) = futures::join!(
            put_logged(publisher, call, logged),
            append(publisher, next_call)
        );
        if let Err((sequence_number, error)) = put {
            let error = telemetry::chain(&error);
            tracing::error!(sequence_number, error, "change not published");
            return Ok(StreamResponse::retry_from(sequence_number));
        }
        logged = next_logged;
    }
    let Some((record, reason)) = unpublishable else {
        return Ok(StreamResponse::all_published());
    };
    let sequence_number = record.sequence_number();
    let error = telemetry::chain(&reason);
    tracing::error!(sequence_number, error, "change cannot be published");
    let is_first =
        batch.records.first().map(StreamRecord::sequence_number) == Some(sequence_number);
    if is_first {
        let sequence_number = sequence_number.to_owned();
        return Err(UnpublishableFirst {
            sequence_number,
            reason,
        }
        .into());
    }
    Ok(StreamResponse::retry_from(sequence_number))
}

/// Returns the events of `records` up to the first record that can never be published, and that record.
fn pending_events<'a>(
    tables: &Tables,
    records: &'a [StreamRecord],
) -> (
    Vec<PendingEvent<'a>>,
    Option<(&'a StreamRecord, Unpublishable)>,
) {
    let mut pending = Vec::new();
    for record in records {
        match rules::new_entry(tables, record) {
            Ok(None) => {}
            Ok(Some(entry)) => pending.push(PendingEvent {
                sequence_number: record.sequence_number(),
                entry,
            }),
            Err(reason) => return (pending, Some((record, reason))),
        }
    }
    (pending, None)
}

/// Appends the events of `call`, if there is one, to the log, all at once.
async fn append(
    publisher: &Publisher,
    call: Option<&Vec<PendingEvent<'_>>>,
) -> Vec<Result<(), StoreError>> {
    let appends = call
        .into_iter()
        .flatten()
        .map(|pending| publisher.log.append(pending.entry.event.clone()));
    futures::future::join_all(appends).await
}

/// Puts the events of `call` on the bus up to the first that the log did not take, as `logged` says.
///
/// # Errors
/// The sequence number of the first event that is not published, and why.
async fn put_logged<'a>(
    publisher: &Publisher,
    call: &[PendingEvent<'a>],
    logged: Vec<Result<(), StoreError>>,
) -> Result<(), (&'a str, PublishError)> {
    let count = logged.iter().take_while(|result| result.is_ok()).count();
    let entries: Vec<&Entry> = call[..count].iter().map(|pending| &pending.entry).collect();
    if !entries.is_empty() {
        let put = publisher.bus.put(&entries).await;
        put.map_err(|error| (call[error.place].sequence_number, error.into()))?;
    }
    match logged.into_iter().nth(count) {
        Some(Err(error)) => Err((call[count].sequence_number, error.into())),
        Some(Ok(())) | None => Ok(()),
    }
}
