//! What an audit reads and writes, and how much of it.

use super::evidence::Evidence;
use super::store::IntegrityStore;
use super::tables::Tables;
use crate::aws::Aws;
use crate::aws::settings::SettingError;

/// How much one audit does at most, and at a time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Findings that are checked again.
    pub(super) findings: usize,
    /// Unsettled subjects that are kept for the next audit.
    pub(super) unsettled: usize,
    /// Events: at a time, and in all.
    pub(super) events_at_a_time: usize,
    pub(super) events: usize,
    /// Items that are read from the tables: at a time, and in all.
    pub(super) items_at_a_time: usize,
    pub(super) items: usize,
    /// Products whose stock is compared.
    pub(super) products: usize,
    /// Open reservations: at a time, and in all.
    pub(super) reservations_at_a_time: usize,
    pub(super) reservations: usize,
}

const LIMITS: Limits = Limits {
    findings: 1_000,
    unsettled: 1_000,
    events_at_a_time: 500,
    events: 50_000,
    items_at_a_time: 250,
    items: 10_000,
    products: 1_000,
    reservations_at_a_time: 1_000,
    reservations: 50_000,
};

/// The resources of an audit.
#[derive(Clone, Debug)]
pub struct Audit {
    pub(super) evidence: Evidence,
    pub(super) tables: Tables,
    pub(super) store: IntegrityStore,
    pub(super) limits: Limits,
}

impl Audit {
    /// Creates the resources from the settings.
    ///
    /// # Errors
    /// [`SettingError`] if a setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        Ok(Self {
            evidence: Evidence::new(aws)?,
            tables: Tables::new(aws)?,
            store: IntegrityStore::new(aws)?,
            limits: LIMITS,
        })
    }
}
