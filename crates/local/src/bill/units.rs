//! What is counted: whole numbers, which become JSON numbers only when they are shown.

use std::ops::{Add, AddAssign};

use serde::{Serialize, Serializer};

/// DynamoDB request units. Reads come in halves, so halves are what is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Units {
    halves: u64,
}

impl Units {
    /// Nothing.
    pub const ZERO: Self = Self { halves: 0 };

    /// Whole units.
    #[must_use]
    pub const fn whole(units: u64) -> Self {
        Self {
            halves: units.saturating_mul(2),
        }
    }

    /// Half units.
    #[must_use]
    pub const fn halves(halves: u64) -> Self {
        Self { halves }
    }

    /// How many halves these are.
    #[must_use]
    pub const fn in_halves(self) -> u64 {
        self.halves
    }

    /// Twice as many: what a transaction costs.
    #[must_use]
    pub const fn doubled(self) -> Self {
        Self {
            halves: self.halves.saturating_mul(2),
        }
    }
}

/// What one call cost one table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// The table's physical name.
    pub table: String,
    /// Read units, of table and indexes.
    pub read: Units,
    /// Write units of the table itself.
    pub write: Units,
    /// Write units of its indexes.
    pub index_write: Units,
}

impl Add for Units {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            halves: self.halves.saturating_add(other.halves),
        }
    }
}

impl AddAssign for Units {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl std::iter::Sum for Units {
    fn sum<I: Iterator<Item = Self>>(units: I) -> Self {
        units.fold(Self::ZERO, Add::add)
    }
}

/// As a JSON number: whole units as an integer, else with `.5`.
impl Serialize for Units {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        decimal(u128::from(self.halves), 2, serializer)
    }
}

/// An exact sum, in trillionths of a dollar (10^-12).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dollars {
    pico: u128,
}

impl Dollars {
    /// That many trillionths of a dollar.
    #[must_use]
    pub const fn pico(pico: u128) -> Self {
        Self { pico }
    }
}

impl Add for Dollars {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            pico: self.pico.saturating_add(other.pico),
        }
    }
}

/// As a JSON number in dollars, to a billionth, rounded down.
impl Serialize for Dollars {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        decimal(self.pico / 1_000, 1_000_000_000, serializer)
    }
}

/// Memory held over time, in MiB x ms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct MemoryTime {
    pub(super) mib_ms: u128,
}

impl MemoryTime {
    /// `memory_mib` held for `ms` milliseconds.
    #[must_use]
    pub fn new(memory_mib: u32, ms: u128) -> Self {
        Self {
            mib_ms: u128::from(memory_mib).saturating_mul(ms),
        }
    }
}

impl AddAssign for MemoryTime {
    fn add_assign(&mut self, other: Self) {
        self.mib_ms = self.mib_ms.saturating_add(other.mib_ms);
    }
}

/// As a JSON number in GB-seconds.
impl Serialize for MemoryTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        decimal(self.mib_ms, 1024 * 1000, serializer)
    }
}

/// Prints `count / per` as a JSON number; sums are made in whole numbers before.
fn decimal<S: Serializer>(count: u128, per: u32, serializer: S) -> Result<S::Ok, S::Error> {
    if count.is_multiple_of(u128::from(per))
        && let Ok(whole) = u64::try_from(count / u128::from(per))
    {
        return serializer.serialize_u64(whole);
    }
    #[expect(
        clippy::disallowed_types,
        clippy::cast_precision_loss,
        reason = "JSON has no other number than this for a fraction, and nothing is computed from it"
    )]
    let number = count as f64 / f64::from(per);
    serializer.serialize_f64(number)
}
