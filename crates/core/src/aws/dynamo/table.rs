//! One table: reads and single writes.
//!
//! What sends a request is a plain function that returns a boxed future. The futures of the SDK have kilobytes each,
//! and every future that reads or writes would contain them; and an `async fn` is compiled where it is awaited, which
//! is once in each function.

use std::time::Instant;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{KeysAndAttributes, ReturnValuesOnConditionCheckFailure};
use futures::future::BoxFuture;
use futures::{StreamExt as _, TryStreamExt as _};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::StoreError;
use super::patience::{CONFLICT_PATIENCE, pause};
use super::write::{Change, Item, Key, Outcome, Terms, Write, Written};
use crate::aws::settings::{Setting, SettingError};
use crate::aws::{Aws, gate};

/// The most keys of one `BatchGetItem` (DynamoDB quota).
const KEYS_PER_BATCH: usize = 100;

/// How many `BatchGetItem` of one [`Table::get_many`] are under way at the same time.
const BATCHES_AT_ONCE: usize = 4;

/// One table, and the queries of its indexes.
#[derive(Clone, Debug)]
pub struct Table {
    pub(super) client: Client,
    pub(super) name: String,
}

impl Table {
    /// Returns the table that `setting` names.
    ///
    /// # Errors
    /// [`SettingError`] if the setting is missing.
    pub fn new(aws: &Aws, setting: Setting) -> Result<Self, SettingError> {
        Ok(Self {
            client: aws.dynamodb(),
            name: aws.settings().read(setting)?,
        })
    }

    /// Returns the item with `key`, read consistently.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get<T: DeserializeOwned>(&self, key: Key) -> Result<Option<T>, StoreError> {
        self.read(key, true).await
    }

    /// Returns the item with `key` from an eventually consistent read, at half the cost.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_eventually<T: DeserializeOwned>(
        &self,
        key: Key,
    ) -> Result<Option<T>, StoreError> {
        self.read(key, false).await
    }

    /// Returns the item with `key` as it is stored, read consistently.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_raw(&self, key: Key) -> Result<Option<serde_dynamo::Item>, StoreError> {
        Ok(self.read_raw(key, true).await?.map(Into::into))
    }

    async fn read<T: DeserializeOwned>(
        &self,
        key: Key,
        consistent: bool,
    ) -> Result<Option<T>, StoreError> {
        let item = self.read_raw(key, consistent).await?;
        Ok(item.map(serde_dynamo::from_item).transpose()?)
    }

    fn read_raw(
        &self,
        key: Key,
        consistent: bool,
    ) -> BoxFuture<'_, Result<Option<Item>, StoreError>> {
        let request = self
            .client
            .get_item()
            .table_name(&self.name)
            .set_key(Some(key.0))
            .consistent_read(consistent);
        Box::pin(async move { Ok(request.send().await.map_err(StoreError::from_sdk)?.item) })
    }

    /// Returns the items with `keys` that exist, in no particular order. They are read a hundred at a time, with a few
    /// requests at the same time.
    ///
    /// # Errors
    /// Returns [`StoreError::Busy`] if DynamoDB leaves keys unprocessed for seconds, or another [`StoreError`].
    pub async fn get_many<T: DeserializeOwned>(
        &self,
        keys: Vec<Key>,
        consistent: bool,
    ) -> Result<Vec<T>, StoreError> {
        let keys: Vec<Item> = keys.into_iter().map(|key| key.0).collect();
        let batches = keys.chunks(KEYS_PER_BATCH).map(<[Item]>::to_vec);
        let reads = batches.map(|batch| self.get_batch(batch, consistent));
        let mut reads = futures::stream::iter(reads).buffer_unordered(BATCHES_AT_ONCE);
        let mut found = Vec::with_capacity(keys.len());
        while let Some(items) = reads.try_next().await? {
            for item in items {
                found.push(serde_dynamo::from_item(item)?);
            }
        }
        Ok(found)
    }

    /// Returns the items with the keys `wanted` (at most [`KEYS_PER_BATCH`]) that exist.
    fn get_batch(
        &self,
        mut wanted: Vec<Item>,
        consistent: bool,
    ) -> BoxFuture<'_, Result<Vec<Item>, StoreError>> {
        Box::pin(async move {
            let mut found = Vec::with_capacity(wanted.len());
            let started = Instant::now();
            loop {
                let keys = KeysAndAttributes::builder()
                    .set_keys(Some(wanted))
                    .consistent_read(consistent)
                    .build()
                    .map_err(|error| StoreError::Failed(error.into()))?;
                let request = self.client.batch_get_item().request_items(&self.name, keys);
                let answer = request.send().await.map_err(StoreError::from_sdk)?;
                let items = answer.responses.unwrap_or_default().remove(&self.name);
                found.extend(items.unwrap_or_default());
                wanted = answer
                    .unprocessed_keys
                    .and_then(|mut left| left.remove(&self.name))
                    .map_or_else(Vec::new, |left| left.keys);
                if wanted.is_empty() {
                    return Ok(found);
                }
                if started.elapsed() > CONFLICT_PATIENCE {
                    return Err(StoreError::Busy("keys stay unprocessed".into()));
                }
                pause(started).await;
            }
        })
    }

    /// Returns a write that stores the whole `item` and replaces what was there.
    ///
    /// # Errors
    /// [`StoreError::Shape`] if DynamoDB cannot hold it.
    pub fn put(&self, item: &impl Serialize) -> Result<Write, StoreError> {
        let change = Change::Put(serde_dynamo::to_item(item)?);
        Ok(Write {
            table: self.name.clone(),
            change,
            condition: None,
            terms: Terms::default(),
        })
    }

    /// Returns a write that changes the item with `key` by the update expression `expression`.
    #[must_use]
    pub fn update(&self, key: Key, expression: &str) -> Write {
        let change = Change::Update(key.0, expression.to_owned());
        Write {
            table: self.name.clone(),
            change,
            condition: None,
            terms: Terms::default(),
        }
    }

    /// Returns a write that removes the item with `key`, if there is one.
    #[must_use]
    pub fn delete(&self, key: Key) -> Write {
        Write {
            table: self.name.clone(),
            change: Change::Delete(key.0),
            condition: None,
            terms: Terms::default(),
        }
    }

    /// Returns what writes nothing, in a transaction that depends on the item with `key`: give it a condition.
    #[must_use]
    pub fn check(&self, key: Key) -> Write {
        Write {
            table: self.name.clone(),
            change: Change::Check(key.0),
            condition: None,
            terms: Terms::default(),
        }
    }

    /// Executes one write.
    ///
    /// # Errors
    /// [`StoreError`].
    #[must_use]
    pub fn write(&self, write: Write) -> BoxFuture<'_, Result<Written, StoreError>> {
        Box::pin(async move {
            gate::admitted().await;
            match self.send_write(write).await {
                Ok(()) => Ok(Written::Done),
                Err((true, _)) => Ok(Written::Refused(vec![0])),
                Err((false, error)) => Err(error),
            }
        })
    }

    async fn send_write(&self, write: Write) -> Result<(), (bool, StoreError)> {
        let Write {
            table,
            change,
            condition,
            terms,
        } = write;
        match change {
            Change::Put(item) => {
                let request = self.client.put_item().table_name(table);
                let request = request
                    .set_item(Some(item))
                    .set_condition_expression(condition)
                    .set_expression_attribute_names(terms.names())
                    .set_expression_attribute_values(terms.values());
                request.send().await.map(drop).map_err(refused)
            }
            Change::Update(key, expression) => {
                let request = self.client.update_item().table_name(table);
                let request = request
                    .set_key(Some(key))
                    .update_expression(expression)
                    .set_condition_expression(condition)
                    .set_expression_attribute_names(terms.names())
                    .set_expression_attribute_values(terms.values());
                request.send().await.map(drop).map_err(refused)
            }
            Change::Delete(key) => {
                let request = self.client.delete_item().table_name(table);
                let request = request
                    .set_key(Some(key))
                    .set_condition_expression(condition)
                    .set_expression_attribute_names(terms.names())
                    .set_expression_attribute_values(terms.values());
                request.send().await.map(drop).map_err(refused)
            }
            Change::Check(_) => {
                let alone = StoreError::unreadable("a check is part of a transaction");
                Err((false, alone))
            }
        }
    }

    /// Makes one write, made by [`Table::update`], and tells what was there if its condition did not
    /// hold: that costs no further read.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn write_or_tell<T: DeserializeOwned>(
        &self,
        write: Write,
    ) -> Result<Outcome<T>, StoreError> {
        Ok(match self.update_or_tell(write).await? {
            Outcome::Done => Outcome::Done,
            Outcome::Refused(item) => {
                Outcome::Refused(item.map(serde_dynamo::from_item).transpose()?)
            }
        })
    }

    fn update_or_tell(&self, write: Write) -> BoxFuture<'_, Result<Outcome<Item>, StoreError>> {
        Box::pin(async move {
            gate::admitted().await;
            let Change::Update(key, expression) = write.change else {
                return Err(StoreError::Failed(
                    "only updates tell what was there".into(),
                ));
            };
            let told = ReturnValuesOnConditionCheckFailure::AllOld;
            let request = self
                .client
                .update_item()
                .table_name(write.table)
                .set_key(Some(key))
                .update_expression(expression)
                .set_condition_expression(write.condition)
                .set_expression_attribute_names(write.terms.names())
                .set_expression_attribute_values(write.terms.values())
                .return_values_on_condition_check_failure(told);
            let Err(error) = request.send().await else {
                return Ok(Outcome::Done);
            };
            match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(refused)) => {
                    Ok(Outcome::Refused(refused.item.clone()))
                }
                Some(_) | None => Err(StoreError::from_sdk(error)),
            }
        })
    }
}

/// Whether `error` is a condition that did not hold, and what it is else.
fn refused<E>(error: SdkError<E>) -> (bool, StoreError)
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let refused = error.code() == Some("ConditionalCheckFailedException");
    (refused, StoreError::from_sdk(error))
}
