//! Domain events: what happened, as the item that changed carries it and as the bus delivers it.
//!
//! A changed item holds the [`Stamp`] of its last event. The stream of its table delivers the item to
//! `publish-events`, which builds the [`DomainEvent`] from it. So no change is without its event, and no
//! event is without its change.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::values::clock::Time;
use crate::values::id::EventId;

/// What an item keeps of its last event, in its attribute `event`. The rest of the event is built from
/// the item itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// The event's id, the same for every delivery.
    pub id: EventId,
    /// What happened: `OrderCreated` and the like.
    #[serde(rename = "type")]
    pub event_type: String,
    /// Which of the aggregate's events this is, from 1.
    pub version: u64,
    /// When.
    pub at: Time,
    /// W3C trace context of the request that caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
}

impl Stamp {
    /// Returns the stamp of event number `version` of `aggregate_id`. Its id follows from these two, so
    /// that a repeated write makes the same event.
    #[must_use]
    pub fn new(aggregate_id: impl ToString, version: u64, event_type: &str, at: Time) -> Self {
        let id = EventId::derived(&["event", &aggregate_id.to_string(), &version.to_string()]);
        Self {
            id,
            event_type: event_type.to_owned(),
            version,
            at,
            traceparent: None,
        }
    }
}

/// A domain event, as the bus delivers it (`detail`) and as the event log keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DomainEvent {
    /// The same for every delivery of the event.
    pub event_id: EventId,
    /// What happened: `OrderCreated` and the like.
    pub event_type: String,
    /// What it happened to.
    pub aggregate_id: String,
    /// Which of the aggregate's events this is, from 1.
    pub version: u64,
    /// When.
    pub timestamp: Time,
    /// What consumers need beyond that; thin, and without personal data.
    pub data: Value,
    /// W3C trace context of the request that caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
}

impl DomainEvent {
    /// The event of `stamp`, which happened to `aggregate_id`.
    #[must_use]
    pub fn new(aggregate_id: impl ToString, stamp: Stamp, data: Value) -> Self {
        Self {
            event_id: stamp.id,
            event_type: stamp.event_type,
            aggregate_id: aggregate_id.to_string(),
            version: stamp.version,
            timestamp: stamp.at,
            data,
            traceparent: stamp.traceparent,
        }
    }
}

/// A domain event as EventBridge delivers it, through a queue or directly.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Delivered {
    /// When it was put on the bus: the current time for the consumer.
    pub time: Time,
    /// The event.
    pub detail: DomainEvent,
}

impl Delivered {
    /// Parses `message`, the body of a message from a queue that a rule feeds.
    ///
    /// # Errors
    /// If the message is not a delivered event.
    pub fn parse(message: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(message)
    }
}
