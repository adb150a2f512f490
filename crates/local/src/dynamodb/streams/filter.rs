//! Filter criteria of a mapping: event patterns of which a record must match one.

use quamina::Quamina;
use serde_json::Value;

use super::event::Entry;

/// Compiled filter criteria; without any, everything passes.
pub(super) struct Filter {
    patterns: Option<Quamina<usize>>,
}

impl Filter {
    /// Compiles the patterns.
    ///
    /// # Errors
    /// The message of the first pattern that is none.
    pub(super) fn new(filters: &[Value]) -> Result<Self, String> {
        if filters.is_empty() {
            return Ok(Self { patterns: None });
        }
        let mut patterns = Quamina::new();
        for (i, filter) in filters.iter().enumerate() {
            let added = patterns.add_pattern(i, &filter.to_string());
            added.map_err(|error| format!("filter {filter}: {error}"))?;
        }
        Ok(Self {
            patterns: Some(patterns),
        })
    }

    /// Whether the function is to get this record. Records that changed nothing are never handed on:
    /// DynamoDB does not even write them.
    pub(super) fn takes(&self, entry: &Entry) -> bool {
        let matches = |patterns: &Quamina<usize>| {
            patterns.has_matches(entry.text.as_bytes()).unwrap_or(false)
        };
        entry.changes_something && self.patterns.as_ref().is_none_or(matches)
    }
}
