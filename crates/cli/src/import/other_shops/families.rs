//! Products and their variations, which may be anywhere in a file, kept together within a bound.

use std::collections::{BTreeMap, HashMap};

use super::csv::Row;

/// The most that is kept of products whose variations may still come, in bytes: some ten thousand of them.
const MOST_KEPT_BYTES: usize = 64 * 1024 * 1024;

/// A product and its variations.
#[derive(Debug, Default)]
pub(super) struct Family {
    /// The product; `None` while only variations of it have come.
    pub(super) parent: Option<Row>,
    pub(super) variations: Vec<Row>,
    references: Vec<String>,
}

impl Family {
    /// Returns how much memory it takes beside its rows, in bytes, roughly.
    fn overhead(&self) -> usize {
        let references = self.references.iter();
        let references = references.map(|reference| 2 * reference.len() + 128);
        references.sum::<usize>() + 256
    }

    fn rows(&self) -> impl Iterator<Item = &Row> {
        self.parent.iter().chain(&self.variations)
    }
}

/// The families of which there may be more in the file.
#[derive(Debug, Default)]
pub(super) struct Families {
    /// In the order in which they began.
    kept: BTreeMap<u64, Family>,
    by_reference: HashMap<String, u64>,
    begun: u64,
    size: usize,
    most: Option<usize>,
}

impl Families {
    /// Returns families that keep at most `most` bytes.
    #[cfg(test)]
    pub(super) fn within(most: usize) -> Self {
        Self {
            most: Some(most),
            ..Self::default()
        }
    }

    /// Adds a product that variations may refer to in any of these ways.
    pub(super) fn parent(&mut self, row: Row, references: Vec<String>) {
        self.size += row.size();
        let waiting = references
            .iter()
            .filter_map(|reference| self.by_reference.get(reference));
        let waiting: Vec<u64> = waiting.copied().collect();
        let mut family = Family {
            parent: Some(row),
            ..Family::default()
        };
        for number in waiting {
            // A second product of the same reference does not take the variations of the first.
            let is_waiting = |family: &Family| family.parent.is_none();
            if self.kept.get(&number).is_some_and(is_waiting)
                && let Some(orphans) = self.kept.remove(&number)
            {
                self.size = self.size.saturating_sub(orphans.overhead());
                family.variations.extend(orphans.variations);
            }
        }
        family.references = references;
        self.keep(family);
    }

    /// Adds a variation of the product that one of these refers to: the first that is known.
    pub(super) fn variation(&mut self, row: Row, references: Vec<String>) {
        self.size += row.size();
        let known = references
            .iter()
            .find_map(|reference| self.by_reference.get(reference));
        if let Some(family) = known.and_then(|number| self.kept.get_mut(number)) {
            family.variations.push(row);
        } else {
            self.keep(Family {
                parent: None,
                variations: vec![row],
                references,
            });
        }
    }

    fn keep(&mut self, family: Family) {
        let number = self.begun;
        self.begun += 1;
        for reference in &family.references {
            self.by_reference.insert(reference.clone(), number);
        }
        self.size += family.overhead();
        self.kept.insert(number, family);
    }

    /// Returns the oldest family if more is kept than there is room for.
    pub(super) fn overflow(&mut self) -> Option<Family> {
        let most = self.most.unwrap_or(MOST_KEPT_BYTES);
        if self.size > most { self.pop() } else { None }
    }

    /// Returns the oldest family.
    pub(super) fn pop(&mut self) -> Option<Family> {
        let (number, family) = self.kept.pop_first()?;
        let size: usize = family.rows().map(Row::size).sum();
        self.size = self.size.saturating_sub(size + family.overhead());
        for reference in &family.references {
            if self.by_reference.get(reference) == Some(&number) {
                self.by_reference.remove(reference);
            }
        }
        Some(family)
    }
}
