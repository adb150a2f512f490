//! `oxcart redrive`: publishes the events of changes that were set aside, once the cause is mended.

use super::publish::{self, PendingEvent, PublishError, Publisher};
use super::rules::{self, Unpublishable};
use super::set_aside::SetAside;
use crate::aws::Aws;
use crate::aws::dynamo::{Key, StoreError, Table};
use crate::aws::queue::{QueueError, Received};
use crate::aws::settings::SettingError;

/// The resources of `oxcart redrive`.
#[derive(Clone, Debug)]
pub struct Redrive {
    publisher: Publisher,
    aws: Aws,
}

/// What became of one message.
#[derive(Debug)]
pub struct Redriven {
    /// The message as it was queued.
    pub message: String,
    /// Why its event is still not published; the message stays in the queue then.
    pub outcome: Result<(), NotRedriven>,
}

/// Why the event of a change that was set aside is still not published.
#[derive(Debug, thiserror::Error)]
pub enum NotRedriven {
    /// The message is not one of the publisher's.
    #[error("the message cannot be read")]
    Message(#[from] serde_json::Error),
    /// The item was removed, and its event with it.
    #[error("the item does not exist any more")]
    Gone,
    /// The stamp of the event cannot be stored.
    #[error("the stamp of the event cannot be written")]
    Stamp(#[from] serde_dynamo::Error),
    /// The event still cannot be built.
    #[error("{0}")]
    Unpublishable(#[from] Unpublishable),
    /// A setting is missing.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// The item could not be read.
    #[error("the item could not be read")]
    Store(#[from] StoreError),
    /// The log or the bus did not take the event.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// The event is published, but its message is still in the queue.
    #[error("the message could not be deleted")]
    Queue(#[from] QueueError),
}

impl Redrive {
    /// Creates the resources from the settings of `publish-events`.
    ///
    /// # Errors
    /// [`SettingError`] if a setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        Ok(Self {
            publisher: Publisher::new(aws)?,
            aws: aws.clone(),
        })
    }

    /// Takes up to ten messages from the queue, publishes their events and deletes the messages. Returns what became
    /// of each, and nothing once the queue has none to deliver. A message whose event is still not published is
    /// delivered again a quarter of an hour later.
    ///
    /// # Errors
    /// [`QueueError`] if the queue cannot be read.
    pub async fn next(&self) -> Result<Vec<Redriven>, QueueError> {
        let mut redriven = Vec::new();
        for message in self.publisher.set_aside.receive().await? {
            let outcome = self.redrive(&message).await;
            let message = message.body;
            redriven.push(Redriven { message, outcome });
        }
        Ok(redriven)
    }

    async fn redrive(&self, message: &Received) -> Result<(), NotRedriven> {
        let set_aside: SetAside = serde_json::from_str(&message.body)?;
        self.publish(set_aside).await?;
        Ok(self.publisher.set_aside.delete(message).await?)
    }

    /// Publishes the event with its own id, type and version; its data are those of the item as it is now.
    async fn publish(&self, set_aside: SetAside) -> Result<(), NotRedriven> {
        let tables = &self.publisher.tables;
        let owner = tables.owner(&set_aside.table);
        let owner = owner.ok_or(Unpublishable::UnknownTable)?;
        let table = Table::new(&self.aws, owner.table())?;
        let item = table.get_raw(Key::from(set_aside.key)).await?;
        let mut item = item.ok_or(NotRedriven::Gone)?;
        if let Some(stamp) = set_aside.stamp {
            item.insert("event".to_owned(), serde_dynamo::to_attribute_value(stamp)?);
        }
        let Some(entry) = rules::entry_of(tables, &set_aside.table, item)? else {
            return Ok(());
        };
        let pending = vec![PendingEvent { place: 0, entry }];
        let published = publish::publish(&self.publisher, pending).await;
        if let Some((_, error)) = published.failed {
            return Err(error.into());
        }
        if published.rejected.is_empty() {
            Ok(())
        } else {
            Err(Unpublishable::Rejected.into())
        }
    }
}
