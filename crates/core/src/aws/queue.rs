//! Queues that the shop sends messages to: the adapter to SQS.

use aws_sdk_sqs::Client;
use futures::future::BoxFuture;
use serde::Serialize;

use super::settings::{Setting, SettingError};
use super::{Aws, gate};

/// A queue did not carry out a request.
#[derive(Debug, thiserror::Error)]
#[error("the queue failed")]
pub struct QueueError(#[source] Box<dyn std::error::Error + Send + Sync>);

/// How long a message that was received is hidden from others, in seconds.
const HIDDEN_SECONDS: i32 = 15 * 60;

/// A message that was received and is hidden from others until it is deleted or its time is over.
#[derive(Clone, Debug)]
pub struct Received {
    /// What was sent.
    pub body: String,
    receipt: String,
}

/// A queue that messages are sent to.
#[derive(Clone, Debug)]
pub struct Queue {
    client: Client,
    url: String,
}

impl Queue {
    /// Opens the queue that `setting` names.
    ///
    /// # Errors
    /// [`SettingError`] if the setting is missing.
    pub fn new(aws: &Aws, setting: Setting) -> Result<Self, SettingError> {
        Ok(Self {
            client: aws.sqs(),
            url: aws.settings().read(setting)?,
        })
    }

    /// Queues `message` as JSON.
    ///
    /// # Errors
    /// [`QueueError`]; whether the message is in the queue is not known then.
    pub async fn send(&self, message: &impl Serialize) -> Result<(), QueueError> {
        let body = serde_json::to_string(message).map_err(|error| QueueError(error.into()))?;
        self.send_text(body).await
    }

    fn send_text(&self, body: String) -> BoxFuture<'_, Result<(), QueueError>> {
        Box::pin(async move {
            gate::admitted().await;
            let request = self.client.send_message().queue_url(&self.url);
            let sent = request.message_body(body).send().await;
            sent.map(drop).map_err(|error| QueueError(error.into()))
        })
    }

    /// Returns up to ten messages, or none if the queue has none to deliver.
    ///
    /// # Errors
    /// [`QueueError`].
    pub async fn receive(&self) -> Result<Vec<Received>, QueueError> {
        let request = self.client.receive_message().queue_url(&self.url);
        let request = request
            .max_number_of_messages(10)
            .visibility_timeout(HIDDEN_SECONDS)
            .wait_time_seconds(1);
        let response = request.send().await;
        let messages = response.map_err(|error| QueueError(error.into()))?.messages;
        let received = messages.unwrap_or_default().into_iter().map(|message| {
            let body = message.body.unwrap_or_default();
            let receipt = message.receipt_handle.unwrap_or_default();
            Received { body, receipt }
        });
        Ok(received.collect())
    }

    /// Deletes `message`.
    ///
    /// # Errors
    /// [`QueueError`].
    pub async fn delete(&self, message: &Received) -> Result<(), QueueError> {
        let request = self.client.delete_message().queue_url(&self.url);
        let deleted = request.receipt_handle(&message.receipt).send().await;
        deleted.map(drop).map_err(|error| QueueError(error.into()))
    }
}
