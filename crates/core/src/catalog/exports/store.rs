//! Exports in the table of file jobs: one item for each, which the table's time to live deletes after a week, as the
//! bucket does with the file.

use serde::{Deserialize, Serialize};

use super::model::{Export, ExportError, Status, Upload};
use crate::aws::Aws;
use crate::aws::dynamo::{Attempt, StoreError, Written};
use crate::aws::settings::{Setting, SettingError};
use crate::catalog::imports::model::{Content, Format};
use crate::catalog::job_table::JobTable;
use crate::values::clock::Time;
use crate::values::id::{CustomerId, ExportId};

/// The version of the stored shape of [`ExportItem`].
const SCHEMA: u32 = 1;

/// How long an export is kept after it was created, in seconds.
const KEPT_SECONDS: i64 = 7 * 24 * 60 * 60;

/// An export as it is stored.
#[derive(Debug, Serialize, Deserialize)]
struct ExportItem {
    job_id: ExportId,
    created_by: CustomerId,
    content: Content,
    format: Format,
    status: Status,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    upload_id: Option<String>,
    /// The entity tags of the parts, at most 10,000 (S3's quota).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    parts: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    whole: bool,
    rows: u64,
    bytes: u64,
    created_at: Time,
    updated_at: Time,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    request_hash: Option<String>,
    revision: u64,
    schema: u32,
    /// In seconds since 1970.
    expires_at: i64,
}

impl From<&Export> for ExportItem {
    fn from(export: &Export) -> Self {
        let upload = export.upload.clone();
        Self {
            job_id: export.id,
            created_by: export.created_by,
            content: export.content,
            format: export.format,
            status: export.status,
            upload_id: upload.id,
            parts: upload.parts,
            after: upload.after,
            whole: upload.is_whole,
            rows: export.rows,
            bytes: export.bytes,
            created_at: export.created_at,
            updated_at: export.updated_at,
            request_hash: export.request_hash.clone(),
            revision: export.revision,
            schema: SCHEMA,
            expires_at: export.created_at.as_seconds() + KEPT_SECONDS,
        }
    }
}

impl From<ExportItem> for Export {
    fn from(item: ExportItem) -> Self {
        Self {
            id: item.job_id,
            created_by: item.created_by,
            content: item.content,
            format: item.format,
            status: item.status,
            upload: Upload {
                id: item.upload_id,
                parts: item.parts,
                after: item.after,
                is_whole: item.whole,
            },
            rows: item.rows,
            bytes: item.bytes,
            created_at: item.created_at,
            updated_at: item.updated_at,
            request_hash: item.request_hash,
            revision: item.revision,
        }
    }
}

/// The exports in the table of file jobs.
#[derive(Clone, Debug)]
pub struct ExportStore {
    jobs: JobTable,
}

impl ExportStore {
    /// Returns the exports in the table that the settings name (`FILE_JOBS_TABLE`).
    ///
    /// # Errors
    /// [`SettingError`] if a setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        Ok(Self {
            jobs: JobTable::new(aws, Setting::FileJobsTable)?,
        })
    }

    /// Returns the export with `id`, or `None` if there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get(&self, id: ExportId) -> Result<Option<Export>, StoreError> {
        let item: Option<ExportItem> = self.jobs.get(id).await?;
        Ok(item.map(Export::from))
    }

    /// Stores the new `export` and returns it with `false`. If the same request has created it before, returns the stored
    /// export with `true`.
    ///
    /// # Errors
    /// [`ExportError::KeyReused`] if another request created an export with this identifier.
    pub async fn create(&self, export: Export) -> Result<(Export, bool), ExportError> {
        let item = ExportItem::from(&export);
        if self.jobs.create(&item).await? == Written::Done {
            return Ok((export, false));
        }
        let stored = self.get(export.id).await?;
        match stored.filter(|stored| stored.request_hash == export.request_hash) {
            Some(stored) => Ok((stored, true)),
            None => Err(ExportError::KeyReused),
        }
    }

    /// Stores `next`, the next revision of an export. Refused if another one has been stored meanwhile.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn replace(&self, next: &Export) -> Result<Attempt<()>, StoreError> {
        let item = ExportItem::from(next);
        self.jobs.replace(&item, next.revision).await
    }
}
