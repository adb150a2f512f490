//! The records of messages in DynamoDB.

use serde::{Deserialize, Serialize};

use super::model::{About, Claim, Message, MessageRequest, Status, Template};
use super::strangers::Quota;
use crate::aws::Aws;
use crate::aws::dynamo::{Key, StoreError, Table, Written};
use crate::aws::settings::{Setting, SettingError};
use crate::customers::model::Email;
use crate::values::clock::Time;
use crate::values::digest::sha256_hex;
use crate::values::id::{CustomerId, EventId, MessageId, OrderId};
use crate::values::money::Money;

/// The version of the shape of [`MessageItem`]. All earlier versions can still be read.
const SCHEMA: u32 = 1;

/// A day, in seconds.
const DAY_SECONDS: i64 = 24 * 60 * 60;

/// The records that are stored.
#[derive(Clone, Debug)]
pub struct MessageStore {
    table: Table,
}

impl MessageStore {
    /// Opens the store in the table that the setting `MESSAGES_TABLE` names.
    ///
    /// # Errors
    /// [`SettingError`] if the setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        let table = Table::new(aws, Setting::MessagesTable)?;
        Ok(Self { table })
    }

    /// Returns the record of the message `id`, or `None` if there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get(&self, id: MessageId) -> Result<Option<Message>, StoreError> {
        let item: Option<MessageItem> = self.table.get(key(id)).await?;
        item.map(Message::try_from).transpose()
    }

    /// Stores that `message` is being sent, if the stored record is at the attempt before. Returns
    /// [`Written::Refused`] if another delivery was quicker: read again and decide again.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn claim(&self, message: &Message) -> Result<Written, StoreError> {
        let write = self.table.put(&MessageItem::from(message))?;
        let write = if message.attempts == 1 {
            write.when("attribute_not_exists(message_id)")
        } else {
            write
                .when("attempts = :before AND #status <> :sent")
                .name("#status", "status")
                .value(":before", &(message.attempts - 1))?
                .value(":sent", &StatusItem::Sent)?
        };
        self.table.write(write).await
    }

    /// Counts one more message of the kind of `quota` to the mailbox of `email` on the day of `now`. Returns `false`,
    /// and counts nothing, if the mailbox has got as many as it may. The count is stored for two days, under a hash
    /// of the mailbox.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count(&self, email: &Email, quota: Quota, now: Time) -> Result<bool, StoreError> {
        let day = now.as_seconds().div_euclid(DAY_SECONDS);
        let mailbox = sha256_hex(email.mailbox());
        let key = format!("mailbox#{mailbox}#{}#{day}", quota.kind);
        let write = self
            .table
            .update(
                Key::new("message_id", key),
                "SET expires_at = :until ADD messages :one",
            )
            .when("attribute_not_exists(messages) OR messages < :most")
            .value(":until", &((day + 2) * DAY_SECONDS))?
            .value(":one", &1)?
            .value(":most", &quota.most)?;
        Ok(self.table.write(write).await? == Written::Done)
    }

    /// Stores the outcome of the attempt of `message`, if no later attempt has begun. A message that has been sent
    /// stays sent.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn record_outcome(
        &self,
        message: &Message,
        status: Status,
    ) -> Result<Written, StoreError> {
        let write = self
            .table
            .update(
                key(message.request.message_id()),
                "SET #status = :status, updated_at = :now",
            )
            .when("attempts = :attempts AND #status = :sending")
            .name("#status", "status")
            .value(":status", &StatusItem::from(status))?
            .value(":now", &message.updated_at)?
            .value(":attempts", &message.attempts)?
            .value(":sending", &StatusItem::Sending)?;
        self.table.write(write).await
    }
}

fn key(id: MessageId) -> Key {
    Key::new("message_id", id)
}

/// A record as it is stored.
#[derive(Serialize, Deserialize)]
struct MessageItem {
    message_id: MessageId,
    template: TemplateItem,
    /// The order that the message is about; with an `occasion`, it is about the guest who placed it, and an `occasion`
    /// alone is that of an account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    order_id: Option<OrderId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    occasion: Option<EventId>,
    /// What was refunded, if the message is about that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refunded: Option<Money>,
    customer_id: CustomerId,
    status: StatusItem,
    delivery: String,
    receive_count: u32,
    attempts: u32,
    schema: u32,
    created_at: Time,
    updated_at: Time,
}

/// A status as it is stored.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StatusItem {
    Sending,
    Sent,
    Failed,
    Withheld,
}

/// A template as it is stored.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum TemplateItem {
    OrderConfirmed,
    OrderCancelled,
    OrderFailed,
    PaymentRefunded,
    ConfirmEmail,
    ApproveEmail,
    ConfirmNewEmail,
    PasswordReset,
    PasswordChanged,
    GuestAccess,
}

impl From<Status> for StatusItem {
    fn from(status: Status) -> Self {
        match status {
            Status::Sending => Self::Sending,
            Status::Sent => Self::Sent,
            Status::Failed => Self::Failed,
            Status::Withheld => Self::Withheld,
        }
    }
}

impl From<StatusItem> for Status {
    fn from(status: StatusItem) -> Self {
        match status {
            StatusItem::Sending => Self::Sending,
            StatusItem::Sent => Self::Sent,
            StatusItem::Failed => Self::Failed,
            StatusItem::Withheld => Self::Withheld,
        }
    }
}

impl From<Template> for TemplateItem {
    fn from(template: Template) -> Self {
        match template {
            Template::OrderConfirmed => Self::OrderConfirmed,
            Template::OrderCancelled => Self::OrderCancelled,
            Template::OrderFailed => Self::OrderFailed,
            Template::PaymentRefunded => Self::PaymentRefunded,
            Template::ConfirmEmail => Self::ConfirmEmail,
            Template::ApproveEmail => Self::ApproveEmail,
            Template::ConfirmNewEmail => Self::ConfirmNewEmail,
            Template::PasswordReset => Self::PasswordReset,
            Template::PasswordChanged => Self::PasswordChanged,
            Template::GuestAccess => Self::GuestAccess,
        }
    }
}

impl From<TemplateItem> for Template {
    fn from(template: TemplateItem) -> Self {
        match template {
            TemplateItem::OrderConfirmed => Self::OrderConfirmed,
            TemplateItem::OrderCancelled => Self::OrderCancelled,
            TemplateItem::OrderFailed => Self::OrderFailed,
            TemplateItem::PaymentRefunded => Self::PaymentRefunded,
            TemplateItem::ConfirmEmail => Self::ConfirmEmail,
            TemplateItem::ApproveEmail => Self::ApproveEmail,
            TemplateItem::ConfirmNewEmail => Self::ConfirmNewEmail,
            TemplateItem::PasswordReset => Self::PasswordReset,
            TemplateItem::PasswordChanged => Self::PasswordChanged,
            TemplateItem::GuestAccess => Self::GuestAccess,
        }
    }
}

impl From<&Message> for MessageItem {
    fn from(message: &Message) -> Self {
        let (order_id, occasion, refunded) = match message.request.about {
            About::Order(order_id) => (Some(order_id), None, None),
            About::Refund {
                order_id,
                occasion,
                amount,
            } => (Some(order_id), Some(occasion), Some(amount)),
            About::Guest { order_id, occasion } => (Some(order_id), Some(occasion), None),
            About::Account { occasion, .. } => (None, Some(occasion), None),
        };
        Self {
            message_id: message.request.message_id(),
            template: message.request.template.into(),
            order_id,
            occasion,
            refunded,
            customer_id: message.customer_id,
            status: message.status.into(),
            delivery: message.claim.delivery.clone(),
            receive_count: message.claim.receive_count,
            attempts: message.attempts,
            schema: SCHEMA,
            created_at: message.created_at,
            updated_at: message.updated_at,
        }
    }
}

impl TryFrom<MessageItem> for Message {
    type Error = StoreError;

    fn try_from(item: MessageItem) -> Result<Self, StoreError> {
        let about = match (item.order_id, item.occasion, item.refunded) {
            (Some(order_id), None, _) => About::Order(order_id),
            (Some(order_id), Some(occasion), Some(amount)) => About::Refund {
                order_id,
                occasion,
                amount,
            },
            (Some(order_id), Some(occasion), None) => About::Guest { order_id, occasion },
            (None, Some(occasion), _) => About::Account {
                customer_id: item.customer_id,
                occasion,
            },
            (None, None, _) => return Err(StoreError::unreadable("a message about nothing")),
        };
        Ok(Self {
            request: MessageRequest {
                template: item.template.into(),
                about,
            },
            customer_id: item.customer_id,
            status: item.status.into(),
            claim: Claim {
                delivery: item.delivery,
                receive_count: item.receive_count,
            },
            attempts: item.attempts,
            created_at: item.created_at,
            updated_at: item.updated_at,
        })
    }
}
