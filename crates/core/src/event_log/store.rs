//! The event log in DynamoDB: each event once, by aggregate and version.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::aws::Aws;
use crate::aws::dynamo::{self, StoreError, Table, Written};
use crate::aws::settings::{Setting, SettingError};
use crate::values::clock::Time;
use crate::values::event::DomainEvent;
use crate::values::id::EventId;

/// The events that were published.
#[derive(Clone, Debug)]
pub struct EventLog {
    table: Table,
}

impl EventLog {
    /// The log in the table that the setting `EVENT_LOG_TABLE` names.
    ///
    /// # Errors
    /// [`SettingError`] if the setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        let table = Table::new(aws, Setting::EventLogTable)?;
        Ok(Self { table })
    }

    /// All events of `aggregate_id` that are published, in their order. The newest may be missing
    /// for a moment.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn history(
        &self,
        aggregate_id: impl ToString,
    ) -> Result<Vec<DomainEvent>, StoreError> {
        let query = self
            .table
            .query("aggregate_id = :aggregate")
            .value(":aggregate", aggregate_id);
        let items: Vec<EventItem> = query.all().await?;
        items.into_iter().map(DomainEvent::try_from).collect()
    }

    /// What happened from `from` to `until`, in the order of time, as the index had it a moment ago: one
    /// query for each shard of each hour, until there are `most`. Of an order's way to its end, only the
    /// end.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn between(
        &self,
        from: Time,
        until: Time,
        most: usize,
    ) -> Result<Vec<Logged>, StoreError> {
        let mut found: Vec<Logged> = Vec::new();
        let hours = from.as_seconds().div_euclid(3600)..=until.as_seconds().div_euclid(3600);
        for hour in hours.map(|hour| Time::from_millis(hour * 3_600_000)) {
            let left = most - found.len();
            if left == 0 {
                break;
            }
            let shards = (0..HOUR_SHARDS).map(|shard| {
                let query = self
                    .table
                    .query("hour_shard = :hour AND #time BETWEEN :from AND :until")
                    .index("by-hour");
                query
                    .name("#time", "timestamp")
                    .value(":hour", hour_shard(hour, shard))
                    .value(":from", from)
                    .value(":until", until)
            });
            let time = |event: &Logged| event.timestamp.to_string();
            found.extend(dynamo::merged(shards.collect(), left, false, time).await?);
        }
        Ok(found)
    }

    /// Writes `event` down; an event that is there already stays as it is.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn append(&self, event: DomainEvent) -> Result<(), StoreError> {
        let item = EventItem::from(event);
        let write = self
            .table
            .put(&item)?
            .when("attribute_not_exists(aggregate_id)");
        match self.table.write(write).await? {
            Written::Done | Written::Refused(_) => Ok(()),
        }
    }
}

/// How many shards an hour of the log's index has.
const HOUR_SHARDS: u32 = 4;

/// Whether events of this type are in the index by hour. Those that are not happen only on an order's
/// way to its end, which another of the order's events tells: one write less for each.
fn is_by_hour(event_type: &str) -> bool {
    !matches!(
        event_type,
        "OrderCreated"
            | "InventoryReserved"
            | "InventoryCommitted"
            | "InventoryReleased"
            | "PaymentProcessed"
    )
}

/// The key of the index by hour: `<RFC 3339 to the hour>#<shard>`.
fn hour_shard(time: Time, shard: u32) -> String {
    let time = time.to_string();
    let hour = time.get(..13).unwrap_or_default();
    format!("{hour}#{shard}")
}

/// An event as the index by hour has it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Logged {
    /// What it happened to.
    pub aggregate_id: String,
    /// What happened.
    pub event_type: String,
    /// When.
    pub timestamp: Time,
}

/// An event as it is stored. The version is a text of twelve digits, so that text order is its order.
#[derive(Serialize, Deserialize)]
struct EventItem {
    aggregate_id: String,
    version: String,
    event_id: EventId,
    event_type: String,
    timestamp: Time,
    #[serde(skip_deserializing, skip_serializing_if = "Option::is_none")]
    hour_shard: Option<String>,
    data: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    traceparent: Option<String>,
}

impl From<DomainEvent> for EventItem {
    fn from(event: DomainEvent) -> Self {
        Self {
            aggregate_id: event.aggregate_id,
            version: format!("{:012}", event.version),
            hour_shard: is_by_hour(&event.event_type)
                .then(|| hour_shard(event.timestamp, event.event_id.shard(HOUR_SHARDS))),
            event_id: event.event_id,
            event_type: event.event_type,
            timestamp: event.timestamp,
            data: event.data,
            traceparent: event.traceparent,
        }
    }
}

impl TryFrom<EventItem> for DomainEvent {
    type Error = StoreError;

    fn try_from(item: EventItem) -> Result<Self, StoreError> {
        let version = item
            .version
            .parse()
            .map_err(<serde_dynamo::Error as serde::de::Error>::custom)?;
        Ok(Self {
            event_id: item.event_id,
            event_type: item.event_type,
            aggregate_id: item.aggregate_id,
            version,
            timestamp: item.timestamp,
            data: item.data,
            traceparent: item.traceparent,
        })
    }
}
