//! The event log in DynamoDB: each event once, keyed by aggregate and version.

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::aws::Aws;
use crate::aws::dynamo::{self, Key, StoreError, Table, Written};
use crate::aws::settings::{Setting, SettingError};
use crate::values::clock::Time;
use crate::values::event::DomainEvent;
use crate::values::id::EventId;

/// The log of published events.
#[derive(Clone, Debug)]
pub struct EventLog {
    table: Table,
}

impl EventLog {
    /// Creates the log over the table that the setting `EVENT_LOG_TABLE` names.
    ///
    /// # Errors
    /// [`SettingError`] if the setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        let table = Table::new(aws, Setting::EventLogTable)?;
        Ok(Self { table })
    }

    /// Returns the published events of `aggregate_id`, in their order. The newest may be missing for a moment.
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

    /// Returns the latest at most `most` published events of `aggregate_id`, in their order. The newest may be missing for
    /// a moment.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn latest(
        &self,
        aggregate_id: impl ToString,
        most: usize,
    ) -> Result<Vec<DomainEvent>, StoreError> {
        let query = self
            .table
            .query("aggregate_id = :aggregate")
            .value(":aggregate", aggregate_id);
        let items: Vec<EventItem> = query.descending().first(most).await?;
        let events = items.into_iter().rev().map(DomainEvent::try_from);
        events.collect()
    }

    /// Returns those of `events` that are not in the log. The newest may be missing for a moment.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn missing(&self, events: Vec<DomainEvent>) -> Result<Vec<DomainEvent>, StoreError> {
        #[derive(PartialEq, Eq, Hash, Deserialize)]
        struct LoggedKey {
            aggregate_id: String,
            version: String,
        }
        let key = |event: &DomainEvent| {
            Key::new("aggregate_id", &event.aggregate_id).and("version", version(event.version))
        };
        // A batch with the same key twice is refused.
        let keys: BTreeMap<(&str, u64), Key> = events
            .iter()
            .map(|event| ((event.aggregate_id.as_str(), event.version), key(event)))
            .collect();
        let logged = self.table.get_many(keys.into_values().collect(), false);
        let logged: HashSet<LoggedKey> = logged.await?.into_iter().collect();
        let is_missing = |event: &DomainEvent| {
            !logged.contains(&LoggedKey {
                aggregate_id: event.aggregate_id.clone(),
                version: version(event.version),
            })
        };
        Ok(events.into_iter().filter(is_missing).collect())
    }

    /// Returns at most `most` events from `from` to `until`, in the order of time, with one query for each shard of
    /// each hour. The index may lag by a moment, and lacks events that only lead to the end of an order, which another of
    /// its events tells.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn between(
        &self,
        from: Time,
        until: Time,
        most: usize,
    ) -> Result<Vec<LoggedEvent>, StoreError> {
        let mut found: Vec<LoggedEvent> = Vec::new();
        let hours = from.as_seconds().div_euclid(3600)..=until.as_seconds().div_euclid(3600);
        for hour in hours.map(|hour| Time::from_millis(hour * 3_600_000)) {
            let remaining = most - found.len();
            if remaining == 0 {
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
            let time = |event: &LoggedEvent| event.timestamp.to_string();
            found.extend(dynamo::merged(shards.collect(), remaining, false, time).await?);
        }
        Ok(found)
    }

    /// Appends `event`. An event that is in the log already stays as it is.
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

/// The number of shards of each hour in the index by hour.
const HOUR_SHARDS: u32 = 4;

/// Returns whether events of this type are in the index by hour. The others only precede the outcome of an order, which
/// has an event in the index, and each of them saves a write.
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

/// Returns the key of the index by hour: `<RFC 3339 to the hour>#<shard>`.
fn hour_shard(time: Time, shard: u32) -> String {
    let time = time.to_string();
    let hour = time.get(..13).unwrap_or_default();
    format!("{hour}#{shard}")
}

/// Returns the sort key of event number `version`: twelve digits, so that events are sorted by it.
fn version(version: u64) -> String {
    format!("{version:012}")
}

/// The part of an event that the index by hour has.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct LoggedEvent {
    /// The aggregate.
    pub aggregate_id: String,
    /// The type of the event.
    #[serde(default)]
    pub event_type: String,
    /// When it happened.
    pub timestamp: Time,
}

/// An event as stored.
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
            version: version(event.version),
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing;
    use crate::values::event::Stamp;
    use crate::values::id::OrderId;

    #[tokio::test]
    async fn an_event_of_the_log_is_never_overwritten() {
        let (aws, engine) = testing::aws();
        let log = EventLog::new(&aws).unwrap();
        let id = OrderId::derived(&["order"]);
        let event = |event_type| {
            let now = "2026-03-01T09:30:00Z".parse().unwrap();
            DomainEvent::new(id, Stamp::new(id, 1, event_type, now), json!({}))
        };
        for event_type in ["OrderCreated", "OrderFailed"] {
            log.append(event(event_type)).await.unwrap();
        }
        let stored = engine.items(Setting::EventLogTable);
        let types: Vec<&Value> = stored.iter().map(|item| &item["event_type"]).collect();
        assert_eq!(types, ["OrderCreated"]);
    }

    /// Returns event number `version` of `teapot`.
    fn boiled(version: u64) -> DomainEvent {
        let stamp = Stamp::new("teapot", version, "TeapotBoiled", Time::from_millis(0));
        DomainEvent::new("teapot", stamp, json!({}))
    }

    #[tokio::test]
    async fn the_latest_events_and_those_that_are_missing_are_found() {
        let (aws, _) = testing::aws();
        let log = EventLog::new(&aws).unwrap();
        for version in [1, 2, 3, 12] {
            log.append(boiled(version)).await.unwrap();
        }
        let latest = log.latest("teapot", 2).await.unwrap();
        assert_eq!(latest, [boiled(3), boiled(12)]);
        let asked = [1, 4, 12, 4].map(boiled);
        let missing = log.missing(asked.into()).await.unwrap();
        assert_eq!(missing, [boiled(4), boiled(4)]);
        assert_eq!(log.missing(Vec::new()).await.unwrap(), []);
    }
}
