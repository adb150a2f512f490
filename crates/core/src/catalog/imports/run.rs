//! Reads the files of imports, piece by piece.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::aws::Aws;
use crate::aws::bucket::{Bucket, BucketError};
use crate::aws::dynamo::{Attempt, StoreError};
use crate::aws::queue::{Queue, QueueError};
use crate::aws::settings::{Setting, SettingError};
use crate::values::clock::Time;
use crate::values::id::{ExportId, ImportId};
use crate::values::money::Currency;

use super::model::{Failure, Import, ImportError, Status, Upload};
use super::piece::{Importer, import_piece};
use super::rows::PIECE_BYTES;
use super::rules::{self, Piece};
use super::store::{ImportItem, ImportStore};

/// How many pieces one invocation reads at most. The next message goes on after them.
const MOST_PIECES: usize = 4;

/// Why a message was not processed. It has to be delivered again.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// It is neither from the bucket nor from here.
    #[error("the message is about no import")]
    InvalidMessage(#[from] serde_json::Error),
    /// The database did not do what was asked.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The bucket did not do what was asked.
    #[error(transparent)]
    Bucket(#[from] BucketError),
    /// The next message could not be sent.
    #[error(transparent)]
    Queue(#[from] QueueError),
}

/// A message of a queue of imports: that an import or an export goes on, how far one of stock is, or from the bucket that
/// files are there.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Notice {
    /// The import that goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub import_id: Option<ImportId>,
    /// The export that goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub export_id: Option<ExportId>,
    /// How far an import of stock is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<Box<ImportItem>>,
    #[serde(rename = "Records", skip_serializing_if = "Vec::is_empty")]
    records: Vec<Record>,
}

/// What the bucket says of a new file (S3's event message structure, version 2).
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    s3: File,
}

#[derive(Debug, Serialize, Deserialize)]
struct File {
    object: Object,
}

#[derive(Debug, Serialize, Deserialize)]
struct Object {
    key: String,
    #[serde(default)]
    size: u64,
    #[serde(rename = "eTag", default)]
    etag: String,
}

impl Notice {
    /// Returns the message that an export goes on.
    #[must_use]
    pub fn of_export(id: ExportId) -> Self {
        Self {
            export_id: Some(id),
            ..Self::default()
        }
    }

    /// Returns the files that are there, by their imports.
    pub(super) fn uploads(&self) -> impl Iterator<Item = (ImportId, Upload)> {
        self.records.iter().filter_map(|record| {
            let Object { key, size, etag } = &record.s3.object;
            let (_, id) = key.split_once('/')?;
            let etag = format!("\"{etag}\"");
            Some((id.parse().ok()?, Upload { size: *size, etag }))
        })
    }
}

/// Where imports are created and shown.
#[derive(Clone, Debug)]
struct Catalog {
    /// The imports as they were created.
    created: ImportStore,
    /// Where it is told how far they are.
    reports: Queue,
}

/// What runs imports.
#[derive(Clone, Debug)]
pub struct Runner {
    /// The imports that it runs.
    pub imports: ImportStore,
    /// The catalogue, if this is the inventory.
    catalog: Option<Catalog>,
    /// Where the files are.
    pub bucket: Bucket,
    /// Where messages that a job goes on are sent.
    pub queue: Queue,
    /// The shop's currency.
    pub currency: Currency,
}

impl Runner {
    /// Returns the runner of imports of products and prices.
    ///
    /// # Errors
    /// [`SettingError`] if a setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        Ok(Self {
            imports: ImportStore::new(aws)?,
            catalog: None,
            bucket: Bucket::new(aws)?,
            queue: Queue::new(aws, Setting::FileJobQueueUrl)?,
            currency: aws.settings().read(Setting::ShopCurrency)?,
        })
    }

    /// Returns the runner of imports of stock.
    ///
    /// # Errors
    /// [`SettingError`] if a setting is missing.
    pub fn of_stock(aws: &Aws) -> Result<Self, SettingError> {
        Ok(Self {
            imports: ImportStore::of_stock(aws)?,
            catalog: Some(Catalog {
                created: ImportStore::new(aws)?,
                reports: Queue::new(aws, Setting::FileJobQueueUrl)?,
            }),
            bucket: Bucket::new(aws)?,
            queue: Queue::new(aws, Setting::StockImportQueueUrl)?,
            currency: aws.settings().read(Setting::ShopCurrency)?,
        })
    }

    /// Goes on with the imports that `notice` is about. `importer` imports rows, or only checks them if it is told so.
    ///
    /// # Errors
    /// [`RunError`]; what was done stays, and the message is delivered again.
    pub async fn run<I: Importer + Sync>(
        &self,
        notice: &Notice,
        now: Time,
        importer: impl Fn(&Import) -> I + Sync,
    ) -> Result<(), RunError> {
        let mut running: BTreeSet<ImportId> = notice.import_id.into_iter().collect();
        for (id, upload) in notice.uploads() {
            match self.take_in(id, upload, now).await {
                Ok(()) => drop(running.insert(id)),
                Err(ImportError::Store(error)) => return Err(error.into()),
                // Nothing waits for this file, or not any more.
                Err(error) => tracing::warn!(import.id = %id, %error, "a file is for no import"),
            }
        }
        for id in running {
            let goes_on = self.go_on(id, now, &importer).await?;
            self.report(id).await?;
            if goes_on {
                let notice = Notice {
                    import_id: Some(id),
                    ..Notice::default()
                };
                self.queue.send(&notice).await?;
            }
        }
        Ok(())
    }

    /// Gives the import with `id` its file, if it waits for one.
    async fn take_in(&self, id: ImportId, upload: Upload, now: Time) -> Result<(), ImportError> {
        let Some(Catalog { created, .. }) = &self.catalog else {
            let uploaded = |import: &Import| Ok(rules::uploaded(import, upload.clone(), now));
            return self.imports.change(id, uploaded).await.map(drop);
        };
        let import = created.get(id).await?.ok_or(ImportError::NotFound)?;
        match rules::uploaded(&import, upload, now) {
            Some(running) => match self.imports.create(running).await {
                // It has one already.
                Ok(_) | Err(ImportError::KeyReused) => Ok(()),
                Err(error) => Err(error),
            },
            None => Ok(()),
        }
    }

    /// Reads some pieces of the import with `id`. Returns whether there is more to do.
    async fn go_on<I: Importer + Sync>(
        &self,
        id: ImportId,
        now: Time,
        importer: &(impl Fn(&Import) -> I + Sync),
    ) -> Result<bool, RunError> {
        for _ in 0..MOST_PIECES {
            let import = self.imports.get(id).await?;
            let Some(import) = import.filter(|import| import.status == Status::Running) else {
                return Ok(false);
            };
            let next = if self.is_cancelled(id).await? {
                rules::cancelled(&import, now).ok().flatten()
            } else {
                let piece = self.piece(&import, &importer(&import)).await?;
                Some(rules::advanced(&import, piece, now))
            };
            let Some(next) = next else {
                return Ok(false);
            };
            let replaced = self.imports.replace(&next).await?;
            // A write may be refused because it was made already and its response was lost. Otherwise the import was
            // cancelled, or another message goes on with it.
            if replaced == Attempt::Overtaken && self.imports.get(id).await? != Some(next) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Tells the catalogue how far the import with `id` is, if this is the inventory.
    async fn report(&self, id: ImportId) -> Result<(), RunError> {
        let Some(Catalog { reports, .. }) = &self.catalog else {
            return Ok(());
        };
        if let Some(import) = self.imports.get(id).await? {
            let notice = Notice {
                report: Some(Box::new(ImportItem::from(&import))),
                ..Notice::default()
            };
            reports.send(&notice).await?;
        }
        Ok(())
    }

    /// Returns whether an admin has stopped the import with `id`, which another service keeps.
    async fn is_cancelled(&self, id: ImportId) -> Result<bool, StoreError> {
        let Some(Catalog { created, .. }) = &self.catalog else {
            return Ok(false);
        };
        let created = created.get(id).await?;
        Ok(created.is_none_or(|import| import.status == Status::Cancelled))
    }

    /// Imports the next piece of `import`.
    async fn piece(&self, import: &Import, importer: &impl Importer) -> Result<Piece, RunError> {
        let Some(Upload { size, etag }) = &import.upload else {
            return Ok(Piece::default());
        };
        let failed = |code, detail: &str| Piece {
            failure: Some(Failure::new(code, detail)),
            ..Piece::default()
        };
        if *size == 0 {
            return Ok(failed("empty", "The file is empty."));
        }
        let key = import.file();
        let read = self
            .bucket
            .read(&key, etag, import.read_bytes, PIECE_BYTES)
            .await;
        let bytes = match read {
            Ok(bytes) => bytes,
            Err(BucketError::Changed) => {
                let detail = "The file was replaced or removed while it was imported. Create another import.";
                return Ok(failed("file_changed", detail));
            }
            Err(error) => return Err(error.into()),
        };
        Ok(import_piece(importer, self.currency, import, *size, &bytes).await?)
    }
}
