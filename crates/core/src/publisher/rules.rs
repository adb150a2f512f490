//! Pure decisions about publishing: which changes are events, and how events are grouped into calls.

use serde_dynamo::AttributeValue;

use super::tables::Tables;
use crate::values::event::DomainEvent;
use crate::values::stream::StreamRecord;

/// The most entries of one call (EventBridge quota of `PutEvents`).
const ENTRIES_PER_CALL: usize = 10;

/// The most bytes of all entries of one call (EventBridge quota of `PutEvents`).
const BYTES_PER_CALL: usize = 256 * 1024;

/// The bytes that EventBridge counts for the time of an entry.
const BYTES_OF_TIME: usize = 14;

/// Why a change can never be published. It does not tell what the item contains, because it is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unpublishable {
    /// It is a change of a table that no service with events owns.
    #[error("the table belongs to no service with events")]
    UnknownTable,
    /// The item does not have the shape that its service stores.
    #[error("the item does not have the shape of its service")]
    Shape,
    /// The event cannot be written as JSON.
    #[error("the event cannot be written")]
    Json,
    /// The event is too large for the bus.
    #[error("the event has {0} bytes, which is too large for the bus")]
    TooLarge(usize),
    /// The bus refused the event because of what it contains.
    #[error("the bus refused what the event contains")]
    Rejected,
}

/// An event as it is put on the bus.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// `oxcart.<service>`.
    pub source: &'static str,
    /// The event.
    pub event: DomainEvent,
    /// The event as JSON.
    pub detail: String,
}

impl Entry {
    fn new(source: &'static str, event: DomainEvent) -> Result<Self, Unpublishable> {
        let detail = serde_json::to_string(&event).map_err(|_| Unpublishable::Json)?;
        let entry = Self {
            source,
            event,
            detail,
        };
        match entry.bytes() {
            bytes if bytes > BYTES_PER_CALL => Err(Unpublishable::TooLarge(bytes)),
            _ => Ok(entry),
        }
    }

    /// Returns the size of the entry as EventBridge counts it.
    fn bytes(&self) -> usize {
        self.source.len() + self.event.event_type.len() + self.detail.len() + BYTES_OF_TIME
    }
}

/// Returns the event of the changed item, or `None` if the change made no event: writes that make none
/// leave the item's `event` as it was.
///
/// # Errors
/// Returns [`Unpublishable`] if there is an event that cannot be built.
pub fn new_entry(tables: &Tables, record: &StreamRecord) -> Result<Option<Entry>, Unpublishable> {
    let Some(image) = record.new_image() else {
        return Ok(None);
    };
    let Some(event) = image.get("event") else {
        return Ok(None);
    };
    let event_before = record.old_image().and_then(|image| image.get("event"));
    let id_before = event_before.and_then(event_id);
    if id_before.is_some() && id_before == event_id(event) {
        return Ok(None);
    }
    entry_of(tables, record.table(), image.clone())
}

/// Returns the event that the item `image` of `table` carries, or `None` if it carries none.
///
/// # Errors
/// Returns [`Unpublishable`] if there is an event that cannot be built.
pub fn entry_of(
    tables: &Tables,
    table: &str,
    image: serde_dynamo::Item,
) -> Result<Option<Entry>, Unpublishable> {
    let owner = tables.owner(table).ok_or(Unpublishable::UnknownTable)?;
    let source = owner.source_of(&image);
    let published = owner.published(image).map_err(|_| Unpublishable::Shape)?;
    published.map(|event| Entry::new(source, event)).transpose()
}

fn event_id(event: &AttributeValue) -> Option<&str> {
    let AttributeValue::M(event) = event else {
        return None;
    };
    match event.get("id") {
        Some(AttributeValue::S(id)) => Some(id),
        _ => None,
    }
}

/// Groups `entries`, in their order, so that each group fits in one call.
pub fn group_into_calls<T>(entries: Vec<T>, entry: impl Fn(&T) -> &Entry) -> Vec<Vec<T>> {
    let mut calls: Vec<Vec<T>> = Vec::new();
    let mut bytes = 0;
    for next in entries {
        let size = entry(&next).bytes();
        match calls.last_mut() {
            Some(call) if call.len() < ENTRIES_PER_CALL && bytes + size <= BYTES_PER_CALL => {
                call.push(next);
                bytes += size;
            }
            Some(_) | None => {
                calls.push(vec![next]);
                bytes = size;
            }
        }
    }
    calls
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::values::clock::Time;
    use crate::values::event::Stamp;

    fn entry(size: usize) -> Entry {
        let stamp = Stamp::new("a", 1, "Made", Time::from_millis(0));
        let text = "x".repeat(size);
        let event = DomainEvent::new("a", stamp, serde_json::Value::String(text));
        let detail = serde_json::to_string(&event).unwrap_or_default();
        Entry {
            source: "test",
            event,
            detail,
        }
    }

    #[test]
    fn an_event_that_is_too_large_for_a_call_is_refused() {
        let event = entry(BYTES_PER_CALL).event;
        let refused = Entry::new("test", event);
        assert!(matches!(refused, Err(Unpublishable::TooLarge(_))));
        assert!(Entry::new("test", entry(200_000).event).is_ok());
    }

    proptest! {
        #[test]
        fn calls_keep_the_order_and_the_quotas(
            sizes in proptest::collection::vec(0_usize..120_000, 0..40),
        ) {
            let entries: Vec<Entry> = sizes.iter().copied().map(entry).collect();
            let calls = group_into_calls(entries.clone(), |entry| entry);
            for call in &calls {
                prop_assert!((1..=ENTRIES_PER_CALL).contains(&call.len()));
                prop_assert!(call.iter().map(Entry::bytes).sum::<usize>() <= BYTES_PER_CALL);
            }
            prop_assert_eq!(calls.concat(), entries);
        }
    }
}
