//! The table of audits. `pk` = `finding`, `sk` = `<subject>#<check>` is a finding. `pk` = `lost`, `sk` =
//! `<aggregate>#<version>#<time>` is a lost event that was brought back at that time. `pk` = `run` is what audits leave
//! for the next, see `progress`.

use serde::de::Error as _;
use serde::{Deserialize, Serialize};

use super::model::{Check, Finding, Subject, position};
use crate::aws::Aws;
use crate::aws::dynamo::{Key, StoreError, Table, Written};
use crate::aws::settings::{Setting, SettingError};
use crate::http::page::{Page, PageRequest};
use crate::values::clock::Time;
use crate::values::event::{DomainEvent, Stamp};

/// The version of the shape of the items that are written now.
const SCHEMA: u32 = 1;

/// A finding as stored.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct FindingItem {
    pub(super) pk: String,
    pub(super) sk: String,
    pub(super) subject: String,
    pub(super) check: String,
    pub(super) detail: String,
    found_at: Time,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    resolved_at: Option<Time>,
    version: u64,
    schema: u32,
    pub(super) event: Stamp,
}

impl FindingItem {
    fn new(finding: &Finding) -> Self {
        Self {
            pk: "finding".to_owned(),
            sk: finding.position(),
            subject: finding.subject.to_string(),
            check: finding.check.name().to_owned(),
            detail: finding.detail.clone(),
            found_at: finding.found_at,
            resolved_at: finding.resolved_at,
            version: finding.version,
            schema: SCHEMA,
            event: finding.event.clone(),
        }
    }
}

impl TryFrom<FindingItem> for Finding {
    type Error = serde_dynamo::Error;

    fn try_from(item: FindingItem) -> Result<Self, serde_dynamo::Error> {
        Ok(Self {
            subject: item.subject.parse().map_err(serde_dynamo::Error::custom)?,
            check: item.check.parse().map_err(serde_dynamo::Error::custom)?,
            detail: item.detail,
            found_at: item.found_at,
            resolved_at: item.resolved_at,
            version: item.version,
            event: item.event,
        })
    }
}

/// A lost event that is brought back: this item's stream publishes it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct LostItem {
    pk: String,
    sk: String,
    /// The `source` of the event.
    source: String,
    aggregate: String,
    data: serde_json::Value,
    schema: u32,
    event: Stamp,
}

impl LostItem {
    fn new(source: &str, lost: &DomainEvent, now: Time) -> Self {
        Self {
            pk: "lost".to_owned(),
            sk: format!("{}#{}#{now}", lost.aggregate_id, lost.version),
            source: source.to_owned(),
            aggregate: lost.aggregate_id.clone(),
            data: lost.data.clone(),
            schema: SCHEMA,
            event: Stamp {
                id: lost.event_id,
                event_type: lost.event_type.clone(),
                version: lost.version,
                at: lost.timestamp,
                traceparent: lost.traceparent.clone(),
            },
        }
    }
}

impl From<LostItem> for DomainEvent {
    fn from(item: LostItem) -> Self {
        Self::new(item.aggregate, item.event, item.data)
    }
}

/// The table of audits.
#[derive(Clone, Debug)]
pub struct IntegrityStore {
    table: Table,
}

mod progress;

impl IntegrityStore {
    /// Creates the store of the table that the setting `INTEGRITY_TABLE` names.
    ///
    /// # Errors
    /// [`SettingError`] if the setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        let table = Table::new(aws, Setting::IntegrityTable)?;
        Ok(Self { table })
    }

    /// Returns the next at most `most` findings by subject, including resolved ones, from after the position `after` on.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn findings_after(
        &self,
        after: Option<&str>,
        most: usize,
    ) -> Result<Page<Finding>, StoreError> {
        let query = match after {
            None => self.table.query("pk = :pk"),
            Some(after) => self
                .table
                .query("pk = :pk AND sk > :after")
                .value(":after", after),
        };
        let query = query.value(":pk", "finding").consistent();
        let found = read(query.first(most + 1).await?)?;
        Ok(Page::cut(found, most, Finding::position))
    }

    /// Returns the findings of `subject`, including resolved ones.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn findings_of(&self, subject: &Subject) -> Result<Vec<Finding>, StoreError> {
        let keys = Check::ALL.iter().map(|check| {
            let position = position(subject, *check);
            Key::new("pk", "finding").and("sk", position)
        });
        read(self.table.get_many(keys.collect(), true).await?)
    }

    /// Brings the event `lost` of the service `source` back.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn bring_back(
        &self,
        source: &str,
        lost: &DomainEvent,
        now: Time,
    ) -> Result<(), StoreError> {
        let write = self.table.put(&LostItem::new(source, lost, now))?;
        self.table.write(write).await.map(drop)
    }

    /// Returns a page of all findings by subject, including resolved ones.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn findings_page(&self, page: &PageRequest) -> Result<Page<Finding>, StoreError> {
        self.findings_after(page.after.as_deref(), page.limit).await
    }

    /// Stores the next version of a finding. Refused if another audit has stored it meanwhile.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn store_finding(&self, finding: &Finding) -> Result<Written, StoreError> {
        let write = self.table.put(&FindingItem::new(finding))?;
        let write = write.when("attribute_not_exists(pk) OR version = :before");
        let before = finding.version.saturating_sub(1);
        self.table.write(write.value(":before", &before)?).await
    }
}

fn read(items: Vec<FindingItem>) -> Result<Vec<Finding>, StoreError> {
    let findings: Result<_, _> = items.into_iter().map(Finding::try_from).collect();
    Ok(findings?)
}
