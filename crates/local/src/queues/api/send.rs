//! `SendMessage` and `SendMessageBatch`.

use std::time::Duration;

use serde_json::{Value, json};

use super::checks::{MAX_BYTES, batch_answer, check_batch, find, invalid, seconds};
use super::requests::{Batch, SendEntry, SendMessage};
use crate::aws::AwsError;
use crate::queues::store::{Attribute, Message};
use crate::queues::{Queues, chunks, digest};

/// The longest delay, in seconds.
const MAX_DELAY: u64 = 900;

/// Checks a message and makes it.
fn message(
    queues: &Queues,
    who: &str,
    entry: SendEntry,
) -> Result<(Message, Option<Duration>), AwsError> {
    let delay = seconds("DelaySeconds", entry.delay_seconds, MAX_DELAY)?;
    if entry.message_body.is_empty() {
        return Err(AwsError::client(
            "MissingParameter",
            "The request must contain the parameter MessageBody.",
        ));
    }
    // What XML 1.0 has no character for, SQS refuses.
    let forbidden = |c: char| {
        (c < ' ' && !matches!(c, '\t' | '\n' | '\r')) || matches!(c, '\u{FFFE}' | '\u{FFFF}')
    };
    if entry.message_body.contains(forbidden) {
        return Err(AwsError::client(
            "InvalidMessageContents",
            "The message contains characters outside the allowed set.",
        ));
    }
    if entry.message_attributes.len() > 10 {
        return Err(invalid(
            "Number of message attributes exceeds the allowed maximum [10].",
        ));
    }
    for (name, attribute) in &entry.message_attributes {
        check_attribute(name, attribute)?;
    }
    let sender = if who.is_empty() {
        "AIDALOCAL".to_owned()
    } else {
        format!("AROALOCAL:{who}")
    };
    let mut message = Message::new(
        entry.message_body,
        entry.message_attributes,
        &sender,
        queues.inner.clock.now(),
    );
    for (name, attribute) in entry.message_system_attributes {
        match (name.as_str(), attribute.string_value) {
            ("AWSTraceHeader", Some(header)) => message.trace_header = Some(header),
            _ => {
                return Err(invalid(format!(
                    "the system attribute {name} is not emulated"
                )));
            }
        }
    }
    if message.size_bytes() > MAX_BYTES {
        let fault = format!(
            "One or more parameters are invalid. Reason: Message must be shorter than {MAX_BYTES} bytes."
        );
        return Err(invalid(fault));
    }
    Ok((message, delay))
}

fn check_attribute(name: &str, attribute: &Attribute) -> Result<(), AwsError> {
    let kind = attribute.data_type.split('.').next().unwrap_or_default();
    let fits = match kind {
        "String" | "Number" => attribute
            .string_value
            .as_ref()
            .is_some_and(|value| !value.is_empty()),
        "Binary" => attribute
            .binary_value
            .as_ref()
            .is_some_and(|value| !value.is_empty()),
        _ => false,
    };
    if fits {
        Ok(())
    } else {
        Err(invalid(format!(
            "The message attribute '{name}' has no value of its type."
        )))
    }
}

/// The response for a message that was sent.
fn sent(message: &Message) -> Value {
    let mut answer =
        json!({"MessageId": message.id, "MD5OfMessageBody": digest::of_body(&message.body)});
    if let Some(digest) = digest::of_attributes(&message.attributes) {
        answer["MD5OfMessageAttributes"] = digest.into();
    }
    answer
}

pub(super) fn send(queues: &Queues, who: &str, request: SendMessage) -> Result<Value, AwsError> {
    let (_, queue) = find(queues, &request.queue_url)?;
    let entry = SendEntry {
        id: String::new(),
        message_body: request.message_body,
        delay_seconds: request.delay_seconds,
        message_attributes: request.message_attributes,
        message_system_attributes: request.message_system_attributes,
    };
    let (message, delay) = message(queues, who, entry)?;
    queues
        .inner
        .bill
        .queue_requests(who, chunks(message.size_bytes()));
    let answer = sent(&message);
    queues.inner.add(queue, message, delay);
    Ok(answer)
}

pub(super) fn send_batch(
    queues: &Queues,
    who: &str,
    request: Batch<SendEntry>,
) -> Result<Value, AwsError> {
    let (_, queue) = find(queues, &request.queue_url)?;
    check_batch(request.entries.iter().map(|entry| entry.id.as_str()))?;
    let entries = request
        .entries
        .into_iter()
        .map(|entry| (entry.id.clone(), message(queues, who, entry)));
    let entries: Vec<_> = entries.collect();
    let bytes = entries
        .iter()
        .filter_map(|(_, made)| made.as_ref().ok())
        .map(|(message, _)| message.size_bytes());
    let bytes: usize = bytes.sum();
    if bytes > MAX_BYTES {
        let fault = format!("Batch requests cannot be longer than {MAX_BYTES} bytes.");
        return Err(AwsError::client("BatchRequestTooLong", fault));
    }
    queues.inner.bill.queue_requests(who, chunks(bytes));
    Ok(batch_answer(entries.into_iter().map(|(id, made)| {
        let outcome = made.map(|(message, delay)| {
            let answer = sent(&message);
            queues.inner.add(queue, message, delay);
            answer
        });
        (id, outcome)
    })))
}
