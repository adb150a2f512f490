//! Queries of a table and of its indexes.

use aws_sdk_dynamodb::types::AttributeValue;
use serde::de::DeserializeOwned;

use super::error::StoreError;
use super::table::Table;
use super::write::Terms;

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
