//! The loop of a function that a queue feeds.

use std::str::FromStr;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};

use super::invocation::{Error, read, serve_json, write};
use crate::aws::Aws;
use crate::aws::dynamo::StoreError;
use crate::aws::telemetry;
use crate::values::clock::Time;
use crate::values::event::Delivered;
use crate::values::id::InvalidId;

/// A message from a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The same for every delivery.
    pub id: String,
    /// What was sent; [`Message::event`] reads it when a rule sent it.
    pub body: String,
    /// When it was sent: the current time for the consumer, if the message itself has none.
    pub sent_at: Time,
    /// How often it has been delivered so far, from 1.
    pub receive_count: u32,
}

impl Message {
    fn new(message: SqsMessage) -> Self {
        // SQS gives both attributes with every message; a message without them is a first delivery at the epoch.
        let sent = message.attributes.get("SentTimestamp");
        let sent_millis = sent.and_then(|millis| millis.parse().ok()).unwrap_or(0);
        let received = message.attributes.get("ApproximateReceiveCount");
        let receive_count = received.and_then(|count| count.parse().ok()).unwrap_or(1);
        Self {
            id: message.message_id.unwrap_or_default(),
            body: message.body.unwrap_or_default(),
            sent_at: Time::from_millis(sent_millis),
            receive_count,
        }
    }
}

/// Why a message with an event was not processed. It has to be delivered again.
#[derive(Debug, thiserror::Error)]
pub enum ConsumeError {
    /// The message is not an event.
    #[error("the message is not an event")]
    InvalidEvent(#[from] serde_json::Error),
    /// The queue is not for events of this type.
    #[error("events of the type {0:?} are not consumed here")]
    OtherType(String),
    /// The event's aggregate has another kind of identifier.
    #[error("the event is about something else")]
    OtherAggregate(#[from] InvalidId),
    /// The database did not do what was asked.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Message {
    /// Returns the event of the type `event_type` that a rule sent, and the identifier of its aggregate.
    ///
    /// # Errors
    /// [`ConsumeError`] if the message is something else.
    pub fn event<Id>(&self, event_type: &str) -> Result<(Delivered, Id), ConsumeError>
    where
        Id: FromStr<Err = InvalidId>,
    {
        let delivered = Delivered::parse(&self.body)?;
        if delivered.detail.event_type != event_type {
            return Err(ConsumeError::OtherType(delivered.detail.event_type));
        }
        let id = delivered.detail.aggregate_id.parse()?;
        Ok((delivered, id))
    }
}

/// Serves a queue: passes each message to `handler`. Messages that fail are delivered again (partial batch
/// responses) until the queue gives them up. Each failure is logged here.
///
/// # Errors
/// If Lambda's runtime API cannot be reached.
pub async fn serve_queue<X, F, Fut>(aws: &Aws, handler: F) -> Result<(), Error>
where
    X: std::error::Error + Send,
    F: Fn(Message) -> Fut + Sync,
    Fut: Future<Output = Result<(), X>> + Send,
{
    let handler = &handler;
    serve_json(aws, &|event| {
        Box::pin(async move { write(&batch(read(event)?, handler).await) })
    })
    .await
}

/// Passes all messages of `event` to `handler` concurrently, and returns which of them failed.
pub async fn batch<X, F, Fut>(event: SqsEvent, handler: F) -> SqsBatchResponse
where
    X: std::error::Error,
    F: Fn(Message) -> Fut,
    Fut: Future<Output = Result<(), X>>,
{
    let messages = event.records.into_iter().map(|record| {
        let message = Message::new(record);
        let id = message.id.clone();
        let outcome = handler(message);
        async move { outcome.await.map_err(|error| (id, error)) }
    });
    let mut response = SqsBatchResponse::default();
    for failed in futures::future::join_all(messages).await {
        if let Err((id, error)) = failed {
            let error = telemetry::chain(&error);
            tracing::error!(message.id = id, error, "message failed");
            response.add_failure(id);
        }
    }
    response
}
