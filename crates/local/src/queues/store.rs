//! The messages of one queue. Pure: the time is passed in.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The value of a message attribute, as in the SQS API.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct Attribute {
    pub(super) data_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) string_value: Option<String>,
    /// In base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) binary_value: Option<String>,
}

/// A message in a queue.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) id: String,
    pub(super) body: String,
    pub(super) attributes: BTreeMap<String, Attribute>,
    pub(super) trace_header: Option<String>,
    /// Who sent it: `SenderId`.
    pub(super) sender: String,
    pub(super) sent_at: Timestamp,
    pub(super) first_received_at: Option<Timestamp>,
    pub(super) receives: u32,
    /// The queue (logical id) that gave it up, in a dead-letter queue.
    pub(super) origin: Option<String>,
    visible_at: Timestamp,
}

impl Message {
    pub(super) fn new(
        body: String,
        attributes: BTreeMap<String, Attribute>,
        sender: &str,
        now: Timestamp,
    ) -> Self {
        Self {
            id: Uuid::new_v4().to_string(),
            body,
            attributes,
            trace_header: None,
            sender: sender.to_owned(),
            sent_at: now,
            first_received_at: None,
            receives: 0,
            origin: None,
            visible_at: now,
        }
    }

    /// The message as it begins anew in another queue: the same, never received there.
    pub(super) fn moved(self, origin: Option<String>) -> Self {
        Self {
            origin,
            receives: 0,
            first_received_at: None,
            ..self
        }
    }

    /// What counts against the size limit: the body, and the attributes' names, types and values.
    pub(super) fn size_bytes(&self) -> usize {
        let attributes = self.attributes.iter().map(|(name, attribute)| {
            let value = attribute.string_value.as_ref().map_or(0, String::len);
            let binary = attribute
                .binary_value
                .as_ref()
                .map_or(0, |base64| base64.len() / 4 * 3);
            name.len() + attribute.data_type.len() + value + binary
        });
        self.body.len() + attributes.sum::<usize>()
    }
}

/// A message with the handle of this receive.
#[derive(Clone, Debug)]
pub(super) struct Received {
    pub(super) handle: String,
    pub(super) message: Message,
}

/// How many messages are in which condition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) visible: usize,
    pub(super) in_flight: usize,
    pub(super) delayed: usize,
}

/// What a receipt handle refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Receipt {
    /// The latest receive of a message that is in flight.
    Current(u64),
    /// A message that is gone, or visible again, or received again since.
    Stale,
}

/// One queue's messages, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Store {
    messages: BTreeMap<u64, Message>,
    next: u64,
}

impl Store {
    /// Adds a message that becomes visible after `delay`.
    pub(super) fn add(&mut self, mut message: Message, now: Timestamp, delay: Duration) {
        message.visible_at = after(now, delay);
        self.messages.insert(self.next, message);
        self.next += 1;
    }

    /// Forgets messages older than `retention`.
    pub(super) fn expire(&mut self, now: Timestamp, retention: Duration) {
        self.messages
            .retain(|_, message| after(message.sent_at, retention) > now);
    }

    /// Receives up to `most` visible messages, and hides them for `visibility`: the first that came, or those that the
    /// seed `order` draws. Those that were received `max_receives` times before are taken out instead: they are the
    /// second part of the response.
    pub(super) fn receive(
        &mut self,
        now: Timestamp,
        most: usize,
        visibility: Duration,
        max_receives: Option<u32>,
        order: Option<u64>,
    ) -> (Vec<Received>, Vec<Message>) {
        let mut received = Vec::new();
        let mut dead = Vec::new();
        let visible = self.messages.iter_mut();
        let mut visible: Vec<_> = visible
            .filter(|(_, message)| message.visible_at <= now)
            .collect();
        if let Some(seed) = order {
            visible.shuffle(&mut StdRng::seed_from_u64(seed));
        }
        for (&key, message) in visible {
            if received.len() == most {
                break;
            }
            if max_receives.is_some_and(|max| message.receives >= max) {
                dead.push(key);
                continue;
            }
            message.receives += 1;
            message.first_received_at.get_or_insert(now);
            message.visible_at = after(now, visibility);
            let handle = format!("{key}/{}/{}", message.receives, message.id);
            received.push(Received {
                handle,
                message: message.clone(),
            });
        }
        let dead = dead
            .into_iter()
            .filter_map(|key| self.messages.remove(&key))
            .collect();
        (received, dead)
    }

    /// What `handle` refers to; `None` if no receive has ever given it.
    pub(super) fn receipt(&self, handle: &str, now: Timestamp) -> Option<Receipt> {
        let mut parts = handle.splitn(3, '/');
        let key = parts.next()?.parse::<u64>().ok()?;
        let receives = parts.next()?.parse::<u32>().ok()?;
        let id = parts.next()?;
        let current = self.messages.get(&key).is_some_and(|message| {
            message.id == id && message.receives == receives && message.visible_at > now
        });
        Some(if current {
            Receipt::Current(key)
        } else {
            Receipt::Stale
        })
    }

    /// Deletes the message of `handle`. After its visibility timeout it is still deleted as long as
    /// nobody else has received it. `None` if no receive has ever given the handle.
    pub(super) fn delete(&mut self, handle: &str) -> Option<()> {
        if let Receipt::Current(key) = self.receipt(handle, Timestamp::MIN)? {
            self.messages.remove(&key);
        }
        Some(())
    }

    /// Makes a message visible after `visibility` from now on.
    pub(super) fn change_visibility(&mut self, key: u64, now: Timestamp, visibility: Duration) {
        if let Some(message) = self.messages.get_mut(&key) {
            message.visible_at = after(now, visibility);
        }
    }

    /// Takes all messages out.
    pub(super) fn drain(&mut self) -> Vec<Message> {
        std::mem::take(&mut self.messages).into_values().collect()
    }

    /// When the next message is, or was, visible.
    pub(super) fn next_visible(&self) -> Option<Timestamp> {
        self.messages
            .values()
            .map(|message| message.visible_at)
            .min()
    }

    /// How many messages are in which condition.
    pub(super) fn counts(&self, now: Timestamp) -> Counts {
        let mut counts = Counts::default();
        for message in self.messages.values() {
            match (message.visible_at <= now, message.receives) {
                (true, _) => counts.visible += 1,
                (false, 0) => counts.delayed += 1,
                (false, _) => counts.in_flight += 1,
            }
        }
        counts
    }

    /// The bodies of all messages.
    pub(super) fn bodies(&self) -> impl Iterator<Item = &str> {
        self.messages.values().map(|message| message.body.as_str())
    }
}

/// `duration` after `at`; the end of time if there is none such.
fn after(at: Timestamp, duration: Duration) -> Timestamp {
    let by = SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX);
    at.saturating_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const VISIBILITY: Duration = Duration::from_secs(30);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn store(bodies: &[&str]) -> Store {
        let mut store = Store::default();
        for body in bodies {
            let message = Message::new((*body).to_owned(), BTreeMap::new(), "test", at(0));
            store.add(message, at(0), Duration::ZERO);
        }
        store
    }

    fn bodies(received: &[Received]) -> Vec<&str> {
        received
            .iter()
            .map(|received| received.message.body.as_str())
            .collect()
    }

    #[test]
    fn a_received_message_is_hidden_until_its_visibility_timeout() {
        let mut store = store(&["a", "b"]);
        assert_eq!(
            bodies(&store.receive(at(0), 1, VISIBILITY, None, None).0),
            ["a"]
        );
        assert_eq!(
            bodies(&store.receive(at(0), 10, VISIBILITY, None, None).0),
            ["b"]
        );
        assert_eq!(
            store.counts(at(29)),
            Counts {
                visible: 0,
                in_flight: 2,
                delayed: 0
            }
        );
        let again = store.receive(at(30), 10, VISIBILITY, None, None).0;
        assert_eq!(bodies(&again), ["a", "b"]);
        assert_eq!(again[0].message.receives, 2);
        assert_eq!(again[0].message.first_received_at, Some(at(0)));
    }

    #[test]
    fn only_the_latest_receipt_deletes() {
        let mut store = store(&["a"]);
        let first = store
            .receive(at(0), 1, VISIBILITY, None, None)
            .0
            .remove(0)
            .handle;
        let second = store
            .receive(at(30), 1, VISIBILITY, None, None)
            .0
            .remove(0)
            .handle;
        assert_eq!(store.delete(&first), Some(()));
        assert_eq!(store.counts(at(30)).in_flight, 1);
        assert_eq!(store.receipt(&first, at(30)), Some(Receipt::Stale));
        assert_eq!(store.delete(&second), Some(()));
        assert_eq!(store.counts(at(30)), Counts::default());
        assert_eq!(store.delete("nonsense"), None);
    }

    #[test]
    fn a_message_received_too_often_is_given_up() {
        let mut store = store(&["a", "b"]);
        for second in [0, 30] {
            assert_eq!(
                store
                    .receive(at(second), 1, VISIBILITY, Some(2), None)
                    .0
                    .len(),
                1
            );
        }
        let (received, dead) = store.receive(at(60), 1, VISIBILITY, Some(2), None);
        assert_eq!(bodies(&received), ["b"]);
        assert_eq!(dead.len(), 1);
        assert_eq!((dead[0].body.as_str(), dead[0].receives), ("a", 2));
    }

    #[test]
    fn a_seed_draws_another_order_and_loses_nothing() {
        let sent = ["a", "b", "c", "d", "e"];
        let order = |seed| {
            let mut store = store(&sent);
            let first = store.receive(at(0), 2, VISIBILITY, None, seed).0;
            let rest = store.receive(at(0), 10, VISIBILITY, None, seed).0;
            let all = [bodies(&first), bodies(&rest)].concat();
            all.into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(order(None), sent);
        assert_ne!(order(Some(1)), sent);
        assert_eq!(order(Some(1)), order(Some(1)));
        let mut drawn = order(Some(1));
        drawn.sort_unstable();
        assert_eq!(drawn, sent);
    }

    #[test]
    fn a_delayed_message_comes_later_and_an_old_one_never() {
        let mut store = Store::default();
        let message = Message::new("a".to_owned(), BTreeMap::new(), "test", at(0));
        store.add(message, at(0), Duration::from_secs(5));
        assert_eq!(
            store.counts(at(4)),
            Counts {
                visible: 0,
                in_flight: 0,
                delayed: 1
            }
        );
        assert_eq!(store.next_visible(), Some(at(5)));
        assert_eq!(store.counts(at(5)).visible, 1);
        store.expire(at(59), Duration::from_mins(1));
        assert_eq!(store.counts(at(59)).visible, 1);
        store.expire(at(60), Duration::from_mins(1));
        assert_eq!(store.counts(at(60)), Counts::default());
    }
}
