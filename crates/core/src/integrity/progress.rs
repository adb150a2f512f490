//! How far audits have got: what each leaves for the next. Nothing here grows with the shop.

use std::collections::BTreeMap;

use super::model::Subject;
use crate::inventory::store::OpenPosition;
use crate::stock::model::{Place, Stock};
use crate::values::clock::Time;
use crate::values::id::VariantId;

/// The record of the latest audit, which it writes after each piece of its work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The time of the audit.
    pub at: Time,
    /// The time up to which events were read, where the next audit continues. The audit has caught up if this is `at`.
    pub until: Time,
    /// How many subjects were checked.
    pub checked: u64,
    /// How many lost events were brought back.
    pub restored: u64,
    /// Subjects that were still being worked on, which the next audit checks again.
    pub unsettled: Vec<Subject>,
    /// How many findings were open after the audit.
    pub open: u64,
    /// The position of the last finding that was checked again; the next audit continues there. `None` after all.
    pub findings_after: Option<String>,
    /// How many of the findings up to there are open.
    pub findings_open: u64,
    /// How often a run was stored: of two audits at once, the one that stores first goes on.
    pub version: u64,
}

impl Run {
    /// Returns the record with which an audit at `now` begins, after the `previous` one.
    #[must_use]
    pub fn begin(previous: Option<Self>, now: Time) -> Self {
        let began = Self {
            at: now,
            until: now,
            checked: 0,
            restored: 0,
            unsettled: Vec::new(),
            open: 0,
            findings_after: None,
            findings_open: 0,
            version: 0,
        };
        previous.map_or(began.clone(), |previous| Self {
            until: previous.until,
            unsettled: previous.unsettled,
            open: previous.open,
            findings_after: previous.findings_after,
            findings_open: previous.findings_open,
            version: previous.version,
            ..began
        })
    }

    /// Returns whether everything up to the time of the audit was looked at.
    #[must_use]
    pub fn has_caught_up(&self) -> bool {
        self.until >= self.at
    }
}

/// A round in which every table was read once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Round {
    /// When it began: whatever was stored before was read.
    pub began_at: Time,
    /// When it ended.
    pub ended_at: Time,
}

/// Where the reading of all tables has got, one after the other and round after round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The place of the table that is being read among those that are read.
    pub table: usize,
    /// The position in this table after which the next piece begins; `None` at its beginning.
    pub after: Option<String>,
    /// When this round began.
    pub began_at: Time,
    /// The last round that is complete.
    pub last_round: Option<Round>,
}

impl Reading {
    /// Returns the reading that begins with the first table at `now`.
    #[must_use]
    pub fn begin(now: Time, last_round: Option<Round>) -> Self {
        Self {
            table: 0,
            after: None,
            began_at: now,
            last_round,
        }
    }

    /// Returns where the reading continues after a piece of the current table, of `tables` tables, and whether this round
    /// is complete. `next` is the position after the piece, or `None` at the table's end.
    #[must_use]
    pub fn advance(self, next: Option<String>, tables: usize, now: Time) -> (Self, bool) {
        if next.is_some() {
            return (
                Self {
                    after: next,
                    ..self
                },
                false,
            );
        }
        let table = self.table + 1;
        if table < tables {
            let after = None;
            return (
                Self {
                    table,
                    after,
                    ..self
                },
                false,
            );
        }
        let round = Round {
            began_at: self.began_at,
            ended_at: now,
        };
        (Self::begin(now, Some(round)), true)
    }
}

/// The stock of a product at one place, as it was when a sweep began, and what the open reservations that the sweep has
/// read hold of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sum {
    /// How many could be reserved.
    pub available: u64,
    /// How many were reserved.
    pub reserved: u64,
    /// How many the reservations hold.
    pub held: u64,
}

impl Sum {
    /// Returns whether `stock` is still as it was when the sweep began.
    #[must_use]
    pub fn is_of(&self, stock: &Stock) -> bool {
        (self.available, self.reserved) == (stock.available, stock.reserved)
    }
}

/// The comparison of the stock of some products with all open reservations, which are read in pieces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sweep {
    /// The sums by product and place.
    pub sums: BTreeMap<(VariantId, Place), Sum>,
    /// The position after which the next piece begins; `None` at the beginning.
    pub after: Option<OpenPosition>,
    /// Whether these products are looked at a second time, because something was wrong the first time.
    pub second: bool,
}

impl Sweep {
    /// Adds what a reservation holds of `product` at `place`, if that is among the sums.
    pub fn add(&mut self, product: VariantId, place: Place, quantity: u64) {
        if let Some(sum) = self.sums.get_mut(&(product, place)) {
            sum.held = sum.held.saturating_add(quantity);
        }
    }
}
