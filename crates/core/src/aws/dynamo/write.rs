//! Conditional writes, and how they end.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;

use super::error::StoreError;

pub(super) type Item = HashMap<String, AttributeValue>;

/// The primary key of an item.
#[derive(Clone, Debug)]
pub struct Key(pub(super) Item);

impl Key {
    /// Returns a key with a partition key alone.
    #[must_use]
    pub fn new(name: &str, value: impl ToString) -> Self {
        Self(Item::from([(
            name.to_owned(),
            AttributeValue::S(value.to_string()),
        )]))
    }

    /// Adds a sort key.
    #[must_use]
    pub fn and(mut self, name: &str, value: impl ToString) -> Self {
        self.0
            .insert(name.to_owned(), AttributeValue::S(value.to_string()));
        self
    }
}

impl From<serde_dynamo::Item> for Key {
    fn from(attributes: serde_dynamo::Item) -> Self {
        Self(attributes.into())
    }
}

/// Names and values of an expression.
#[derive(Clone, Debug, Default)]
pub(super) struct Terms {
    pub(super) names: HashMap<String, String>,
    pub(super) values: Item,
}

impl Terms {
    pub(super) fn names(&self) -> Option<HashMap<String, String>> {
        Some(self.names.clone()).filter(|names| !names.is_empty())
    }

    pub(super) fn values(&self) -> Option<Item> {
        Some(self.values.clone()).filter(|values| !values.is_empty())
    }
}

/// One conditional write, which is executed alone or in a transaction.
#[derive(Clone, Debug)]
pub struct Write {
    pub(super) table: String,
    pub(super) change: Change,
    pub(super) condition: Option<String>,
    pub(super) terms: Terms,
}

#[derive(Clone, Debug)]
pub(super) enum Change {
    Put(Item),
    Update(Item, String),
    Delete(Item),
    /// Changes nothing: its condition is one of the transaction's.
    Check(Item),
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
    /// Its condition did not hold for this item, or because there is none: nothing is stored.
    Refused(Option<T>),
}
