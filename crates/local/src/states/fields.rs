//! Reading one object of a definition so that nothing in it is passed over.

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// The fields of an object that have not been read yet.
#[derive(Debug)]
pub(super) struct Fields {
    unread: Map<String, Value>,
}

impl Fields {
    pub(super) fn new(value: &Value) -> Result<Self, String> {
        let fields = value
            .as_object()
            .ok_or_else(|| format!("{value} is not an object"))?;
        Ok(Self {
            unread: fields.clone(),
        })
    }

    /// Reads a field as it is. `null` is a value here: `ResultPath` means something by it.
    pub(super) fn raw(&mut self, name: &str) -> Option<Value> {
        self.unread.remove(name)
    }

    /// Reads a field that may be missing.
    pub(super) fn maybe<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>, String> {
        let value = self
            .unread
            .remove(name)
            .map(serde_json::from_value)
            .transpose();
        value.map_err(|error| format!("{name}: {error}"))
    }

    /// Reads a field that must be there.
    pub(super) fn needed<T: DeserializeOwned>(&mut self, name: &str) -> Result<T, String> {
        self.maybe(name)?
            .ok_or_else(|| format!("{name} is missing"))
    }

    /// Reads a number of seconds that may be missing, and is at least 1.
    pub(super) fn seconds(&mut self, name: &str) -> Result<Option<Duration>, String> {
        match self.maybe(name)? {
            Some(0) => Err(format!("{name} must be at least 1")),
            seconds => Ok(seconds.map(Duration::from_secs)),
        }
    }

    /// The names of what is left.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.unread.keys().map(String::as_str)
    }

    /// Refuses the fields that have not been read.
    pub(super) fn finish(self) -> Result<(), String> {
        match self.unread.keys().next() {
            None => Ok(()),
            Some(name) => Err(format!("{name} is not emulated here")),
        }
    }
}
