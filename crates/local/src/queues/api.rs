//! The operations of the SQS API.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::store::{Attribute, Receipt, Received};
use super::{Queue, Queues, chunks, digest, system_attributes};
use crate::aws::{self, AwsError, Call, Caller, Service};
use crate::params;

use self::checks::{MAX_BYTES, batch_answer, by_name, check_batch, find, invalid, seconds};
use self::requests::{
    Batch, ChangeMessageVisibility, DeleteEntry, DeleteMessage, GetQueueAttributes, GetQueueUrl,
    PurgeQueue, ReceiveMessage, StartMessageMoveTask,
};

mod checks;
mod requests;
mod send;

/// The longest visibility timeout, in seconds.
const MAX_VISIBILITY: u64 = 12 * 60 * 60;

/// The longest long poll, in seconds.
const MAX_WAIT: u64 = 20;

impl Queues {
    /// One call of the SQS API.
    ///
    /// # Errors
    /// As the API's own; an operation or parameter that is not emulated is refused by name.
    pub async fn call(
        &self,
        caller: &Caller,
        operation: &str,
        body: Value,
    ) -> Result<Value, AwsError> {
        call(self, caller, operation, body).await
    }
}

impl Service for Queues {
    fn call<'a>(&'a self, caller: &'a Caller, operation: &'a str, body: Value) -> Call<'a> {
        Box::pin(async move {
            let answer = self.call(caller, operation, body).await?;
            Ok(aws::text(&answer))
        })
    }
}

async fn call(
    queues: &Queues,
    caller: &Caller,
    operation: &str,
    body: Value,
) -> Result<Value, AwsError> {
    let who = caller.function.as_deref().unwrap_or_default();
    match operation {
        "SendMessage" => send::send(queues, who, params::read(operation, body)?),
        "SendMessageBatch" => send::send_batch(queues, who, params::read(operation, body)?),
        "ReceiveMessage" => receive(queues, who, params::read(operation, body)?).await,
        "DeleteMessage" => delete(queues, who, &params::read(operation, body)?),
        "DeleteMessageBatch" => delete_batch(queues, who, params::read(operation, body)?),
        "ChangeMessageVisibility" => {
            change_visibility(queues, who, &params::read(operation, body)?)
        }
        "GetQueueAttributes" => attributes(queues, who, &params::read(operation, body)?),
        "GetQueueUrl" => url(queues, who, &params::read(operation, body)?),
        "PurgeQueue" => purge(queues, who, &params::read(operation, body)?),
        "StartMessageMoveTask" => start_move(queues, who, &params::read(operation, body)?),
        other => Err(AwsError::unknown_operation("sqs", other)),
    }
}

async fn receive(queues: &Queues, who: &str, request: ReceiveMessage) -> Result<Value, AwsError> {
    let (id, queue) = find(queues, &request.queue_url)?;
    let most = request.max_number_of_messages.unwrap_or(1);
    if !(1..=10).contains(&most) {
        return Err(invalid("MaxNumberOfMessages is from 1 to 10."));
    }
    let visibility = seconds(
        "VisibilityTimeout",
        request.visibility_timeout,
        MAX_VISIBILITY,
    )?;
    let wait = seconds("WaitTimeSeconds", request.wait_time_seconds, MAX_WAIT)?.unwrap_or_default();
    let inner = &queues.inner;
    let mut received = inner.receive(id, queue, most, visibility, None);
    if received.is_empty() && !wait.is_zero() {
        let poll = async {
            loop {
                inner.ready(queue).await;
                let received = inner.receive(id, queue, most, visibility, None);
                if !received.is_empty() {
                    return received;
                }
            }
        };
        received = tokio::time::timeout(wait, poll).await.unwrap_or_default();
    }
    let bytes = received
        .iter()
        .map(|received| received.message.size_bytes())
        .sum();
    inner.bill.queue_requests(who, chunks(bytes));
    if received.is_empty() {
        return Ok(json!({}));
    }
    let system = [
        request.attribute_names,
        request.message_system_attribute_names,
    ]
    .concat();
    let messages = received
        .iter()
        .map(|received| written(queues, received, &system, &request.message_attribute_names));
    Ok(json!({"Messages": messages.collect::<Vec<_>>()}))
}

/// A message as `ReceiveMessage` writes it, with the attributes that were asked for.
fn written(queues: &Queues, received: &Received, system: &[String], names: &[String]) -> Value {
    let message = &received.message;
    let mut written = json!({
        "MessageId": message.id,
        "ReceiptHandle": received.handle,
        "Body": message.body,
        "MD5OfBody": digest::of_body(&message.body),
    });
    let asked = |name: &str| system.iter().any(|asked| asked == "All" || asked == name);
    let attributes: Map<String, Value> = system_attributes(queues, message)
        .into_iter()
        .filter(|(name, _)| asked(name))
        .collect();
    if !attributes.is_empty() {
        written["Attributes"] = attributes.into();
    }
    let asked = |name: &str| {
        names.iter().any(|asked| {
            asked == "All"
                || asked == name
                || asked
                    .strip_suffix(".*")
                    .is_some_and(|prefix| name.starts_with(prefix))
        })
    };
    let attributes: BTreeMap<String, Attribute> = message
        .attributes
        .clone()
        .into_iter()
        .filter(|(name, _)| asked(name))
        .collect();
    if let Some(digest) = digest::of_attributes(&attributes) {
        written["MD5OfMessageAttributes"] = digest.into();
        written["MessageAttributes"] = json!(attributes);
    }
    written
}

fn invalid_receipt(handle: &str) -> AwsError {
    AwsError::client(
        "ReceiptHandleIsInvalid",
        format!("The input receipt handle {handle:?} is invalid."),
    )
}

fn delete_one(queues: &Queues, queue: &Queue, handle: &str) -> Result<(), AwsError> {
    let now = queues.inner.clock.now();
    queue
        .with_store(now, |store| store.delete(handle))
        .ok_or_else(|| invalid_receipt(handle))
}

fn delete(queues: &Queues, who: &str, request: &DeleteMessage) -> Result<Value, AwsError> {
    let (_, queue) = find(queues, &request.queue_url)?;
    queues.inner.bill.queue_requests(who, 1);
    delete_one(queues, queue, &request.receipt_handle).map(|()| json!({}))
}

fn delete_batch(
    queues: &Queues,
    who: &str,
    request: Batch<DeleteEntry>,
) -> Result<Value, AwsError> {
    let (_, queue) = find(queues, &request.queue_url)?;
    check_batch(request.entries.iter().map(|entry| entry.id.as_str()))?;
    queues.inner.bill.queue_requests(who, 1);
    Ok(batch_answer(request.entries.into_iter().map(|entry| {
        (
            entry.id,
            delete_one(queues, queue, &entry.receipt_handle).map(|()| json!({})),
        )
    })))
}

fn change_visibility(
    queues: &Queues,
    who: &str,
    request: &ChangeMessageVisibility,
) -> Result<Value, AwsError> {
    let (_, queue) = find(queues, &request.queue_url)?;
    let visibility = seconds(
        "VisibilityTimeout",
        Some(request.visibility_timeout),
        MAX_VISIBILITY,
    )?;
    queues.inner.bill.queue_requests(who, 1);
    let now = queues.inner.clock.now();
    let changed = queue.with_store(now, |store| {
        let receipt = store.receipt(&request.receipt_handle, now)?;
        if let Receipt::Current(key) = receipt {
            store.change_visibility(key, now, visibility.unwrap_or_default());
        }
        Some(receipt)
    });
    queue.changed.notify_waiters();
    match changed {
        Some(Receipt::Current(_)) => Ok(json!({})),
        Some(Receipt::Stale) => Err(AwsError::client(
            "MessageNotInflight",
            "The specified message isn't in flight.",
        )),
        None => Err(invalid_receipt(&request.receipt_handle)),
    }
}

fn attributes(queues: &Queues, who: &str, request: &GetQueueAttributes) -> Result<Value, AwsError> {
    let (_, queue) = find(queues, &request.queue_url)?;
    queues.inner.bill.queue_requests(who, 1);
    let now = queues.inner.clock.now();
    let counts = queue.with_store(now, |store| store.counts(now));
    let settings = &queue.settings;
    let mut all = BTreeMap::from([
        ("QueueArn", queue.arn.clone()),
        ("ApproximateNumberOfMessages", counts.visible.to_string()),
        (
            "ApproximateNumberOfMessagesNotVisible",
            counts.in_flight.to_string(),
        ),
        (
            "ApproximateNumberOfMessagesDelayed",
            counts.delayed.to_string(),
        ),
        (
            "VisibilityTimeout",
            settings.visibility_timeout.as_secs().to_string(),
        ),
        ("DelaySeconds", settings.delay.as_secs().to_string()),
        (
            "MessageRetentionPeriod",
            settings.retention.as_secs().to_string(),
        ),
        ("MaximumMessageSize", MAX_BYTES.to_string()),
        ("ReceiveMessageWaitTimeSeconds", "0".to_owned()),
    ]);
    if let Some((most, to)) = &settings.redrive
        && let Some(to) = queues.inner.queues.get(to)
    {
        let policy = json!({"deadLetterTargetArn": to.arn, "maxReceiveCount": most});
        all.insert("RedrivePolicy", policy.to_string());
    }
    let names = &request.attribute_names;
    if let Some(unknown) = names
        .iter()
        .find(|name| *name != "All" && !all.contains_key(name.as_str()) && *name != "RedrivePolicy")
    {
        return Err(AwsError::client(
            "InvalidAttributeName",
            format!("Unknown Attribute {unknown}."),
        ));
    }
    all.retain(|name, _| names.iter().any(|asked| asked == "All" || asked == name));
    Ok(json!({"Attributes": all}))
}

fn url(queues: &Queues, who: &str, request: &GetQueueUrl) -> Result<Value, AwsError> {
    queues.inner.bill.queue_requests(who, 1);
    by_name(queues, &request.queue_name).map(|(_, queue)| json!({"QueueUrl": queue.url}))
}

fn purge(queues: &Queues, who: &str, request: &PurgeQueue) -> Result<Value, AwsError> {
    let (_, queue) = find(queues, &request.queue_url)?;
    queues.inner.bill.queue_requests(who, 1);
    queue.with_store(queues.inner.clock.now(), |store| drop(store.drain()));
    Ok(json!({}))
}

/// Moves all messages of a dead-letter queue back where they came from, or to a given queue, at
/// once.
fn start_move(
    queues: &Queues,
    who: &str,
    request: &StartMessageMoveTask,
) -> Result<Value, AwsError> {
    let inner = &queues.inner;
    let find = |arn: &str| {
        let found = inner.queues.iter().find(|(_, queue)| queue.arn == arn);
        let missing = || {
            AwsError::client(
                "ResourceNotFoundException",
                format!("there is no queue {arn}"),
            )
        };
        found.map(|(_, queue)| queue).ok_or_else(missing)
    };
    let source = find(&request.source_arn)?;
    let destination = request.destination_arn.as_deref().map(find).transpose()?;
    inner.bill.queue_requests(who, 1);
    let now = inner.clock.now();
    for message in source.with_store(now, super::store::Store::drain) {
        let origin = message.origin.as_ref().and_then(|id| inner.queues.get(id));
        // What did not come from a queue stays, as there is nowhere to move it back to.
        let to = destination.or(origin).unwrap_or(source);
        let mut message = message.moved(None);
        message.sent_at = now;
        to.with_store(now, |store| store.add(message, now, Duration::ZERO));
        to.changed.notify_waiters();
    }
    Ok(json!({"TaskHandle": uuid::Uuid::new_v4().to_string()}))
}
