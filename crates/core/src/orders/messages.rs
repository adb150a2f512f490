//! The queue of messages to customers, to which orders send.

use serde::Serialize;

use crate::aws::Aws;
use crate::aws::queue::{Queue, QueueError};
use crate::aws::settings::{Setting, SettingError};
use crate::values::id::{EventId, OrderId};

/// The queue of messages to customers.
#[derive(Clone, Debug)]
pub struct MessageQueue {
    queue: Queue,
}

#[derive(Serialize)]
struct Message {
    template: &'static str,
    order_id: OrderId,
    #[serde(skip_serializing_if = "Option::is_none")]
    occasion: Option<EventId>,
}

impl MessageQueue {
    /// Opens the queue that the setting `MESSAGE_QUEUE_URL` names.
    ///
    /// # Errors
    /// Returns [`SettingError`] if the setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        let queue = Queue::new(aws, Setting::MessageQueueUrl)?;
        Ok(Self { queue })
    }

    /// Queues the confirmation of the order `id`. If it is queued twice, it is sent once.
    ///
    /// # Errors
    /// Returns [`QueueError`] if SQS does not accept the message.
    pub async fn order_confirmed(&self, id: OrderId) -> Result<(), QueueError> {
        let message = Message {
            template: "order_confirmed",
            order_id: id,
            occasion: None,
        };
        self.queue.send(&message).await
    }

    /// Queues the message with which the guest of the order `id` sees and erases what the shop knows. It is sent once,
    /// however often it is queued for the same `occasion`, and not at all if there is no such order.
    ///
    /// # Errors
    /// Returns [`QueueError`] if SQS does not accept the message.
    pub async fn guest_access(&self, id: OrderId, occasion: EventId) -> Result<(), QueueError> {
        let message = Message {
            template: "guest_access",
            order_id: id,
            occasion: Some(occasion),
        };
        self.queue.send(&message).await
    }
}
