//! Imports in the table of file jobs, or in that of imports of stock: one item for each, which the table's time to live deletes after a month.

use serde::{Deserialize, Serialize};

use super::model::{
    Content, Counts, Failure, Fault, Format, Header, Import, ImportError, Status, Upload,
};
use crate::aws::Aws;
use crate::aws::dynamo::{self, Attempt, StoreError, Written};
use crate::aws::settings::{Setting, SettingError};
use crate::catalog::job_table::JobTable;
use crate::values::clock::Time;
use crate::values::id::{CustomerId, ImportId};

/// The version of the stored shape of [`ImportItem`].
const SCHEMA: u32 = 1;

/// How long an import is kept after it was created, in seconds.
const KEPT_SECONDS: i64 = 30 * 24 * 60 * 60;

/// An import as it is stored, and as the inventory tells the catalogue of one of stock.
#[derive(Debug, Serialize, Deserialize)]
pub struct ImportItem {
    job_id: ImportId,
    created_by: CustomerId,
    content: Content,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    format: Option<Format>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    dry_run: bool,
    status: Status,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    etag: Option<String>,
    #[serde(default)]
    read_bytes: u64,
    #[serde(default)]
    read_lines: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    header: Option<Header>,
    counts: Counts,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    faults: Vec<Fault>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failure: Option<Failure>,
    created_at: Time,
    updated_at: Time,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    request_hash: Option<String>,
    revision: u64,
    schema: u32,
    /// In seconds since 1970.
    expires_at: i64,
}

impl From<&Import> for ImportItem {
    fn from(import: &Import) -> Self {
        let upload = import.upload.clone();
        Self {
            job_id: import.id,
            created_by: import.created_by,
            content: import.content,
            format: import.format,
            dry_run: import.dry_run,
            status: import.status,
            size: upload.as_ref().map(|upload| upload.size),
            etag: upload.map(|upload| upload.etag),
            read_bytes: import.read_bytes,
            read_lines: import.read_lines,
            header: import.header.clone(),
            counts: import.counts,
            faults: import.faults.clone(),
            failure: import.failure.clone(),
            created_at: import.created_at,
            updated_at: import.updated_at,
            request_hash: import.request_hash.clone(),
            revision: import.revision,
            schema: SCHEMA,
            expires_at: import.created_at.as_seconds() + KEPT_SECONDS,
        }
    }
}

impl From<ImportItem> for Import {
    fn from(item: ImportItem) -> Self {
        let upload = item.size.zip(item.etag);
        Self {
            id: item.job_id,
            created_by: item.created_by,
            content: item.content,
            format: item.format,
            dry_run: item.dry_run,
            status: item.status,
            upload: upload.map(|(size, etag)| Upload { size, etag }),
            read_bytes: item.read_bytes,
            read_lines: item.read_lines,
            header: item.header,
            counts: item.counts,
            faults: item.faults,
            failure: item.failure,
            created_at: item.created_at,
            updated_at: item.updated_at,
            request_hash: item.request_hash,
            revision: item.revision,
        }
    }
}

/// The imports in one of the two tables.
#[derive(Clone, Debug)]
pub struct ImportStore {
    jobs: JobTable,
}

impl ImportStore {
    /// Returns the imports in the table that the settings name (`FILE_JOBS_TABLE`).
    ///
    /// # Errors
    /// [`SettingError`] if a setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        Ok(Self {
            jobs: JobTable::new(aws, Setting::FileJobsTable)?,
        })
    }

    /// Returns the imports of stock that have their files, in the table that the settings name (`STOCK_IMPORTS_TABLE`).
    ///
    /// # Errors
    /// [`SettingError`] if a setting is missing.
    pub fn of_stock(aws: &Aws) -> Result<Self, SettingError> {
        Ok(Self {
            jobs: JobTable::new(aws, Setting::StockImportsTable)?,
        })
    }

    /// Returns the import with `id`, or `None` if there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get(&self, id: ImportId) -> Result<Option<Import>, StoreError> {
        let item: Option<ImportItem> = self.jobs.get(id).await?;
        Ok(item.map(Import::from))
    }

    /// Stores the new `import` and returns it with `false`. If the same request has created it before, returns the stored
    /// import with `true`.
    ///
    /// # Errors
    /// [`ImportError::KeyReused`] if another request created an import with this identifier.
    pub async fn create(&self, import: Import) -> Result<(Import, bool), ImportError> {
        let item = ImportItem::from(&import);
        if self.jobs.create(&item).await? == Written::Done {
            return Ok((import, false));
        }
        let stored = self.get(import.id).await?;
        match stored.filter(|stored| stored.request_hash == import.request_hash) {
            Some(stored) => Ok((stored, true)),
            None => Err(ImportError::KeyReused),
        }
    }

    /// Stores `next`, the next revision of an import. Refused if another one has been stored meanwhile.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn replace(&self, next: &Import) -> Result<Attempt<()>, StoreError> {
        let item = ImportItem::from(next);
        self.jobs.replace(&item, next.revision).await
    }

    /// Changes the import with `id` as `decide` says, and returns it as it is then.
    ///
    /// # Errors
    /// [`ImportError::NotFound`], and what `decide` says.
    pub async fn change(
        &self,
        id: ImportId,
        decide: impl Fn(&Import) -> Result<Option<Import>, ImportError>,
    ) -> Result<Import, ImportError> {
        dynamo::change("the import", || async {
            let import = self.get(id).await?.ok_or(ImportError::NotFound)?;
            let Some(next) = decide(&import)? else {
                return Ok(Attempt::Done(import));
            };
            Ok(match self.replace(&next).await? {
                Attempt::Done(()) => Attempt::Done(next),
                Attempt::Overtaken => Attempt::Overtaken,
            })
        })
        .await
    }
}
