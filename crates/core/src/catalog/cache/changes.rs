//! The log of what has changed in the catalogue last: one small item, which the consumer of the products' stream writes and
//! the processes that keep products read.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD_NO_PAD as BASE64;
use serde::{Deserialize, Serialize};

use crate::aws::Aws;
use crate::aws::dynamo::{self, Attempt, Key, StoreError, Table};
use crate::aws::settings::{Setting, SettingError};

use super::tag::{TAG_BYTES, Tag};

/// The most tags that the log has. With them the item has less than 2 KB: two units for each write, half a unit for each read.
pub const MOST_TAGS: usize = 360;

/// The key of the log.
const CATALOGUE: &str = "catalogue";

/// The last changes of the catalogue. Each tag has a number; the last one's is `sequence`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    /// Tells this log from one that was begun anew: the place in the stream of its first change. Empty before it.
    pub begun: String,
    /// The number of the last tag, 0 if there has been none.
    pub sequence: u64,
    /// The last tags, the latest at the end.
    pub tags: Vec<Tag>,
}

/// The log as it is stored.
#[derive(Debug, Serialize, Deserialize)]
struct LogItem {
    log_id: String,
    begun: String,
    last_change: u64,
    /// The tags, four bytes each, in Base64.
    tags: String,
}

impl From<LogItem> for Log {
    /// Of what cannot be read, the number stays: then all before it counts as changed.
    fn from(item: LogItem) -> Self {
        let bytes = BASE64.decode(item.tags).unwrap_or_default();
        let (tags, _) = bytes.as_chunks::<TAG_BYTES>();
        Self {
            begun: item.begun,
            sequence: item.last_change,
            tags: tags.iter().copied().map(Tag::from_bytes).collect(),
        }
    }
}

impl From<&Log> for LogItem {
    fn from(log: &Log) -> Self {
        let bytes = log.tags.iter().flat_map(|tag| tag.bytes());
        Self {
            log_id: CATALOGUE.to_owned(),
            begun: log.begun.clone(),
            last_change: log.sequence,
            tags: BASE64.encode(bytes.collect::<Vec<u8>>()),
        }
    }
}

impl Log {
    /// Returns the log after the change of `tags`, at the place `at` of the stream.
    fn with(mut self, tags: &BTreeSet<Tag>, at: &str) -> Self {
        if self.begun.is_empty() {
            at.clone_into(&mut self.begun);
        }
        self.sequence += u64::try_from(tags.len()).unwrap_or(u64::MAX);
        self.tags.extend(tags);
        let surplus = self.tags.len().saturating_sub(MOST_TAGS);
        self.tags.drain(..surplus);
        self
    }
}

/// The table that has the log.
#[derive(Clone, Debug)]
pub struct ChangeLog {
    table: Table,
}

impl ChangeLog {
    /// Returns the log in the table that the settings name (`CHANGES_TABLE`).
    ///
    /// # Errors
    /// [`SettingError`] if a setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        Ok(Self {
            table: Table::new(aws, Setting::ChangesTable)?,
        })
    }

    /// Returns the log as it was a moment ago.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn read(&self) -> Result<Log, StoreError> {
        let item: Option<LogItem> = self.table.get_eventually(key()).await?;
        Ok(item.map(Log::from).unwrap_or_default())
    }

    /// Adds that `tags` have changed, at the place `at` of the stream. What is added twice counts as changed twice.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn append(&self, tags: &BTreeSet<Tag>, at: &str) -> Result<(), StoreError> {
        if tags.is_empty() {
            return Ok(());
        }
        dynamo::change("the log of changes", || async {
            let item: Option<LogItem> = self.table.get(key()).await?;
            let before = item.map(Log::from).unwrap_or_default();
            let sequence = before.sequence;
            let write = self.table.put(&LogItem::from(&before.with(tags, at)))?;
            let write = match sequence {
                0 => write.when("attribute_not_exists(log_id)"),
                before => {
                    let write = write.when("last_change = :before");
                    write.value(":before", &before)?
                }
            };
            Ok(Attempt::from(self.table.write(write).await?))
        })
        .await
    }
}

fn key() -> Key {
    Key::new("log_id", CATALOGUE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use crate::values::id::ProductId;

    #[tokio::test]
    async fn the_log_has_the_last_changes_in_their_order_and_less_than_2_kb() {
        let (aws, engine) = testing::aws();
        let log = ChangeLog::new(&aws).unwrap();
        assert_eq!(log.read().await.unwrap(), Log::default());
        let tag = |number: usize| Tag::product(ProductId::derived(&[&number.to_string()]));
        for number in 0..MOST_TAGS + 2 {
            let at = number.to_string();
            log.append(&[tag(number)].into(), &at).await.unwrap();
        }
        let read = log.read().await.unwrap();
        assert_eq!((&*read.begun, read.sequence), ("0", 362));
        assert_eq!(read.tags, (2..362).map(tag).collect::<Vec<_>>());
        let stored = engine.items(Setting::ChangesTable)[0].to_string();
        assert!(stored.len() < 2048, "{}", stored.len());
        // What the database refuses because somebody else has written is written after that.
        engine.fail_next("PutItem", testing::Fault::Refused);
        log.append(&[tag(0)].into(), "9").await.unwrap();
        assert_eq!(log.read().await.unwrap().sequence, 363);
    }
}
