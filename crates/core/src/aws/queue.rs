//! Queues that the shop sends messages to: the adapter to SQS.

use aws_sdk_sqs::Client;
use serde::Serialize;

use super::Aws;
use super::settings::{Setting, SettingError};

/// Why a message was not queued.
#[derive(Debug, thiserror::Error)]
#[error("the message was not queued")]
pub struct NotQueued(#[source] Box<dyn std::error::Error + Send + Sync>);

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
    /// [`NotQueued`]; whether the message is in the queue is not known then.
    pub async fn send(&self, message: &impl Serialize) -> Result<(), NotQueued> {
        let body = serde_json::to_string(message).map_err(|error| NotQueued(error.into()))?;
        let request = self.client.send_message().queue_url(&self.url);
        let sent = request.message_body(body).send().await;
        sent.map(drop).map_err(|error| NotQueued(error.into()))
    }
}
