//! Writes the files of exports, part by part.

use super::lines;
use super::model::{Export, Status};
use super::rules::{self, Part};
use super::store::ExportStore;
use crate::aws::bucket::{Bucket, BucketError};
use crate::aws::dynamo::{Attempt, StoreError};
use crate::catalog::model;
use crate::catalog::store::ProductStore;
use crate::values::clock::Time;
use crate::values::id::ExportId;

/// The fewest bytes of a part that is not the last (S3's quota).
pub(super) const PART_BYTES: usize = 5 * 1024 * 1024;

/// How many parts one invocation writes at most. The next message goes on after them.
const MOST_PARTS: usize = 4;

/// How many items of the table of products are read at once.
const ITEMS_AT_ONCE: i32 = 500;

/// Returns the key of the file of an export.
pub(super) fn file_of(id: ExportId) -> String {
    format!("exports/{id}")
}

/// Why an export does not go on. It is tried again.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The database did not do what was asked.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file could not be written.
    #[error(transparent)]
    Bucket(#[from] BucketError),
}

/// What runs exports.
#[derive(Clone, Debug)]
pub struct Exporter {
    /// The exports.
    pub exports: ExportStore,
    /// The products.
    pub products: ProductStore,
    /// Where the files are.
    pub bucket: Bucket,
}

impl Exporter {
    /// Writes some parts of the export with `id`. Returns whether there is more to do.
    ///
    /// # Errors
    /// [`RunError`]; what was done stays.
    pub async fn go_on(&self, id: ExportId, now: Time) -> Result<bool, RunError> {
        for _ in 0..MOST_PARTS {
            let export = self.exports.get(id).await?;
            let Some(export) = export.filter(|export| export.status == Status::Running) else {
                return Ok(false);
            };
            let next = self.advanced(&export, now).await?;
            let replaced = self.exports.replace(&next).await?;
            // A write may be refused because it was made already and its response was lost. Otherwise another message
            // goes on with the export.
            if replaced == Attempt::Overtaken && self.exports.get(id).await? != Some(next) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Returns `export` after its next step.
    async fn advanced(&self, export: &Export, now: Time) -> Result<Export, RunError> {
        let key = file_of(export.id);
        let upload = &export.upload;
        let Some(upload_id) = &upload.id else {
            let upload_id = self.bucket.begin(&key).await?;
            return Ok(rules::begun(export, upload_id, now));
        };
        if upload.is_whole {
            let status = match self.bucket.complete(&key, upload_id, &upload.parts).await {
                Ok(()) => Status::Completed,
                // It is complete if it was completed before and the response was lost.
                Err(BucketError::Changed) if self.bucket.has(&key).await? => Status::Completed,
                Err(BucketError::Changed) => Status::Failed,
                Err(error) => return Err(error.into()),
            };
            return Ok(rules::ended(export, status, now));
        }
        let (file, rows, next) = self.part(export, now, PART_BYTES).await?;
        let bytes = u64::try_from(file.len()).unwrap_or(u64::MAX);
        let number = upload.parts.len() + 1;
        let etag = match self.bucket.put_part(&key, upload_id, number, file).await {
            Ok(etag) => etag,
            Err(BucketError::Changed) => return Ok(rules::ended(export, Status::Failed, now)),
            Err(error) => return Err(error.into()),
        };
        let part = Part {
            etag,
            rows,
            bytes,
            next,
        };
        Ok(rules::advanced(export, part, now))
    }

    /// Returns the next part of the file, which has at least `least` bytes unless it is the last, how many rows it has, and
    /// where the part after it begins.
    pub(super) async fn part(
        &self,
        export: &Export,
        now: Time,
        least: usize,
    ) -> Result<(Vec<u8>, u64, Option<String>), StoreError> {
        let mut file = Vec::new();
        let mut count = 0;
        let mut after = export.upload.after.clone();
        if export.upload.parts.is_empty() {
            file = lines::beginning(export.content, export.format)?;
        }
        loop {
            let piece = self.products.piece(after.as_deref(), ITEMS_AT_ONCE).await?;
            for product in &piece.items {
                if product.status == model::Status::Discontinued {
                    continue;
                }
                let (rows, number) = lines::rows(product, export.content, export.format, now)?;
                file.extend(rows);
                count += number;
            }
            after = piece.next;
            if after.is_none() || file.len() >= least {
                return Ok((file, count, after));
            }
        }
    }
}
