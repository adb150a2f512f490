//! The queue of messages to customers, as the customers service fills it.

use aws_sdk_sqs::Client;
use serde::Serialize;

use crate::aws::Aws;
use crate::aws::settings::{Setting, SettingError};
use crate::values::id::{CustomerId, EventId};

/// What a customer asks to be written about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Template {
    /// The link that confirms the address.
    ConfirmEmail,
    /// The link to another password.
    PasswordReset,
}

/// Why a message was not queued.
#[derive(Debug, thiserror::Error)]
#[error("the message was not queued")]
pub struct NotQueued(#[source] Box<dyn std::error::Error + Send + Sync>);

/// The queue of messages to customers.
#[derive(Clone, Debug)]
pub struct CustomerMessages {
    client: Client,
    url: String,
}

#[derive(Serialize)]
struct Message {
    template: Template,
    customer_id: CustomerId,
    occasion: EventId,
}

impl CustomerMessages {
    /// The queue that the setting `MESSAGE_QUEUE_URL` names.
    ///
    /// # Errors
    /// [`SettingError`] if the setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        Ok(Self {
            client: aws.sqs(),
            url: aws.settings().read(Setting::MessageQueueUrl)?,
        })
    }

    /// Asks for a message to the customer `id`; asked for twice on the same `occasion`, it is sent
    /// once. It holds no address and no link: whoever reads the queue learns nothing.
    ///
    /// # Errors
    /// [`NotQueued`].
    pub async fn ask(
        &self,
        template: Template,
        id: CustomerId,
        occasion: EventId,
    ) -> Result<(), NotQueued> {
        let message = Message {
            template,
            customer_id: id,
            occasion,
        };
        let body = serde_json::to_string(&message).map_err(|error| NotQueued(error.into()))?;
        let request = self.client.send_message().queue_url(&self.url);
        let sent = request.message_body(body).send().await;
        sent.map(drop).map_err(|error| NotQueued(error.into()))
    }
}
