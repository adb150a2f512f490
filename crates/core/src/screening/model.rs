//! An operator's rule.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::aws::dynamo::StoreError;
use crate::http::problem::Problem;
use crate::values::clock::Time;
use crate::values::event::Stamp;
use crate::values::id::CustomerId;
use crate::values::money::Currency;

/// The most rules of a shop: an order is checked against all of them, and one query reads them.
pub const MAX_RULES: usize = 100;

/// The names of the built-in rules, which operators' rules cannot have.
pub const BUILT_IN: [&str; 3] = [
    "total_is_sum_of_lines",
    "minimum_order_amount",
    "customer_credit",
];

/// The name of a rule: 1 to 64 of `a` to `z`, `0` to `9` and `_`, with a letter first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RuleName(String);

/// A text that is not a valid name of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this must be 1 to 64 of the characters a to z, 0 to 9 and _, a letter first")]
pub struct InvalidRuleName;

impl RuleName {
    /// Returns the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether this is the name of a built-in rule.
    #[must_use]
    pub fn is_built_in(&self) -> bool {
        BUILT_IN.contains(&self.0.as_str())
    }
}

impl FromStr for RuleName {
    type Err = InvalidRuleName;

    fn from_str(text: &str) -> Result<Self, InvalidRuleName> {
        let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
        let named = (1..=64).contains(&text.len())
            && text.bytes().all(allowed)
            && text.starts_with(|first: char| first.is_ascii_lowercase());
        if named {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidRuleName)
        }
    }
}

impl TryFrom<String> for RuleName {
    type Error = InvalidRuleName;

    fn try_from(text: String) -> Result<Self, InvalidRuleName> {
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

/// What happens to an order that does not pass a rule.
///
/// Wire and stored shape: `reject`, `review`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The order fails.
    #[default]
    Reject,
    /// An admin has to review the order before it is paid.
    Review,
}

/// The content of a rule, as an operator writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The condition that an order has to meet; it compiled when it was saved.
    pub expression: String,
    /// The currency of its amounts, and of the orders that are checked against it. Without, its amounts are in the shop's
    /// currency, and all orders are checked.
    pub currency: Option<Currency>,
    /// The reason for people why an order does not pass: one line of 1 to 200 characters.
    pub message: String,
    /// The reason for programs: 1 to 50 of `a` to `z`, `0` to `9` and `_`.
    pub code: String,
    /// What happens to an order that does not pass.
    pub severity: Severity,
    /// Whether orders are checked against it.
    pub enabled: bool,
}

/// An operator's rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name.
    pub name: RuleName,
    /// Its content.
    pub draft: Draft,
    /// The number of its changes, from 1; it goes on when the rule is removed and created again.
    pub version: u64,
    /// The admin who changed it last.
    pub author: CustomerId,
    /// When it was created: rules are evaluated in this order.
    pub created_at: Time,
    /// When it last changed.
    pub updated_at: Time,
    /// Its last event, number `version`.
    pub event: Stamp,
}

impl Rule {
    /// Returns the key by which rules are sorted: the time of creation, then the name.
    #[must_use]
    pub fn position(&self) -> String {
        format!("{}#{}", self.created_at, self.name)
    }
}

/// Why a request about a rule fails.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// There is no rule of this name.
    #[error("there is no such rule")]
    NotFound,
    /// The rule has changed since it was read.
    #[error("the rule has changed since it was read")]
    Stale,
    /// The rule exists, and the request did not say which version it changes.
    #[error("the rule exists already")]
    Unconditional,
    /// The name is that of a built-in rule.
    #[error("The rule {0} is built in. Change it with the shop's settings.")]
    BuiltIn(RuleName),
    /// The shop has as many rules as it may have.
    #[error("A shop has at most {MAX_RULES} rules. Remove one first.")]
    TooMany,
    /// The database did not respond.
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
