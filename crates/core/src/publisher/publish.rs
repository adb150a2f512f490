//! Publishes events from the streams of the tables to the event log and the bus.
//!
//! An event goes into the log first, where the same event is the same item, and then on the bus. So it is
//! harmless to do all of it again after any failure, and a failure of the log repeats nothing on the bus.
//! What was on the bus already when something after it failed is put twice, as EventBridge allows.

use super::bus::{Bus, NotOnBus, PutOutcome};
use super::rules::{self, Entry, Unpublishable};
use super::set_aside::SetAside;
use super::tables::Tables;
use crate::aws::dynamo::StoreError;
use crate::aws::queue::{Queue, QueueError};
use crate::aws::settings::{Setting, SettingError};
use crate::aws::{Aws, telemetry};
use crate::event_log::store::EventLog;
use crate::runtime::Error;
use crate::values::stream::{StreamBatch, StreamResponse};

/// The resources of `publish-events`.
#[derive(Clone, Debug)]
pub struct Publisher {
    pub(super) tables: Tables,
    log: EventLog,
    bus: Bus,
    pub(super) set_aside: Queue,
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
            set_aside: Queue::new(aws, Setting::SetAsideQueueUrl)?,
        })
    }
}

/// Why a change could not be published this time.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The event log did not take the event.
    #[error("the event log failed")]
    Log(#[from] StoreError),
    /// The bus did not take the event.
    #[error("the bus failed")]
    Bus(#[from] NotOnBus),
    /// The change could not be set aside.
    #[error("the change could not be set aside")]
    SetAside(#[from] QueueError),
}

/// What became of events that were to be published.
#[derive(Debug, Default)]
pub(super) struct Published {
    /// The places of the changes whose event the bus will never take.
    pub(super) rejected: Vec<usize>,
    /// The place of the first change whose event is not published yet, and why.
    pub(super) failed: Option<(usize, PublishError)>,
}

/// An event that has to be published, and the place of its change in the batch.
pub(super) struct PendingEvent {
    pub(super) place: usize,
    pub(super) entry: Entry,
}

/// Publishes the events of a batch of changes in their order, and sets aside the changes whose event can never be
/// published. Returns the change from which on the batch has to be delivered again.
///
/// # Errors
/// A batch never fails as a whole: what could not be published is named in the response.
pub async fn publish_events(
    publisher: &Publisher,
    batch: StreamBatch,
) -> Result<StreamResponse, Error> {
    let mut pending = Vec::new();
    let mut unpublishable = Vec::new();
    for (place, record) in batch.records.iter().enumerate() {
        match rules::new_entry(&publisher.tables, record) {
            Ok(None) => {}
            Ok(Some(entry)) => pending.push(PendingEvent { place, entry }),
            Err(reason) => unpublishable.push((place, reason)),
        }
    }
    let Published {
        rejected,
        mut failed,
    } = publish(publisher, pending).await;
    let rejected = rejected.into_iter();
    unpublishable.extend(rejected.map(|place| (place, Unpublishable::Rejected)));
    unpublishable.sort_by_key(|(place, _)| *place);
    for (place, reason) in unpublishable {
        // A change behind one that failed is delivered again, so it is set aside then.
        if failed.as_ref().is_some_and(|(failed, _)| *failed < place) {
            break;
        }
        let record = &batch.records[place];
        let sequence_number = record.sequence_number();
        tracing::error!(sequence_number, %reason, "change set aside");
        if let Err(error) = publisher
            .set_aside
            .send(&SetAside::new(record, reason))
            .await
        {
            failed = Some((place, error.into()));
            break;
        }
    }
    let Some((place, error)) = failed else {
        return Ok(StreamResponse::all_done());
    };
    let sequence_number = batch.records[place].sequence_number();
    let error = telemetry::chain(&error);
    tracing::error!(sequence_number, error, "change not published");
    Ok(StreamResponse::retry_from(sequence_number))
}

/// Appends the events to the log and puts them on the bus, in their order. While the bus takes the events of one call,
/// the log takes those of the next.
pub(super) async fn publish(publisher: &Publisher, pending: Vec<PendingEvent>) -> Published {
    let calls = rules::group_into_calls(pending, |pending| &pending.entry);
    let mut outcome = Published::default();
    let mut logged = append(publisher, calls.first()).await;
    for (place, call) in calls.iter().enumerate() {
        let next_call = calls.get(place + 1);
        let (put, next_logged) = futures::join!(
            put_logged(publisher, call, logged),
            append(publisher, next_call)
        );
        outcome.rejected.extend(put.rejected);
        if put.failed.is_some() {
            outcome.failed = put.failed;
            break;
        }
        logged = next_logged;
    }
    outcome
}

/// Appends the events of `call`, if there is one, to the log, all at once.
async fn append(
    publisher: &Publisher,
    call: Option<&Vec<PendingEvent>>,
) -> Vec<Result<(), StoreError>> {
    let appends = call
        .into_iter()
        .flatten()
        .map(|pending| publisher.log.append(pending.entry.event.clone()));
    futures::future::join_all(appends).await
}

/// Puts the events of `call` on the bus up to the first that the log did not take, as `logged` says.
async fn put_logged(
    publisher: &Publisher,
    call: &[PendingEvent],
    logged: Vec<Result<(), StoreError>>,
) -> Published {
    let count = logged.iter().take_while(|result| result.is_ok()).count();
    let entries: Vec<&Entry> = call[..count].iter().map(|pending| &pending.entry).collect();
    let put = if entries.is_empty() {
        PutOutcome::default()
    } else {
        publisher.bus.put(&entries).await
    };
    let rejected = put.rejected.iter().map(|place| call[*place].place);
    let rejected = rejected.collect();
    let not_on_bus = put
        .failed
        .map(|error| (call[error.place].place, error.into()));
    let not_logged = || {
        let error = logged.into_iter().nth(count)?.err()?;
        Some((call[count].place, error.into()))
    };
    Published {
        rejected,
        failed: not_on_bus.or_else(not_logged),
    }
}
