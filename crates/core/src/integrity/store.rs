//! The table of audits. `pk` = `run`, `sk` = `latest` is the latest audit; `pk` = `finding`, `sk` =
//! `<subject>#<check>` is a finding.

use serde::de::Error as _;
use serde::{Deserialize, Serialize};

use super::model::{Finding, Run};
use crate::aws::Aws;
use crate::aws::dynamo::{Key, StoreError, Table, Written};
use crate::aws::settings::{Setting, SettingError};
use crate::http::page::{Page, PageRequest};
use crate::values::clock::Time;
use crate::values::event::Stamp;

/// The version of the shape of the items that are written now.
const SCHEMA: u32 = 1;

/// The sort key of the only run that is kept.
const LATEST: &str = "latest";

/// A finding as stored.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct FindingItem {
    pk: String,
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

#[derive(Debug, Serialize, Deserialize)]
struct RunItem {
    pk: String,
    sk: String,
    at: Time,
    until: Time,
    checked: u64,
    unsettled: Vec<String>,
    open: u64,
    schema: u32,
}

impl TryFrom<RunItem> for Run {
    type Error = serde_dynamo::Error;

    fn try_from(item: RunItem) -> Result<Self, serde_dynamo::Error> {
        let unsettled = item.unsettled.iter().map(|subject| subject.parse());
        let unsettled: Result<_, _> = unsettled.collect();
        Ok(Self {
            at: item.at,
            until: item.until,
            checked: item.checked,
            unsettled: unsettled.map_err(serde_dynamo::Error::custom)?,
            open: item.open,
        })
    }
}

/// The table of audits.
#[derive(Clone, Debug)]
pub struct IntegrityStore {
    table: Table,
}

impl IntegrityStore {
    /// Creates the store of the table that the setting `INTEGRITY_TABLE` names.
    ///
    /// # Errors
    /// [`SettingError`] if the setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        let table = Table::new(aws, Setting::IntegrityTable)?;
        Ok(Self { table })
    }

    /// Returns the latest audit, or `None` before the first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn latest_run(&self) -> Result<Option<Run>, StoreError> {
        let key = Key::new("pk", "run").and("sk", LATEST);
        let item: Option<RunItem> = self.table.get(key).await?;
        Ok(item.map(Run::try_from).transpose()?)
    }

    /// Stores `run` as the latest. Refused if another audit has got further meanwhile.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn store_run(&self, run: &Run) -> Result<Written, StoreError> {
        let write = self.table.put(&RunItem {
            pk: "run".to_owned(),
            sk: LATEST.to_owned(),
            at: run.at,
            until: run.until,
            checked: run.checked,
            unsettled: run.unsettled.iter().map(ToString::to_string).collect(),
            open: run.open,
            schema: SCHEMA,
        })?;
        let write = write.when("attribute_not_exists(pk) OR #until <= :until");
        let write = write.name("#until", "until").value(":until", &run.until)?;
        self.table.write(write).await
    }

    /// Returns all findings, including resolved ones. There are few of them in a shop that works.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn findings(&self) -> Result<Vec<Finding>, StoreError> {
        let query = self.table.query("pk = :pk").value(":pk", "finding");
        read(query.consistent().all().await?)
    }

    /// Returns a page of all findings by subject, including resolved ones.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn findings_page(&self, page: &PageRequest) -> Result<Page<Finding>, StoreError> {
        let query = match &page.after {
            None => self.table.query("pk = :pk"),
            Some(after) => self
                .table
                .query("pk = :pk AND sk > :after")
                .value(":after", after),
        };
        let query = query.value(":pk", "finding");
        let found = read(query.first(page.limit + 1).await?)?;
        Ok(Page::cut(found, page.limit, Finding::position))
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
