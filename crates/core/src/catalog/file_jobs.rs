//! The queue of file jobs: imports of products and prices, exports, and what the inventory says of imports of stock.

use crate::aws::Aws;
use crate::aws::queue::QueueError;
use crate::aws::settings::SettingError;
use crate::runtime::Message;

use super::exports;
use super::exports::run::Exporter;
use super::exports::store::ExportStore;
use super::imports::context::Context;
use super::imports::importer::ProductImporter;
use super::imports::model::{Import, ImportError};
use super::imports::rules;
use super::imports::run::{self, Notice, Runner};
use super::store::ProductStore;

/// Why a message was not processed. It has to be delivered again.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// An import does not go on.
    #[error(transparent)]
    Import(#[from] run::RunError),
    /// What the inventory says could not be stored.
    #[error(transparent)]
    Report(#[from] ImportError),
    /// An export does not go on.
    #[error(transparent)]
    Export(#[from] exports::run::RunError),
    /// The next message could not be sent.
    #[error(transparent)]
    Queue(#[from] QueueError),
}

/// What runs imports of products and prices, and exports.
#[derive(Clone, Debug)]
pub struct Jobs {
    runner: Runner,
    exporter: Exporter,
    products: ProductStore,
}

impl Jobs {
    /// Returns what runs this function's jobs.
    ///
    /// # Errors
    /// [`SettingError`] if a setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        let (products, runner) = (ProductStore::new(aws)?, Runner::new(aws)?);
        Ok(Self {
            exporter: Exporter {
                exports: ExportStore::new(aws)?,
                products: products.clone(),
                bucket: runner.bucket.clone(),
            },
            products,
            runner,
        })
    }
}

/// Goes on with what `message` is about.
///
/// # Errors
/// [`JobError`]; what was done stays, and the message is delivered again.
pub async fn run_file_jobs(jobs: &Jobs, message: Message) -> Result<(), JobError> {
    let notice: Notice =
        serde_json::from_str(&message.body).map_err(run::RunError::InvalidMessage)?;
    let now = message.sent_at;
    let importer = |import: &Import| ProductImporter {
        content: import.content,
        context: Context {
            products: &jobs.products,
            currency: jobs.runner.currency,
            dry_run: import.dry_run,
            now,
        },
    };
    jobs.runner.run(&notice, now, importer).await?;
    if let Some(report) = notice.report {
        let report = Import::from(*report);
        let reported = jobs
            .runner
            .imports
            .change(report.id, |import| Ok(rules::reported(import, &report)));
        match reported.await {
            // It has expired.
            Ok(_) | Err(ImportError::NotFound) => {}
            Err(error) => return Err(error.into()),
        }
    }
    if let Some(id) = notice.export_id
        && jobs.exporter.go_on(id, now).await?
    {
        jobs.runner.queue.send(&Notice::of_export(id)).await?;
    }
    Ok(())
}
