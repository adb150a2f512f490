//! Disputes and their statuses.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::values::money::Money;

/// How far a dispute is, on the wire and as stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisputeStatus {
    /// The bank has taken the money, and has not decided.
    Opened,
    /// The shop has the money back.
    Won,
    /// The cardholder keeps the money.
    Lost,
}

impl DisputeStatus {
    /// Returns its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Won => "won",
            Self::Lost => "lost",
        }
    }

    /// Returns whether the shop does not have the money.
    #[must_use]
    pub fn takes(self) -> bool {
        match self {
            Self::Opened | Self::Lost => true,
            Self::Won => false,
        }
    }
}

/// A dispute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dispute {
    /// How far it is.
    pub status: DisputeStatus,
    /// What it is about.
    pub amount: Money,
    /// The gateway's code for why the cardholder disputes the charge, such as `fraudulent`.
    pub reason: String,
}

/// Disputes by the gateway's identifiers.
pub type Disputes = BTreeMap<String, Dispute>;
