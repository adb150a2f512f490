//! Reads the properties of a resource: each exactly once, and none may be left over.

use std::time::Duration;

use serde_json::{Map, Value};

use super::error::Refused;
use super::no_meaning;

/// Properties with every intrinsic resolved, and where they stand in the template.
#[derive(Debug)]
pub(super) struct Properties {
    at: String,
    unread: Map<String, Value>,
}

impl Properties {
    pub(super) fn new(at: impl Into<String>, value: Value) -> Result<Self, Refused> {
        let at = at.into();
        match value {
            Value::Object(unread) => Ok(Self { at, unread }),
            Value::Null => Ok(Self {
                at,
                unread: Map::new(),
            }),
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                Err(Refused::new(&at, "expected a map"))
            }
        }
    }

    /// Where these properties stand.
    pub(super) fn at(&self) -> &str {
        &self.at
    }

    /// An error about one property.
    pub(super) fn refuse(&self, key: &str, problem: impl Into<String>) -> Refused {
        Refused::new(&format!("{}.{key}", self.at), problem)
    }

    /// Any value.
    pub(super) fn take(&mut self, key: &str) -> Option<Value> {
        self.unread.remove(key)
    }

    /// A key that is not one of those that are known.
    pub(super) fn unknown(&self, known: &[&str]) -> Option<String> {
        let mut keys = self.unread.keys();
        keys.find(|key| !known.contains(&key.as_str())).cloned()
    }

    /// What is left, for maps with free keys.
    pub(super) fn into_entries(self) -> Map<String, Value> {
        self.unread
    }

    pub(super) fn text(&mut self, key: &str) -> Result<Option<String>, Refused> {
        self.take(key)
            .map(|value| self.as_text(key, value))
            .transpose()
    }

    pub(super) fn needed_text(&mut self, key: &str) -> Result<String, Refused> {
        self.text(key)?
            .ok_or_else(|| self.refuse(key, "is missing"))
    }

    fn as_text(&self, key: &str, value: Value) -> Result<String, Refused> {
        scalar(&value).ok_or_else(|| self.refuse(key, "expected a string"))
    }

    /// A whole number within bounds.
    pub(super) fn number(
        &mut self,
        key: &str,
        least: u32,
        most: u32,
    ) -> Result<Option<u32>, Refused> {
        let Some(text) = self.text(key)? else {
            return Ok(None);
        };
        let number = text
            .parse()
            .ok()
            .filter(|number| (least..=most).contains(number));
        let problem = || self.refuse(key, format!("{text} is not between {least} and {most}"));
        number.ok_or_else(problem).map(Some)
    }

    /// A number of seconds within bounds, or a default.
    pub(super) fn seconds(
        &mut self,
        key: &str,
        least: u32,
        most: u32,
        default: u32,
    ) -> Result<Duration, Refused> {
        let seconds = self.number(key, least, most)?.unwrap_or(default);
        Ok(Duration::from_secs(seconds.into()))
    }

    pub(super) fn flag(&mut self, key: &str) -> Result<Option<bool>, Refused> {
        let Some(text) = self.text(key)? else {
            return Ok(None);
        };
        text.parse()
            .map(Some)
            .map_err(|_| self.refuse(key, "expected true or false"))
    }

    /// Reads a property that may have only some of the values that AWS knows, or be absent.
    pub(super) fn only(&mut self, key: &str, allowed: &[&str]) -> Result<(), Refused> {
        match self.text(key)? {
            Some(text) if !allowed.contains(&text.as_str()) => Err(self.refuse(
                key,
                format!(
                    "{text} is not emulated locally, only {}",
                    allowed.join(", ")
                ),
            )),
            Some(_) | None => Ok(()),
        }
    }

    pub(super) fn list(&mut self, key: &str) -> Result<Vec<Value>, Refused> {
        match self.take(key) {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => Ok(items),
            Some(_) => Err(self.refuse(key, "expected a list")),
        }
    }

    pub(super) fn texts(&mut self, key: &str) -> Result<Vec<String>, Refused> {
        let items = self.list(key)?;
        items
            .into_iter()
            .map(|item| self.as_text(key, item))
            .collect()
    }

    /// Values: one, or a list.
    fn some(&mut self, key: &str) -> Vec<Value> {
        match self.take(key) {
            Some(Value::Array(items)) => items,
            Some(one) => vec![one],
            None => Vec::new(),
        }
    }

    /// Texts: none, one, or a list.
    pub(super) fn some_texts(&mut self, key: &str) -> Result<Vec<String>, Refused> {
        let texts = self.some(key).into_iter();
        texts.map(|text| self.as_text(key, text)).collect()
    }

    /// Texts: one, or a list that is not empty.
    pub(super) fn one_or_more(&mut self, key: &str) -> Result<Vec<String>, Refused> {
        let texts = self.some_texts(key)?;
        if texts.is_empty() {
            return Err(self.refuse(key, "is missing"));
        }
        Ok(texts)
    }

    /// Maps: none, one, or a list.
    pub(super) fn some_maps(&mut self, key: &str) -> Result<Vec<Self>, Refused> {
        let at = format!("{}.{key}", self.at);
        let maps = self.some(key).into_iter().enumerate();
        maps.map(|(n, map)| Self::new(format!("{at}[{n}]"), map))
            .collect()
    }

    pub(super) fn map(&mut self, key: &str) -> Result<Option<Self>, Refused> {
        let at = format!("{}.{key}", self.at);
        self.take(key).map(|value| Self::new(at, value)).transpose()
    }

    pub(super) fn maps(&mut self, key: &str) -> Result<Vec<Self>, Refused> {
        let items = self.list(key)?.into_iter().enumerate();
        items
            .map(|(n, item)| Self::new(format!("{}.{key}[{n}]", self.at), item))
            .collect()
    }

    /// JSON, as a map or as text.
    pub(super) fn json(&mut self, key: &str) -> Result<Option<Value>, Refused> {
        match self.take(key) {
            Some(Value::String(text)) => serde_json::from_str(&text)
                .map(Some)
                .map_err(|error| self.refuse(key, format!("not JSON: {error}"))),
            other => Ok(other),
        }
    }

    /// Drops what has no meaning on one machine for this type, and refuses the rest.
    pub(super) fn done(mut self, resource_type: &str) -> Result<(), Refused> {
        for key in no_meaning::properties(resource_type) {
            self.unread.remove(*key);
        }
        match self.unread.keys().next() {
            Some(key) => Err(self.refuse(key, "is not emulated locally")),
            None => Ok(()),
        }
    }
}

/// A scalar as CloudFormation hands it on: as text.
pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
