//! What the search index consists of.

use oxcart_search::index::Part;
use oxcart_search::versions;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::settings::SearchSettings;
use crate::values::clock::Time;

/// The format in which segments are written. An index in an earlier one is read until it has been built anew.
pub const FORMAT: u32 = 1;

/// Which segments there are.
///
/// Stored shape: a JSON object of these fields.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The format of `parts`.
    pub format: u32,
    /// The segments that are searched; none, until the index has been built for the first time.
    pub parts: Vec<Part>,
    /// The index that is being built.
    pub build: Option<Build>,
    /// Segments that are not needed any more. Somebody may still read them.
    pub retired: Vec<Retired>,
    /// What the shop has decided about the search.
    #[serde(default)]
    pub settings: SearchSettings,
}

/// An index that is being built from all products.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Build {
    /// When it was begun.
    pub begun_at: Time,
    /// The segments that there are so far, with those of products that have changed since.
    pub parts: Vec<Part>,
    /// The key of the last item of the table of products that was read; `None` at the beginning.
    pub after: Option<String>,
    /// How many products were read.
    pub products: u64,
    /// Whether another one is to be built after it, because something has changed that concerns many products.
    pub again: bool,
}

/// A segment that is not needed any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retired {
    /// The segment.
    pub segment: Uuid,
    /// Since when.
    pub at: Time,
}

impl Build {
    /// Returns the index that is begun at `now`.
    #[must_use]
    pub fn begin(now: Time) -> Self {
        Self {
            begun_at: now,
            parts: Vec::new(),
            after: None,
            products: 0,
            again: false,
        }
    }
}

impl Manifest {
    /// Returns the manifest of a shop that has none: its index is being built.
    #[must_use]
    pub fn new(now: Time) -> Self {
        Self {
            format: FORMAT,
            parts: Vec::new(),
            build: Some(Build::begin(now)),
            retired: Vec::new(),
            settings: SearchSettings::default(),
        }
    }

    /// Returns the segments to search: those of the index, or of the first one that is being built.
    #[must_use]
    pub fn searched(&self) -> &[Part] {
        match &self.build {
            Some(build) if self.parts.is_empty() => &build.parts,
            _ => &self.parts,
        }
    }

    /// Returns segments of which one is to be made: of the index that is being built, before those of the one that is
    /// searched.
    #[must_use]
    pub fn due(&self) -> Option<Vec<Part>> {
        let of_build = self.build.as_ref();
        let of_build = of_build.and_then(|build| versions::due(&build.parts));
        of_build.or_else(|| versions::due(&self.parts))
    }

    /// Begins to build the index anew, now or after the one that is being built.
    pub fn rebuild(&mut self, now: Time) {
        match &mut self.build {
            Some(build) => build.again = true,
            None => self.build = Some(Build::begin(now)),
        }
    }

    /// Puts the index that was built into the place of the one before.
    pub fn finish(&mut self, now: Time) {
        let Some(built) = self.build.take() else {
            return;
        };
        let before = std::mem::replace(&mut self.parts, built.parts);
        self.format = FORMAT;
        self.build = built.again.then(|| Build::begin(now));
        self.retire(&before, now);
    }

    /// Notes that `parts` are not needed any more, unless they are.
    pub fn retire(&mut self, parts: &[Part], now: Time) {
        let of_build = self.build.iter().flat_map(|build| &build.parts);
        let needed: Vec<Uuid> = self
            .parts
            .iter()
            .chain(of_build)
            .map(|part| part.segment.id)
            .collect();
        let ids = parts.iter().map(|part| part.segment.id);
        let retired = ids.filter(|id| !needed.contains(id));
        self.retired
            .extend(retired.map(|segment| Retired { segment, at: now }));
    }
}
