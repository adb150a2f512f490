//! What a process knows of the changes of the catalogue, and what follows for what it keeps.
//!
//! An entry has the [`Position`] that the process knew when it began to read it. It may be used as long as the process knows
//! all changes since then, and none is of something that the entry depends on.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::values::clock::Time;

use super::changes::Log;
use super::tag::Tag;

/// The most changes that a process remembers. With more, it forgets them, and reads anew what it had kept before.
const MOST_CHANGES: usize = 20_000;

/// How long a list of products may still show what was before a change that this process knows: indexes follow their table,
/// as a rule within a fraction of a second.
const SETTLING: Duration = Duration::from_secs(5);

/// A moment, by the clock of requests and by that of the machine. Waiting for something outside is over when one of them says
/// so: a process that was frozen has a clock that stood still, and a shop with a manual clock has requests that do.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// The time of the request.
    pub now: Time,
    /// When the machine had it.
    pub at: Instant,
}

impl Moment {
    /// Returns the moment of a request at `now`, which is handled just now.
    #[must_use]
    pub fn of(now: Time) -> Self {
        let at = Instant::now();
        Self { now, at }
    }

    /// Returns whether `wait` is over, which began at this moment, for a request at `now`.
    #[must_use]
    pub fn is_past(self, wait: Duration, now: Time) -> bool {
        self.at.elapsed() >= wait || now >= self.now.plus(wait) || now <= self.now.minus(wait)
    }
}

/// A place in the log of changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// [`Log::begun`].
    pub begun: String,
    /// The number of the last change that was known.
    pub sequence: u64,
}

/// The last change of something.
#[derive(Clone, Copy, Debug)]
struct Change {
    sequence: u64,
    /// When this process heard of it.
    heard: Moment,
}

/// The changes that a process knows.
#[derive(Clone, Debug)]
pub struct Known {
    last: Position,
    /// All changes after this number are known.
    floor: u64,
    changes: HashMap<Tag, Change>,
}

impl Known {
    /// Returns what `log` tells a process that knew nothing before.
    #[must_use]
    pub fn new(log: &Log, heard: Moment) -> Self {
        let last = Position {
            begun: log.begun.clone(),
            sequence: log.sequence,
        };
        let mut known = Self {
            last,
            floor: first(log) - 1,
            changes: HashMap::new(),
        };
        known.note(log, known.floor, heard);
        known
    }

    /// Adds what `log`, as it was read at the moment `heard`, tells. A log that was read from a replica that lags tells nothing.
    pub fn learn(&mut self, log: &Log, heard: Moment) {
        if log.begun != self.last.begun || first(log) > self.last.sequence + 1 {
            *self = Self::new(log, heard);
        } else if log.sequence > self.last.sequence {
            self.note(log, self.last.sequence, heard);
            self.last.sequence = log.sequence;
        }
    }

    /// Notes the changes of `log` after the number `known`.
    fn note(&mut self, log: &Log, known: u64, heard: Moment) {
        for (sequence, tag) in (first(log)..).zip(&log.tags) {
            if sequence > known {
                self.changes.insert(*tag, Change { sequence, heard });
            }
        }
        if self.changes.len() > MOST_CHANGES {
            self.changes.clear();
            self.floor = log.sequence;
        }
    }

    /// Returns the last change that is known.
    #[must_use]
    pub fn last(&self) -> &Position {
        &self.last
    }

    /// Returns the place after which all changes are known.
    #[must_use]
    pub fn first(&self) -> Position {
        Position {
            begun: self.last.begun.clone(),
            sequence: self.floor,
        }
    }

    /// Returns whether what was read after `position` is still as it was, if it depends on `tags`.
    #[must_use]
    pub fn is_current(&self, position: &Position, tags: &[Tag]) -> bool {
        let mut changes = tags.iter().filter_map(|tag| self.changes.get(tag));
        position.begun == self.last.begun
            && position.sequence >= self.floor
            && !changes.any(|change| change.sequence > position.sequence)
    }

    /// Returns whether one of `tags` changed so shortly before `now` that a list may not show it yet.
    #[must_use]
    pub fn is_settling(&self, tags: &[Tag], now: Time) -> bool {
        let mut changes = tags.iter().filter_map(|tag| self.changes.get(tag));
        changes.any(|change| !change.heard.is_past(SETTLING, now))
    }
}

/// Returns the number of the first tag that `log` has, or would have.
fn first(log: &Log) -> u64 {
    let tags = u64::try_from(log.tags.len()).unwrap_or(u64::MAX);
    log.sequence.saturating_sub(tags) + 1
}
