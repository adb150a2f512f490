//! DynamoDB, as the stores use it: the only module beside them that knows the SDK's types.

use std::time::{Duration, Instant};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{
    AttributeValue, Delete as SdkDelete, KeysAndAttributes, Put,
    ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update as SdkUpdate,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::HashMap;

use crate::aws::Aws;
use crate::aws::settings::{Setting, SettingError};
use crate::http::problem::Problem;

type Item = HashMap<String, AttributeValue>;

/// How long a transaction in conflict with others is tried again before it is given up.
const CONFLICT_PATIENCE: Duration = Duration::from_millis(2_500);

/// Why the database gave no answer. None of these says anything about the shop.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Throttled, or in conflict with others, after all retries; nothing is written.
    #[error("the database is busy")]
    Busy(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Any other failure; whether something is written is not known.
    #[error("the database failed")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A stored item is not of the shape that it should have.
    #[error("a stored item cannot be read or written")]
    Shape(#[from] serde_dynamo::Error),
}

/// Whether `error` is a condition that did not hold, and what it is else.
fn refused<E>(error: SdkError<E>) -> (bool, StoreError)
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let refused = error.code() == Some("ConditionalCheckFailedException");
    (refused, StoreError::of(error))
}

impl StoreError {
    fn of<E>(error: SdkError<E>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let busy = matches!(
            error.code(),
            Some(
                "ProvisionedThroughputExceededException"
                    | "RequestLimitExceeded"
                    | "ThrottlingException"
                    | "TransactionConflictException"
                    | "TransactionInProgressException"
            )
        );
        if busy {
            Self::Busy(error.into())
        } else {
            Self::Failed(error.into())
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Busy(_) => Self::Busy(error.into()),
            StoreError::Failed(_) | StoreError::Shape(_) => Self::internal(error),
        }
    }
}

/// The primary key of an item.
#[derive(Clone, Debug)]
pub struct Key(Item);

impl Key {
    /// A partition key.
    #[must_use]
    pub fn new(name: &str, value: impl ToString) -> Self {
        Self(Item::from([(
            name.to_owned(),
            AttributeValue::S(value.to_string()),
        )]))
    }

    /// And a sort key.
    #[must_use]
    pub fn and(mut self, name: &str, value: impl ToString) -> Self {
        self.0
            .insert(name.to_owned(), AttributeValue::S(value.to_string()));
        self
    }
}

/// Names and values of an expression.
#[derive(Clone, Debug, Default)]
struct Terms {
    names: HashMap<String, String>,
    values: Item,
}

impl Terms {
    fn names(&self) -> Option<HashMap<String, String>> {
        Some(self.names.clone()).filter(|names| !names.is_empty())
    }

    fn values(&self) -> Option<Item> {
        Some(self.values.clone()).filter(|values| !values.is_empty())
    }
}

/// One conditional write, to be made alone or in a transaction.
#[derive(Clone, Debug)]
pub struct Write {
    table: String,
    change: Change,
    condition: Option<String>,
    terms: Terms,
}

#[derive(Clone, Debug)]
enum Change {
    Put(Item),
    Update(Item, String),
    Delete(Item),
}

impl Write {
    /// Makes the write depend on `condition`, a condition expression.
    #[must_use]
    pub fn when(mut self, condition: &str) -> Self {
        self.condition = Some(condition.to_owned());
        self
    }

    /// Gives the placeholder `#name` its attribute.
    #[must_use]
    pub fn name(mut self, placeholder: &str, attribute: &str) -> Self {
        self.terms
            .names
            .insert(placeholder.to_owned(), attribute.to_owned());
        self
    }

    /// Gives the placeholder `:name` its value.
    ///
    /// # Errors
    /// [`StoreError::Shape`] if DynamoDB cannot hold such a value.
    pub fn value(mut self, placeholder: &str, value: &impl Serialize) -> Result<Self, StoreError> {
        let value = serde_dynamo::to_attribute_value(value)?;
        self.terms.values.insert(placeholder.to_owned(), value);
        Ok(self)
    }
}

/// How a conditional write ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// It is stored.
    Done,
    /// Its condition did not hold: nothing is stored. In a transaction, the places of the writes
    /// whose conditions did not hold.
    Refused(Vec<usize>),
}

/// How a conditional update ended, with what was there if it was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome<T> {
    /// It is stored.
    Done,
    /// Its condition did not hold for this item, or for there being none: nothing is stored.
    Refused(Option<T>),
}

/// One table, and the queries of its indexes.
#[derive(Clone, Debug)]
pub struct Table {
    client: Client,
    name: String,
}

/// A query of a table or of one of its indexes.
#[derive(Clone, Debug)]
pub struct Query {
    table: Table,
    index: Option<String>,
    condition: String,
    terms: Terms,
    descending: bool,
    consistent: bool,
}

impl Table {
    /// The table that `setting` names.
    ///
    /// # Errors
    /// [`SettingError`] if the setting is missing.
    pub fn new(aws: &Aws, setting: Setting) -> Result<Self, SettingError> {
        Ok(Self {
            client: aws.dynamodb(),
            name: aws.settings().read(setting)?,
        })
    }

    /// The item with `key`, read consistently.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get<T: DeserializeOwned>(&self, key: Key) -> Result<Option<T>, StoreError> {
        self.read(key, true).await
    }

    /// The item with `key` as it was a moment ago, at half the cost; for what may be shown late.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_eventually<T: DeserializeOwned>(
        &self,
        key: Key,
    ) -> Result<Option<T>, StoreError> {
        self.read(key, false).await
    }

    async fn read<T: DeserializeOwned>(
        &self,
        key: Key,
        consistent: bool,
    ) -> Result<Option<T>, StoreError> {
        let request = self
            .client
            .get_item()
            .table_name(&self.name)
            .set_key(Some(key.0));
        let answer = request
            .consistent_read(consistent)
            .send()
            .await
            .map_err(StoreError::of)?;
        Ok(answer.item.map(serde_dynamo::from_item).transpose()?)
    }

    /// The items with `keys` (at most 100), in no order, without those that do not exist.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_many<T: DeserializeOwned>(
        &self,
        keys: Vec<Key>,
        consistent: bool,
    ) -> Result<Vec<T>, StoreError> {
        let mut wanted: Vec<Item> = keys.into_iter().map(|key| key.0).collect();
        let mut found = Vec::with_capacity(wanted.len());
        let started = Instant::now();
        while !wanted.is_empty() {
            let keys = KeysAndAttributes::builder()
                .set_keys(Some(wanted))
                .consistent_read(consistent)
                .build()
                .map_err(|error| StoreError::Failed(error.into()))?;
            let request = self.client.batch_get_item().request_items(&self.name, keys);
            let answer = request.send().await.map_err(StoreError::of)?;
            for item in answer
                .responses
                .unwrap_or_default()
                .remove(&self.name)
                .unwrap_or_default()
            {
                found.push(serde_dynamo::from_item(item)?);
            }
            wanted = answer
                .unprocessed_keys
                .and_then(|mut left| left.remove(&self.name))
                .map_or_else(Vec::new, |left| left.keys);
            if !wanted.is_empty() {
                if started.elapsed() > CONFLICT_PATIENCE {
                    return Err(StoreError::Busy("keys stay unprocessed".into()));
                }
                pause(started).await;
            }
        }
        Ok(found)
    }

    /// Stores `item` whole, over what was there.
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

    /// Changes parts of the item with `key` by `expression`, an update expression.
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

    /// Removes the item with `key`, if there is one.
    #[must_use]
    pub fn delete(&self, key: Key) -> Write {
        Write {
            table: self.name.clone(),
            change: Change::Delete(key.0),
            condition: None,
            terms: Terms::default(),
        }
    }

    /// Makes one write.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn write(&self, write: Write) -> Result<Written, StoreError> {
        let Write {
            table,
            change,
            condition,
            terms,
        } = write;
        let failure = match change {
            Change::Put(item) => {
                let request = self
                    .client
                    .put_item()
                    .table_name(table)
                    .set_item(Some(item));
                let request = request
                    .set_condition_expression(condition)
                    .set_expression_attribute_names(terms.names())
                    .set_expression_attribute_values(terms.values());
                request.send().await.map(drop).map_err(refused)
            }
            Change::Update(key, expression) => {
                let request = self
                    .client
                    .update_item()
                    .table_name(table)
                    .set_key(Some(key));
                let request = request
                    .update_expression(expression)
                    .set_condition_expression(condition)
                    .set_expression_attribute_names(terms.names())
                    .set_expression_attribute_values(terms.values());
                request.send().await.map(drop).map_err(refused)
            }
            Change::Delete(key) => {
                let request = self
                    .client
                    .delete_item()
                    .table_name(table)
                    .set_key(Some(key));
                let request = request
                    .set_condition_expression(condition)
                    .set_expression_attribute_names(terms.names())
                    .set_expression_attribute_values(terms.values());
                request.send().await.map(drop).map_err(refused)
            }
        };
        match failure {
            Ok(()) => Ok(Written::Done),
            Err((true, _)) => Ok(Written::Refused(vec![0])),
            Err((false, error)) => Err(error),
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
        let Change::Update(key, expression) = write.change else {
            return Err(StoreError::Failed(
                "only updates tell what was there".into(),
            ));
        };
        let request = self
            .client
            .update_item()
            .table_name(write.table)
            .set_key(Some(key))
            .update_expression(expression)
            .set_condition_expression(write.condition)
            .set_expression_attribute_names(write.terms.names())
            .set_expression_attribute_values(write.terms.values())
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match request.send().await {
            Ok(_) => Ok(Outcome::Done),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(refused)) => {
                    let item = refused.item.clone().map(serde_dynamo::from_item);
                    Ok(Outcome::Refused(item.transpose()?))
                }
                Some(_) | None => Err(StoreError::of(error)),
            },
        }
    }

    /// Makes all of `writes` (at most 100) or none. A conflict with another transaction is tried
    /// again with jitter for a while: it says nothing about the conditions.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::Busy`] if the conflict stays.
    pub async fn transact(&self, writes: Vec<Write>) -> Result<Written, StoreError> {
        let items: Vec<TransactWriteItem> = writes
            .into_iter()
            .map(transact_item)
            .collect::<Result<_, _>>()?;
        let started = Instant::now();
        loop {
            let request = self
                .client
                .transact_write_items()
                .set_transact_items(Some(items.clone()));
            let Err(error) = request.send().await else {
                return Ok(Written::Done);
            };
            match reasons(&error) {
                Some(Cancelled::Refused(places)) => return Ok(Written::Refused(places)),
                Some(Cancelled::Contended) if started.elapsed() < CONFLICT_PATIENCE => {
                    pause(started).await;
                }
                Some(Cancelled::Contended) => return Err(StoreError::Busy(error.into())),
                None => return Err(StoreError::of(error)),
            }
        }
    }

    /// A query whose key condition is `condition`, in ascending order, eventually consistent.
    #[must_use]
    pub fn query(&self, condition: &str) -> Query {
        Query {
            table: self.clone(),
            index: None,
            condition: condition.to_owned(),
            terms: Terms::default(),
            descending: false,
            consistent: false,
        }
    }
}

impl Query {
    /// Queries the index `name` instead of the table.
    #[must_use]
    pub fn index(mut self, name: &str) -> Self {
        self.index = Some(name.to_owned());
        self
    }

    /// Gives the placeholder `:name` its value.
    #[must_use]
    pub fn value(mut self, placeholder: &str, value: impl ToString) -> Self {
        let value = AttributeValue::S(value.to_string());
        self.terms.values.insert(placeholder.to_owned(), value);
        self
    }

    /// Gives the placeholder `#name` its attribute.
    #[must_use]
    pub fn name(mut self, placeholder: &str, attribute: &str) -> Self {
        self.terms
            .names
            .insert(placeholder.to_owned(), attribute.to_owned());
        self
    }

    /// Highest sort key first.
    #[must_use]
    pub fn descending(mut self) -> Self {
        self.descending = true;
        self
    }

    /// Reads consistently; not possible on an index.
    #[must_use]
    pub fn consistent(mut self) -> Self {
        self.consistent = true;
        self
    }

    /// The first `most` items.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn first<T: DeserializeOwned>(&self, most: usize) -> Result<Vec<T>, StoreError> {
        let mut found = Vec::new();
        let mut start = None;
        loop {
            let left = i32::try_from(most - found.len()).unwrap_or(i32::MAX);
            let request = self.table.client.query().table_name(&self.table.name);
            let answer = request
                .set_index_name(self.index.clone())
                .key_condition_expression(&self.condition)
                .set_expression_attribute_names(self.terms.names())
                .set_expression_attribute_values(self.terms.values())
                .scan_index_forward(!self.descending)
                .consistent_read(self.consistent)
                .limit(left)
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(StoreError::of)?;
            for item in answer.items.unwrap_or_default() {
                found.push(serde_dynamo::from_item(item)?);
            }
            start = answer.last_evaluated_key;
            if start.is_none() || found.len() >= most {
                return Ok(found);
            }
        }
    }

    /// All items.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn all<T: DeserializeOwned>(&self) -> Result<Vec<T>, StoreError> {
        self.first(usize::MAX).await
    }
}

/// The first `most` items of several queries together, by `sort_key`: how an index whose key is
/// split in shards is read. All queries must have the direction `descending`.
///
/// # Errors
/// [`StoreError`].
pub async fn merged<T: DeserializeOwned>(
    queries: Vec<Query>,
    most: usize,
    descending: bool,
    sort_key: impl Fn(&T) -> String,
) -> Result<Vec<T>, StoreError> {
    let pages = queries.iter().map(|query| query.first::<T>(most));
    let mut found: Vec<T> = futures::future::try_join_all(pages)
        .await?
        .into_iter()
        .flatten()
        .collect();
    found.sort_by_cached_key(&sort_key);
    if descending {
        found.reverse();
    }
    found.truncate(most);
    Ok(found)
}

enum Cancelled {
    /// The conditions of the writes at these places did not hold.
    Refused(Vec<usize>),
    /// In conflict with another write, or throttled.
    Contended,
}

/// Why a transaction was cancelled; `None` for every other error.
fn reasons(error: &SdkError<TransactWriteItemsError>) -> Option<Cancelled> {
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) =
        error.as_service_error()
    else {
        return None;
    };
    let codes: Vec<&str> = cancelled
        .cancellation_reasons()
        .iter()
        .map(|reason| reason.code().unwrap_or_default())
        .collect();
    let refused: Vec<usize> = codes
        .iter()
        .enumerate()
        .filter(|(_, code)| **code == "ConditionalCheckFailed")
        .map(|(place, _)| place)
        .collect();
    let contended = [
        "TransactionConflict",
        "ThrottlingError",
        "ProvisionedThroughputExceeded",
    ];
    if codes.iter().any(|code| contended.contains(code)) {
        // A condition may have failed on a state that the other transaction is about to change.
        Some(Cancelled::Contended)
    } else if refused.is_empty() {
        None
    } else {
        Some(Cancelled::Refused(refused))
    }
}

fn transact_item(write: Write) -> Result<TransactWriteItem, StoreError> {
    let Write {
        table,
        change,
        condition,
        terms,
    } = write;
    let (names, values) = (terms.names(), terms.values());
    let none = Some(ReturnValuesOnConditionCheckFailure::None);
    let item = TransactWriteItem::builder();
    let item = match change {
        Change::Put(put) => Put::builder()
            .table_name(table)
            .set_item(Some(put))
            .set_condition_expression(condition)
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values)
            .set_return_values_on_condition_check_failure(none)
            .build()
            .map(|put| item.put(put)),
        Change::Update(key, expression) => SdkUpdate::builder()
            .table_name(table)
            .set_key(Some(key))
            .update_expression(expression)
            .set_condition_expression(condition)
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values)
            .set_return_values_on_condition_check_failure(none)
            .build()
            .map(|update| item.update(update)),
        Change::Delete(key) => SdkDelete::builder()
            .table_name(table)
            .set_key(Some(key))
            .set_condition_expression(condition)
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values)
            .set_return_values_on_condition_check_failure(none)
            .build()
            .map(|delete| item.delete(delete)),
    };
    Ok(item
        .map_err(|error| StoreError::Failed(error.into()))?
        .build())
}

/// Waits a random part of a span that grows with the time already spent, so that those who collided
/// once do not collide again.
async fn pause(started: Instant) {
    let span = started.elapsed().as_millis().clamp(10, 400);
    let random = uuid::Uuid::now_v7().as_u128() % (span + 1);
    tokio::time::sleep(Duration::from_millis(u64::try_from(random).unwrap_or(10))).await;
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::testing::{self, Fault};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Message {
        message_id: String,
        count: u32,
    }

    fn message(count: u32) -> Message {
        Message {
            message_id: "m".to_owned(),
            count,
        }
    }

    #[tokio::test]
    async fn a_condition_that_does_not_hold_stores_nothing() {
        let (aws, engine) = testing::aws();
        let table = Table::new(&aws, Setting::MessagesTable).unwrap();
        let create = |count| {
            table
                .put(&message(count))
                .unwrap()
                .when("attribute_not_exists(message_id)")
        };
        assert_eq!(table.write(create(1)).await.unwrap(), Written::Done);
        assert_eq!(
            table.write(create(2)).await.unwrap(),
            Written::Refused(vec![0])
        );
        assert_eq!(engine.items(Setting::MessagesTable).len(), 1);
        let stored: Option<Message> = table.get(Key::new("message_id", "m")).await.unwrap();
        assert_eq!(stored, Some(message(1)));
    }

    #[tokio::test]
    async fn a_transaction_in_conflict_is_tried_again_and_then_tells_what_was_refused() {
        let (aws, engine) = testing::aws();
        let table = Table::new(&aws, Setting::MessagesTable).unwrap();
        engine.fail_next("TransactWriteItems", Fault::Conflict);
        let create = || {
            table
                .put(&message(1))
                .unwrap()
                .when("attribute_not_exists(message_id)")
        };
        assert_eq!(table.transact(vec![create()]).await.unwrap(), Written::Done);
        engine.fail_next("TransactWriteItems", Fault::Conflict);
        assert_eq!(
            table.transact(vec![create()]).await.unwrap(),
            Written::Refused(vec![0])
        );
    }

    #[tokio::test]
    async fn throttling_that_stays_is_busy() {
        let (aws, engine) = testing::aws();
        let table = Table::new(&aws, Setting::MessagesTable).unwrap();
        for _ in 0..3 {
            engine.fail_next("PutItem", Fault::Throttled);
        }
        let written = table.write(table.put(&message(1)).unwrap()).await;
        assert!(matches!(written, Err(StoreError::Busy(_))), "{written:?}");
    }
}
