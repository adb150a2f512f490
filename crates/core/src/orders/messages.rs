//! The queue of messages to customers, to which orders send.

use aws_sdk_sqs::Client;
use serde::Serialize;

use crate::aws::Aws;
use crate::aws::settings::{Setting, SettingError};
use crate::values::id::OrderId;

/// Why a message was not queued.
#[derive(Debug, thiserror::Error)]
#[error("the message was not queued")]
pub struct NotQueued(#[source] Box<dyn std::error::Error + Send + Sync>);

/// The queue of messages to customers.
#[derive(Clone, Debug)]
pub struct MessageQueue {
    client: Client,
    url: String,
}

#[derive(Serialize)]
struct Message {
    template: &'static str,
    order_id: OrderId,
}

impl MessageQueue {
    /// Opens the queue that the setting `MESSAGE_QUEUE_URL` names.
    ///
    /// # Errors
    /// Returns [`SettingError`] if the setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        Ok(Self {
            client: aws.sqs(),
            url: aws.settings().read(Setting::MessageQueueUrl)?,
        })
    }

    /// Queues the confirmation of the order `id`. If it is queued twice, it is sent once.
    ///
    /// # Errors
    /// Returns [`NotQueued`] if SQS does not accept the message.
    pub async fn order_confirmed(&self, id: OrderId) -> Result<(), NotQueued> {
        let message = Message {
            template: "order_confirmed",
            order_id: id,
        };
        let body = serde_json::to_string(&message).map_err(|error| NotQueued(error.into()))?;
        let request = self.client.send_message().queue_url(&self.url);
        let sent = request.message_body(body).send().await;
        sent.map(drop).map_err(|error| NotQueued(error.into()))
    }
}
