//! The tables of imports and exports: one item for each, with the key `job_id` and the number of its writes.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::aws::Aws;
use crate::aws::dynamo::{Attempt, Key, StoreError, Table, Written};
use crate::aws::settings::{Setting, SettingError};

/// A table of jobs.
#[derive(Clone, Debug)]
pub(super) struct JobTable {
    table: Table,
}

impl JobTable {
    /// Returns the table that `setting` names.
    ///
    /// # Errors
    /// [`SettingError`] if a setting is missing.
    pub(super) fn new(aws: &Aws, setting: Setting) -> Result<Self, SettingError> {
        let table = Table::new(aws, setting)?;
        Ok(Self { table })
    }

    /// Returns the job with `id`, or `None` if there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        id: impl ToString,
    ) -> Result<Option<T>, StoreError> {
        self.table.get(Key::new("job_id", id)).await
    }

    /// Stores a new job. Refused if there is one with its identifier.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) async fn create(&self, item: &impl Serialize) -> Result<Written, StoreError> {
        let write = self.table.put(item)?.when("attribute_not_exists(job_id)");
        self.table.write(write).await
    }

    /// Stores the `revision` of a job. Refused if another one has been stored meanwhile.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) async fn replace(
        &self,
        item: &impl Serialize,
        revision: u64,
    ) -> Result<Attempt<()>, StoreError> {
        let write = self.table.put(item)?.when("revision = :before");
        let write = write.value(":before", &(revision - 1))?;
        Ok(self.table.write(write).await?.into())
    }
}
