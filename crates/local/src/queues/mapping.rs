//! Mappings: functions that are fed from queues.
//!
//! A batch is received when there is one, or when its window has passed on the clock; up to five
//! batches are worked on at a time unless the mapping says otherwise, which is what Lambda begins
//! with. What the function did deletes its messages; what it did not comes back after the queue's
//! visibility timeout.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use quamina::Quamina;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::store::{Attribute, Received};
use super::{MappingError, Queue, Queues, chunks, digest, system_attributes};
use crate::functions::Functions;
use crate::model::{Mapping, Source, Stack};

/// How many batches are worked on at a time, unless the mapping says it.
const CONCURRENCY: u32 = 5;

/// The response of a function that reports single failures.
#[derive(Deserialize)]
struct PartialAnswer {
    #[serde(rename = "batchItemFailures")]
    failures: Option<Vec<FailedItem>>,
}

#[derive(Deserialize)]
struct FailedItem {
    #[serde(rename = "itemIdentifier")]
    id: String,
}

#[derive(Clone)]
struct Pump {
    queues: Queues,
    queue: String,
    mapping: Arc<Mapping>,
    functions: Functions,
    filter: Option<Arc<Quamina>>,
}

impl Queues {
    /// Starts to feed functions from queues, as the mappings of `stack` say, for as long as the
    /// returned set lives. Needs a Tokio runtime to run in.
    ///
    /// # Errors
    /// [`MappingError`] for the first mapping that asks for what is not emulated.
    pub fn start_mappings(
        &self,
        stack: &Stack,
        functions: &Functions,
    ) -> Result<JoinSet<()>, MappingError> {
        let mut pumps = JoinSet::new();
        for mapping in &stack.mappings {
            if let Source::Queue(queue) = &mapping.source {
                pumps.spawn(pump(self, queue, mapping, functions)?);
            }
        }
        Ok(pumps)
    }
}

/// What feeds the mapping's function, until it is dropped.
fn pump(
    queues: &Queues,
    queue: &str,
    mapping: &Mapping,
    functions: &Functions,
) -> Result<impl Future<Output = ()> + Send + 'static, MappingError> {
    let refuse = |fault: String| MappingError {
        function: mapping.function.clone(),
        fault,
    };
    if !queues.inner.queues.contains_key(queue) {
        return Err(refuse(format!("there is no queue {queue}")));
    }
    let mut filter = Quamina::new();
    for pattern in &mapping.filters {
        filter
            .add_pattern("match".to_owned(), &pattern.to_string())
            .map_err(|error| refuse(error.to_string()))?;
    }
    let pump = Pump {
        queues: queues.clone(),
        queue: queue.to_owned(),
        mapping: Arc::new(mapping.clone()),
        functions: functions.clone(),
        filter: (!mapping.filters.is_empty()).then(|| Arc::new(filter)),
    };
    Ok(pump.run())
}

impl Pump {
    async fn run(self) {
        let Some(queue) = self.queues.inner.queues.get(&self.queue) else {
            return;
        };
        let most = self.mapping.max_concurrency.unwrap_or(CONCURRENCY).max(1);
        let permits = Arc::new(Semaphore::new(
            usize::try_from(most).unwrap_or(Semaphore::MAX_PERMITS),
        ));
        let mut batches = JoinSet::new();
        while let Ok(permit) = Arc::clone(&permits).acquire_owned().await {
            while batches.try_join_next().is_some() {}
            self.queues.inner.ready(queue).await;
            self.gather(queue).await;
            let order = self.functions.order(&self.mapping.function);
            let most = self.mapping.batch_size;
            let inner = &self.queues.inner;
            let batch = inner.receive(&self.queue, queue, most, None, order);
            let batch = self.keep_matching(queue, batch);
            if batch.is_empty() {
                continue;
            }
            let pump = self.clone();
            batches.spawn(async move {
                pump.deliver(batch).await;
                drop(permit);
            });
        }
    }

    /// Waits for a full batch, but no longer than the window.
    async fn gather(&self, queue: &Queue) {
        let inner = &self.queues.inner;
        let window = SignedDuration::try_from(self.mapping.window).unwrap_or(SignedDuration::MAX);
        let until = inner
            .clock
            .now()
            .saturating_add(window)
            .unwrap_or(Timestamp::MAX);
        loop {
            let changed = queue.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let now = inner.clock.now();
            let visible = queue.with_store(now, |store| store.counts(now)).visible;
            if now >= until || visible >= self.mapping.batch_size {
                return;
            }
            tokio::select! {
                () = changed => {}
                () = inner.clock.sleep_until(until) => {}
            }
        }
    }

    /// Deletes the messages that match none of the mapping's filters, and counts the receive.
    fn keep_matching(&self, queue: &Queue, batch: Vec<Received>) -> Vec<Received> {
        if batch.is_empty() {
            return batch;
        }
        let bytes = batch
            .iter()
            .map(|received| received.message.size_bytes())
            .sum();
        self.queues.inner.bill.queue_requests(
            &self.mapping.function,
            chunks(bytes).max(requests(batch.len())),
        );
        let Some(filter) = &self.filter else {
            return batch;
        };
        let (keep, rest): (Vec<_>, Vec<_>) = batch.into_iter().partition(|received| {
            let mut record = self.record(queue, received);
            // A body in JSON is matched as such.
            if let Ok(body) = serde_json::from_str::<Value>(&received.message.body) {
                record["body"] = body;
            }
            filter
                .has_matches(record.to_string().as_bytes())
                .unwrap_or(false)
        });
        self.delete(queue, &rest);
        keep
    }

    async fn deliver(&self, batch: Vec<Received>) {
        let Some(queue) = self.queues.inner.queues.get(&self.queue) else {
            return;
        };
        let records: Vec<Value> = batch
            .iter()
            .map(|received| self.record(queue, received))
            .collect();
        let event = json!({ "Records": records }).to_string();
        let done = match self
            .functions
            .invoke_from("sqs", &self.mapping.function, event.into())
            .await
        {
            Ok(answer) => completed(batch, self.mapping.partial_batches.then_some(&answer)),
            Err(error) => {
                tracing::warn!(function = self.mapping.function, %error, "a batch of messages failed");
                Vec::new()
            }
        };
        self.delete(queue, &done);
    }

    fn delete(&self, queue: &Queue, messages: &[Received]) {
        if messages.is_empty() {
            return;
        }
        let inner = &self.queues.inner;
        inner
            .bill
            .queue_requests(&self.mapping.function, requests(messages.len()));
        queue.with_store(inner.clock.now(), |store| {
            for received in messages {
                store.delete(&received.handle);
            }
        });
    }

    /// A message as Lambda hands it to a function.
    fn record(&self, queue: &Queue, received: &Received) -> Value {
        let message = &received.message;
        let attributes: Map<String, Value> = message
            .attributes
            .iter()
            .map(|(name, attribute)| (name.clone(), lambda_attribute(attribute)))
            .collect();
        json!({
            "messageId": message.id,
            "receiptHandle": received.handle,
            "body": message.body,
            "attributes": system_attributes(&self.queues, message),
            "messageAttributes": attributes,
            "md5OfBody": digest::of_body(&message.body),
            "md5OfMessageAttributes": digest::of_attributes(&message.attributes),
            "eventSource": "aws:sqs",
            "eventSourceARN": queue.arn,
            "awsRegion": self.queues.inner.arns.region(),
        })
    }
}

fn lambda_attribute(attribute: &Attribute) -> Value {
    json!({
        "dataType": attribute.data_type,
        "stringValue": attribute.string_value,
        "binaryValue": attribute.binary_value,
        "stringListValues": [],
        "binaryListValues": [],
    })
}

/// How many calls a poller makes for so many messages: ten at most in each.
fn requests(messages: usize) -> u64 {
    (messages as u64).div_ceil(10)
}

/// The messages of a batch that are done with. `answer` is the function's, where it may report
/// single failures; a response that cannot be understood, or names a message that is not of the
/// batch, fails all of it (Lambda Developer Guide, "Reporting batch item failures").
fn completed(batch: Vec<Received>, answer: Option<&Bytes>) -> Vec<Received> {
    let Some(answer) = answer.filter(|answer| !answer.is_empty()) else {
        return batch;
    };
    let failures = match serde_json::from_slice::<Option<PartialAnswer>>(answer) {
        Ok(answer) => answer
            .and_then(|answer| answer.failures)
            .unwrap_or_default(),
        Err(error) => {
            tracing::warn!(%error, "a function's batch answer is not understood; the batch failed");
            return Vec::new();
        }
    };
    let failed: BTreeSet<&str> = failures.iter().map(|item| item.id.as_str()).collect();
    let known = failed
        .iter()
        .all(|id| batch.iter().any(|received| received.message.id == *id));
    if !known {
        tracing::warn!("a function reports the failure of a message that is not of its batch");
        return Vec::new();
    }
    batch
        .into_iter()
        .filter(|received| !failed.contains(received.message.id.as_str()))
        .collect()
}
