//! What a reader has found, and what it remembers of the whole file.

use std::collections::{BTreeSet, HashSet, VecDeque};

use super::values::hash;
use super::{Fault, Line, Options};

/// The most handles and SKUs that are remembered, so that one that comes again is found before anything is sent. Beyond
/// it, the shop finds it.
const MOST_REMEMBERED: usize = 2_000_000;

/// The most notes that are told once of a column.
const MOST_NOTED: usize = 20_000;

/// Lines that wait to be taken, and what is remembered.
pub(super) struct Output {
    pub(super) options: Options,
    lines: VecDeque<Result<Line, Fault>>,
    noted: BTreeSet<(&'static str, Option<String>)>,
    /// Hashes of names, so that they take little memory.
    seen: HashSet<u64>,
}

impl Output {
    pub(super) fn new(options: Options) -> Self {
        Self {
            options,
            lines: VecDeque::new(),
            noted: BTreeSet::new(),
            seen: HashSet::new(),
        }
    }

    pub(super) fn next(&mut self) -> Option<Result<Line, Fault>> {
        self.lines.pop_front()
    }

    pub(super) fn line(&mut self, line: Line) {
        self.lines.push_back(Ok(line));
    }

    pub(super) fn fault(&mut self, fault: Fault) {
        self.lines.push_back(Err(fault));
    }

    /// Tells of something that is left out.
    pub(super) fn note(&mut self, note: Fault) {
        self.line(Line::Note(note));
    }

    /// Tells of something that is left out of a column, for the first of its rows.
    pub(super) fn note_once(&mut self, note: Fault) {
        let is_full = self.noted.len() >= MOST_NOTED;
        if !is_full && self.noted.insert((note.code, note.column.clone())) {
            self.note(note);
        }
    }

    /// Returns whether the `kind` of name has not been there before.
    pub(super) fn is_new(&mut self, kind: &str, name: &str) -> bool {
        let hash = hash(&format!("{kind}\n{name}"));
        if self.seen.len() < MOST_REMEMBERED {
            self.seen.insert(hash)
        } else {
            !self.seen.contains(&hash)
        }
    }
}
