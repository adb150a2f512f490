//! Registries of tax numbers: other people's systems that know which numbers were issued, such as the EU's VIES.

use serde::{Deserialize, Serialize};

use crate::values::tax_number::TaxNumber;

/// What a registry says of a tax number.
///
/// Wire and stored shape: `not_checked`, `valid`, `invalid`, `unavailable`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// No registry was asked.
    NotChecked,
    /// The number was issued.
    Valid,
    /// The number was not issued, or is not used any more.
    Invalid,
    /// The registry did not say in time.
    Unavailable,
}

/// A registry of tax numbers.
pub trait Registry: Sync {
    /// Returns what the registry says of `number`. It has to do so within the time of a request, or to say
    /// [`Check::Unavailable`].
    fn check(&self, number: &TaxNumber) -> impl Future<Output = Check> + Send;
}

/// The registry of a shop that asks none.
#[derive(Clone, Copy, Debug)]
pub struct NoRegistry;

impl Registry for NoRegistry {
    async fn check(&self, _: &TaxNumber) -> Check {
        Check::NotChecked
    }
}
