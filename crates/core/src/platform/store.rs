//! The event log in DynamoDB: each event once, by aggregate and version.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clock::Time;
use crate::dynamo::{StoreError, Table, Written};
use crate::events::DomainEvent;
use crate::id::EventId;
use crate::lambda::Aws;
use crate::settings::{Setting, SettingError};

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

/// An event as it is stored. The version is a text of twelve digits, so that text order is its order.
#[derive(Serialize, Deserialize)]
struct EventItem {
    aggregate_id: String,
    version: String,
    event_id: EventId,
    event_type: String,
    timestamp: Time,
    data: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    traceparent: Option<String>,
}

impl From<DomainEvent> for EventItem {
    fn from(event: DomainEvent) -> Self {
        Self {
            aggregate_id: event.aggregate_id,
            version: format!("{:012}", event.version),
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
