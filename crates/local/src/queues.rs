//! SQS: standard queues, and the mappings that feed functions from them.
//!
//! Delay, visibility and retention go by the clock. A long poll is a caller who waits for an
//! response, so it goes by the machine's own time; what the clock makes visible meanwhile ends it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use thiserror::Error;
use tokio::sync::Notify;

use self::store::{Attribute, Message, Received, Store};
use crate::arn::{Arns, queue_url};
use crate::bill::Bill;
use crate::clock::Clock;
use crate::model::{self, Destination, Stack};

mod api;
mod digest;
mod mapping;
mod store;
#[cfg(test)]
mod tests;

/// Why a mapping cannot be run here.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("the queue mapping of {function}: {fault}")]
pub struct MappingError {
    /// The function, by logical id.
    pub function: String,
    /// What is wrong.
    pub fault: String,
}

/// The stack's queues. Clones share them.
#[derive(Clone, Debug)]
pub struct Queues {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    arns: Arns,
    bill: Bill,
    clock: Clock,
    queues: BTreeMap<String, Queue>,
}

#[derive(Debug)]
struct Queue {
    settings: model::Queue,
    arn: String,
    url: String,
    /// Whether undeliverable messages of something else come here.
    dead_letters: bool,
    store: Mutex<Store>,
    /// Told when a message may have become visible other than by time.
    changed: Notify,
}

impl Queues {
    /// The queues of `stack`, empty. `endpoint` is what queue URLs begin with.
    #[must_use]
    pub fn new(stack: &Stack, clock: Clock, bill: Bill, arns: Arns, endpoint: &str) -> Self {
        let dead_letters = dead_letter_queues(stack);
        let queues = stack.queues.iter().map(|(id, settings)| {
            let queue = Queue {
                arn: arns.queue(&settings.name),
                url: queue_url(endpoint, &settings.name),
                dead_letters: dead_letters.contains(id.as_str()),
                settings: settings.clone(),
                store: Mutex::default(),
                changed: Notify::new(),
            };
            (id.clone(), queue)
        });
        let queues = queues.collect();
        Self {
            inner: Arc::new(Inner {
                arns,
                bill,
                clock,
                queues,
            }),
        }
    }

    /// Sends a message to a queue (logical id), as another service does. `attributes` are message
    /// attributes in the API's JSON, or null. Answers the message's id.
    pub fn send(
        &self,
        queue: &str,
        body: String,
        attributes: Value,
        delay: Option<Duration>,
    ) -> String {
        let Some(queue) = self.inner.queues.get(queue) else {
            // The template's references were checked when it was loaded.
            tracing::error!(queue, "a message was sent to a queue that is not there");
            return String::new();
        };
        let attributes: BTreeMap<String, Attribute> =
            serde_json::from_value(attributes).unwrap_or_default();
        let message = Message::new(
            body,
            attributes,
            "AROALOCAL:service",
            self.inner.clock.now(),
        );
        self.inner
            .bill
            .queue_requests("", chunks(message.size_bytes()));
        let id = message.id.clone();
        self.inner.add(queue, message, delay);
        id
    }

    /// The body of `/_local/queues`: `{queues:{ID:{name,arn,url,visible,in_flight,delayed}}}` by
    /// logical id, with `messages`, the bodies, for dead-letter queues.
    #[must_use]
    pub fn snapshot(&self) -> Value {
        let queues = self.inner.queues.iter().map(|(id, queue)| {
            let now = self.inner.clock.now();
            let entry = queue.with_store(now, |store| {
                let counts = store.counts(now);
                let mut entry = json!({
                    "name": queue.settings.name,
                    "arn": queue.arn,
                    "url": queue.url,
                    "visible": counts.visible,
                    "in_flight": counts.in_flight,
                    "delayed": counts.delayed,
                });
                if queue.dead_letters {
                    entry["messages"] = store.bodies().map(Value::from).collect();
                }
                entry
            });
            (id.clone(), entry)
        });
        json!({ "queues": queues.collect::<Map<_, _>>() })
    }
}

impl Inner {
    /// Adds a message, which becomes visible after `delay` or the queue's own.
    fn add(&self, queue: &Queue, message: Message, delay: Option<Duration>) {
        let delay = delay.unwrap_or(queue.settings.delay);
        let now = self.clock.now();
        queue.with_store(now, |store| store.add(message, now, delay));
        queue.changed.notify_waiters();
    }

    /// Receives up to `most` messages, in the order in which they came or in that of a seed. Those that were received
    /// too often go to the dead-letter queue.
    fn receive(
        &self,
        id: &str,
        queue: &Queue,
        most: usize,
        visibility: Option<Duration>,
        order: Option<u64>,
    ) -> Vec<Received> {
        let now = self.clock.now();
        let redrive = queue.settings.redrive.as_ref();
        let dead_letter_queue = redrive.and_then(|(_, id)| self.queues.get(id));
        let max_receives = redrive
            .filter(|_| dead_letter_queue.is_some())
            .map(|(max, _)| *max);
        let visibility = visibility.unwrap_or(queue.settings.visibility_timeout);
        let (received, dead) = queue.with_store(now, |store| {
            store.receive(now, most, visibility, max_receives, order)
        });
        for message in dead {
            if let Some(to) = dead_letter_queue {
                // Keeps its id and, as AWS does for standard queues, the time when it was sent.
                let moved = message.moved(Some(id.to_owned()));
                to.with_store(now, |store| store.add(moved, now, Duration::ZERO));
                to.changed.notify_waiters();
            }
        }
        received
    }

    /// Resolves once there is a message to receive, or to give up.
    async fn ready(&self, queue: &Queue) {
        loop {
            let changed = queue.changed.notified();
            tokio::pin!(changed);
            // Listens from here on, so that nothing between the look and the wait is missed.
            changed.as_mut().enable();
            let now = self.clock.now();
            match queue.with_store(now, |store| store.next_visible()) {
                Some(at) if at <= now => return,
                Some(at) => tokio::select! {
                    () = changed => {}
                    () = self.clock.sleep_until(at) => {}
                },
                None => changed.await,
            }
        }
    }
}

impl Queue {
    /// Works on the messages, after those that are too old have gone.
    fn with_store<T>(&self, now: Timestamp, work: impl FnOnce(&mut Store) -> T) -> T {
        let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        store.expire(now, self.settings.retention);
        work(&mut store)
    }
}

/// A message's attributes that SQS itself gives it.
fn system_attributes(queues: &Queues, message: &Message) -> Map<String, Value> {
    let mut attributes = Map::new();
    let mut put = |name: &str, value: String| attributes.insert(name.to_owned(), value.into());
    put("ApproximateReceiveCount", message.receives.to_string());
    put("SenderId", message.sender.clone());
    put(
        "SentTimestamp",
        message.sent_at.as_millisecond().to_string(),
    );
    if let Some(at) = message.first_received_at {
        put(
            "ApproximateFirstReceiveTimestamp",
            at.as_millisecond().to_string(),
        );
    }
    if let Some(header) = &message.trace_header {
        put("AWSTraceHeader", header.clone());
    }
    if let Some(origin) = message
        .origin
        .as_ref()
        .and_then(|id| queues.inner.queues.get(id))
    {
        put("DeadLetterQueueSourceArn", origin.arn.clone());
    }
    attributes
}

/// How many requests AWS counts for so many bytes: one for each 64 KiB begun.
fn chunks(bytes: usize) -> u64 {
    (bytes as u64).div_ceil(64 * 1024).max(1)
}

/// The queues, by logical id, that take what something else in the stack could not deliver.
fn dead_letter_queues(stack: &Stack) -> BTreeSet<&str> {
    let redrives = stack
        .queues
        .values()
        .filter_map(|queue| queue.redrive.as_ref().map(|(_, id)| id.as_str()));
    let targets = stack.rules.values().flat_map(|rule| &rule.targets);
    let targets = targets.filter_map(|target| target.dead_letter_queue.as_deref());
    let functions = stack
        .functions
        .values()
        .filter_map(|function| function.async_on_failure.as_ref());
    let mappings = stack
        .mappings
        .iter()
        .filter_map(|mapping| mapping.on_failure.as_ref());
    let destinations = functions
        .chain(mappings)
        .filter_map(|destination| match destination {
            Destination::Queue(id) => Some(id.as_str()),
            Destination::Bucket(_) => None,
        });
    redrives.chain(targets).chain(destinations).collect()
}
