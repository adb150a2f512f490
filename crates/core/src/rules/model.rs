//! What an operator's rule is.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::aws::dynamo::StoreError;
use crate::http::problem::Problem;
use crate::values::clock::Time;
use crate::values::event::Stamp;
use crate::values::id::CustomerId;

/// The most rules of a shop: what one order has to pass, and what one query reads.
pub const MOST: usize = 100;

/// The rules that come with the shop; an operator's cannot have their names.
pub const BUILT_IN: [&str; 3] = [
    "total_is_sum_of_lines",
    "minimum_order_amount",
    "customer_credit",
];

/// The name of a rule: 1 to 64 of `a` to `z`, `0` to `9` and `_`, with a letter first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RuleName(String);

/// A text that is no name of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this must be 1 to 64 of the characters a to z, 0 to 9 and _, a letter first")]
pub struct NotAName;

impl RuleName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is that of a rule that comes with the shop.
    #[must_use]
    pub fn is_built_in(&self) -> bool {
        BUILT_IN.contains(&self.0.as_str())
    }
}

impl FromStr for RuleName {
    type Err = NotAName;

    fn from_str(text: &str) -> Result<Self, NotAName> {
        let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
        let named = (1..=64).contains(&text.len())
            && text.bytes().all(allowed)
            && text.starts_with(|first: char| first.is_ascii_lowercase());
        if named {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotAName)
        }
    }
}

impl TryFrom<String> for RuleName {
    type Error = NotAName;

    fn try_from(text: String) -> Result<Self, NotAName> {
        text.parse()
    }
}

impl From<RuleName> for String {
    fn from(name: RuleName) -> Self {
        name.0
    }
}

impl fmt::Display for RuleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What follows if an order does not pass a rule.
///
/// Wire and stored shape: `reject`, `review`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The order fails.
    #[default]
    Reject,
    /// Somebody has to look at it before it is paid.
    Review,
}

/// What an operator says of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The condition that an order passes with, one that compiled.
    pub expression: String,
    /// Why an order does not pass, for people: one line of 1 to 200 characters.
    pub message: String,
    /// Why, for programs: 1 to 50 of `a` to `z`, `0` to `9` and `_`.
    pub code: String,
    /// What follows then.
    pub severity: Severity,
    /// Whether orders are asked at all.
    pub enabled: bool,
}

/// An operator's rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name.
    pub name: RuleName,
    /// What it says.
    pub draft: Draft,
    /// How often it has changed, from 1; goes on if it is removed and made again.
    pub version: u64,
    /// The admin who changed it last.
    pub author: CustomerId,
    /// When it was made: rules are asked in this order.
    pub created_at: Time,
    /// When it last changed.
    pub updated_at: Time,
    /// Its last event, number `version`.
    pub event: Stamp,
}

impl Rule {
    /// The key that orders rules: by when they were made, then by name.
    #[must_use]
    pub fn position(&self) -> String {
        format!("{}#{}", self.created_at, self.name)
    }
}

/// Why something cannot be done with a rule.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// There is none of this name.
    #[error("there is no such rule")]
    NotFound,
    /// It has changed since it was read.
    #[error("the rule has changed since it was read")]
    Stale,
    /// A change without saying of which version.
    #[error("the rule is there already")]
    Unconditional,
    /// The name is that of a rule that comes with the shop.
    #[error("the rule {0} comes with the shop and is changed by its settings")]
    BuiltIn(RuleName),
    /// There are as many as there may be.
    #[error("a shop has at most {MOST} rules")]
    TooMany,
    /// The database gave no answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<RuleError> for Problem {
    fn from(error: RuleError) -> Self {
        match error {
            RuleError::NotFound => Self::NotFound("rule"),
            RuleError::Stale => Self::PreconditionFailed,
            RuleError::Unconditional => Self::PreconditionRequired,
            RuleError::BuiltIn(_) | RuleError::TooMany => Self::Conflict(error.to_string()),
            RuleError::Store(error) => error.into(),
        }
    }
}
