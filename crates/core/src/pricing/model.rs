//! What a discount is.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::aws::dynamo::StoreError;
use crate::catalog::model::Category;
use crate::http::problem::Problem;
use crate::values::clock::Time;
use crate::values::event::Stamp;
use crate::values::id::{DiscountId, ProductId};
use crate::values::money::Money;

/// A part of a whole, from nothing (0) to all of it (1): a rate of tax, what a discount takes.
///
/// Wire and stored shape: a decimal as text with at most six decimals, `0.19` for 19 percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rate(Decimal);

/// A text that is no [`Rate`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this must be a decimal from 0 to 1 with at most six decimals, such as \"0.19\"")]
pub struct NotARate;

impl Rate {
    /// The rate as a number.
    #[must_use]
    pub fn as_decimal(self) -> Decimal {
        self.0
    }
}

impl FromStr for Rate {
    type Err = NotARate;

    fn from_str(text: &str) -> Result<Self, NotARate> {
        let plain = text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.');
        let dressed = text.starts_with('.') || text.ends_with('.') || text.len() > 8;
        if !plain || dressed {
            return Err(NotARate);
        }
        let rate = Decimal::from_str_exact(text).map_err(|_| NotARate)?;
        if rate <= Decimal::ONE && rate.scale() <= 6 {
            Ok(Self(rate.normalize()))
        } else {
            Err(NotARate)
        }
    }
}

impl TryFrom<String> for Rate {
    type Error = NotARate;

    fn try_from(text: String) -> Result<Self, NotARate> {
        text.parse()
    }
}

impl From<Rate> for String {
    fn from(rate: Rate) -> Self {
        rate.to_string()
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a shopper types to get a discount: 1 to 40 of the characters `A` to `Z`, `a` to `z`, `0` to
/// `9`, `-` and `_`. Two codes that differ only in case are the same.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Code(String);

/// A text that is no [`Code`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this must be 1 to 40 of the characters A to Z, a to z, 0 to 9, - and _")]
pub struct NotACode;

impl Code {
    /// The form in which codes are compared and stored as keys.
    #[must_use]
    pub fn lowercase(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl PartialEq for Code {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for Code {}

impl FromStr for Code {
    type Err = NotACode;

    fn from_str(text: &str) -> Result<Self, NotACode> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if (1..=40).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotACode)
        }
    }
}

impl TryFrom<String> for Code {
    type Error = NotACode;

    fn try_from(text: String) -> Result<Self, NotACode> {
        text.parse()
    }
}

impl From<Code> for String {
    fn from(code: Code) -> Self {
        code.0
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a discount takes off.
///
/// Stored shape: `{"type": "percentage", "rate": "0.10"}` and the like, as on the wire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Benefit {
    /// A part of what the matching lines cost.
    Percentage {
        /// Which part.
        rate: Rate,
    },
    /// An amount of what the matching lines cost together.
    Amount {
        /// How much.
        amount: Money,
    },
    /// Each matching piece costs this, if it costs more.
    FixedPrice {
        /// How much a piece costs.
        price: Money,
    },
    /// Of every `buy` and `get` matching pieces, whatever they are, the cheapest `get` cost nothing.
    BuyXGetY {
        /// How many are paid.
        buy: u32,
        /// How many come with them.
        get: u32,
    },
    /// Shipping costs nothing.
    FreeShipping,
}

/// Who shops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// Somebody without an account.
    Guest,
    /// Somebody who is signed in.
    Customer,
}

impl Group {
    /// The group whose name on the wire is `text`.
    #[must_use]
    pub fn named(text: &str) -> Option<Self> {
        match text {
            "guest" => Some(Self::Guest),
            "customer" => Some(Self::Customer),
            _ => None,
        }
    }
}

/// What a discount is: all of it that an admin decides but its code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// Its name, which the customer sees: 1 to 100 characters.
    pub name: String,
    /// What it takes off.
    pub benefit: Benefit,
    /// The products that it is for; with `categories` both none: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub products: Vec<ProductId>,
    /// The categories that it is for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<Category>,
    /// From when on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<Time>,
    /// Until when; at that time no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Time>,
    /// What the matching lines must cost at least, before any discount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum_amount: Option<Money>,
    /// Who gets it; none for everybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_group: Option<Group>,
    /// Whether it is only for a customer's first order.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub first_order: bool,
    /// What must be true of the order besides, in CEL ([`crate::rules::cel`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    /// In how many orders it may be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage_limit: Option<u32>,
    /// In how many orders of one customer it may be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage_limit_per_customer: Option<u32>,
    /// Its place in line: the lower, the earlier.
    pub priority: u32,
    /// Whether it goes together with others.
    pub stackable: bool,
    /// The most that it takes off an order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_amount: Option<Money>,
}

impl Terms {
    /// Whether it is for lines of `product`, which is of `category`.
    #[must_use]
    pub fn matches(&self, product: ProductId, category: &Category) -> bool {
        let all = self.products.is_empty() && self.categories.is_empty();
        all || self.products.contains(&product) || self.categories.contains(category)
    }

    /// How often one customer may use it: a first order is one.
    #[must_use]
    pub fn limit_per_customer(&self) -> Option<u32> {
        if self.first_order {
            Some(1)
        } else {
            self.usage_limit_per_customer
        }
    }

    /// Whether it can be had only by somebody who is known again.
    #[must_use]
    pub fn needs_account(&self) -> bool {
        self.limit_per_customer().is_some() || self.customer_group == Some(Group::Customer)
    }

    /// Whether its uses are counted.
    #[must_use]
    pub fn is_limited(&self) -> bool {
        self.usage_limit.is_some() || self.limit_per_customer().is_some()
    }
}

/// A discount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discount {
    /// Its identifier.
    pub id: DiscountId,
    /// What a shopper types to get it; without one it comes by itself. Never changes.
    pub code: Option<Code>,
    /// What it is.
    pub terms: Terms,
    /// Whether it is over for good.
    pub ended: bool,
    /// Counts its changes, from 1.
    pub version: u64,
    /// When it was created.
    pub created_at: Time,
    /// When it last changed.
    pub updated_at: Time,
    /// Hash of the request that created it, if that had an `Idempotency-Key`.
    pub request_hash: Option<String>,
    /// Its last event, number `version`.
    pub event: Stamp,
}

impl Discount {
    /// Its place among all that apply: by priority, of equal ones the older first.
    #[must_use]
    pub fn place(&self) -> (u32, Time, DiscountId) {
        (self.terms.priority, self.created_at, self.id)
    }
}

/// Why something cannot be done with a discount.
#[derive(Debug, thiserror::Error)]
pub enum DiscountError {
    /// There is none with this identifier.
    #[error("there is no such discount")]
    NotFound,
    /// It has changed since it was read.
    #[error("the discount has changed since it was read")]
    Stale,
    /// It is over for good.
    #[error("a discount that is ended does not change")]
    Ended,
    /// Another discount has its code.
    #[error("another discount has this code")]
    CodeTaken,
    /// It would end before it starts.
    #[error("the discount must end after it starts")]
    Window,
    /// There are as many that come by themselves as there may be.
    #[error("too many discounts come by themselves: end one first")]
    TooMany,
    /// The idempotency key was used for another discount.
    #[error("the key was used with another request")]
    KeyReused,
    /// The database gave no answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<DiscountError> for Problem {
    fn from(error: DiscountError) -> Self {
        match error {
            DiscountError::NotFound => Self::NotFound("discount"),
            DiscountError::Stale => Self::PreconditionFailed,
            DiscountError::Ended | DiscountError::CodeTaken | DiscountError::TooMany => {
                Self::Conflict(error.to_string())
            }
            DiscountError::Window => Self::field("/ends_at", "range", error.to_string()),
            DiscountError::KeyReused => Self::IdempotencyKeyReused,
            DiscountError::Store(error) => error.into(),
        }
    }
}

/// Why a discount is not had. Its name is the code of the fault at `/discount_code`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no such code.
    #[error("there is no such discount code")]
    UnknownCode,
    /// Its time has not come.
    #[error("this discount is not valid yet")]
    NotStarted,
    /// Its time is over.
    #[error("this discount is not valid any more")]
    Expired,
    /// None of the order's products has it.
    #[error("this discount is for other products")]
    NoMatchingItems,
    /// The matching lines cost too little.
    #[error("the order is below the least amount of this discount")]
    BelowMinimumAmount,
    /// It is for others.
    #[error("this discount is for other customers")]
    OtherCustomers,
    /// It needs an account.
    #[error("sign in to get this discount")]
    AccountNeeded,
    /// The customer has ordered before.
    #[error("this discount is for a first order")]
    NotFirstOrder,
    /// Its condition is not true of the order.
    #[error("the order does not meet the condition of this discount")]
    ConditionNotMet,
    /// It has been used as often as it may be.
    #[error("this discount has been used as often as it may be")]
    UsedUp,
    /// Another discount of the order excludes it.
    #[error("this discount does not go together with another one of the order")]
    NotCombinable,
    /// It would take nothing off.
    #[error("this discount takes nothing off this order")]
    NoEffect,
}

impl Refusal {
    /// Its code, for programs.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::UnknownCode => "unknown_code",
            Self::NotStarted => "not_started",
            Self::Expired => "expired",
            Self::NoMatchingItems => "no_matching_items",
            Self::BelowMinimumAmount => "below_minimum_amount",
            Self::OtherCustomers => "other_customers",
            Self::AccountNeeded => "account_needed",
            Self::NotFirstOrder => "not_first_order",
            Self::ConditionNotMet => "condition_not_met",
            Self::UsedUp => "used_up",
            Self::NotCombinable => "not_combinable",
            Self::NoEffect => "no_effect",
        }
    }
}
