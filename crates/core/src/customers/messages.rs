//! The queue of messages to customers, as the customers service fills it.

use serde::Serialize;

use crate::aws::Aws;
use crate::aws::queue::{Queue, QueueError};
use crate::aws::settings::{Setting, SettingError};
use crate::values::clock::Time;
use crate::values::id::{CustomerId, EventId};

/// The period in seconds in which a customer or guest gets at most one of the same message, so that nobody can fill
/// another's mailbox.
const PERIOD_SECONDS: i64 = 300;

/// Returns the number of the period that `now` is in. A message that is requested again in the same one is not sent.
pub(crate) fn period(now: Time) -> i64 {
    now.as_seconds() / PERIOD_SECONDS
}

/// The kind of a message that a customer requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Template {
    /// The link that confirms the email address.
    ConfirmEmail,
    /// The link that approves, at the present address, that the account gets another one.
    ApproveEmail,
    /// The link that confirms the new email address.
    ConfirmNewEmail,
    /// The link that resets the password.
    PasswordReset,
}

/// The queue of messages to customers.
#[derive(Clone, Debug)]
pub struct CustomerMessages {
    queue: Queue,
}

#[derive(Serialize)]
struct Message {
    template: Template,
    customer_id: CustomerId,
    occasion: EventId,
}

impl CustomerMessages {
    /// Opens the queue that the setting `MESSAGE_QUEUE_URL` names.
    ///
    /// # Errors
    /// [`SettingError`] if the setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        let queue = Queue::new(aws, Setting::MessageQueueUrl)?;
        Ok(Self { queue })
    }

    /// Requests a message to the customer `id`. It is sent once, however often it is requested for the same
    /// `occasion`. The queue holds neither the address nor the link, so reading it reveals nothing.
    ///
    /// # Errors
    /// [`QueueError`].
    pub async fn request(
        &self,
        template: Template,
        id: CustomerId,
        occasion: EventId,
    ) -> Result<(), QueueError> {
        let message = Message {
            template,
            customer_id: id,
            occasion,
        };
        self.queue.send(&message).await
    }
}
