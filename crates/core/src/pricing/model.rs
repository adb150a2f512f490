//! Discounts and their terms.

use serde::{Deserialize, Serialize};

use crate::aws::dynamo::StoreError;
use crate::catalog::model::Category;
use crate::http::problem::Problem;
use crate::pricing::cart::CartLine;
use crate::values::clock::Time;
use crate::values::event::Stamp;
use crate::values::id::{DiscountId, ProductId};
use crate::values::money::{Currency, Money};

pub use self::code::{Code, InvalidCode};
pub use self::rate::{InvalidRate, Rate};
pub use self::refusal::Refusal;

mod code;
mod rate;
mod refusal;

/// What a discount takes off.
///
/// Stored shape: `{"type": "percentage", "rate": "0.10"}` and the like, as on the wire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Benefit {
    /// Takes a fraction off the matching lines.
    Percentage {
        /// The fraction.
        rate: Rate,
    },
    /// Takes an amount off the matching lines together.
    Amount {
        /// The amount.
        amount: Money,
    },
    /// Lowers the price of each matching piece to a fixed price.
    FixedPrice {
        /// The price of one piece.
        price: Money,
    },
    /// Makes some pieces cheaper or free for pieces that are bought.
    BuyXGetY(BuyXGetY),
    /// Makes shipping cheaper or free.
    FreeShipping {
        /// The identifiers of the shipping methods; all methods if this is empty.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        methods: Vec<String>,
        /// The fraction that is taken off the price of shipping, or `None` for all of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rate: Option<Rate>,
    },
}

/// Makes the cheapest `get` of every `buy + get` matching pieces cheaper or free, even across products. With other
/// goods to give, it makes the cheapest `get` of these cheaper for every `buy` matching pieces; a piece that is given
/// does not count as bought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuyXGetY {
    /// How many pieces are paid for.
    pub buy: u32,
    /// How many pieces are cheaper.
    pub get: u32,
    /// The fraction that is taken off these pieces, or `None` for all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Rate>,
    /// The products that are given. The matching products are given if this and `of_categories` are empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub of_products: Vec<ProductId>,
    /// The categories that are given, in addition to `of_products`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub of_categories: Vec<Category>,
}

impl BuyXGetY {
    /// Returns whether it gives other goods than those that are bought.
    #[must_use]
    pub fn gives_other_goods(&self) -> bool {
        !(self.of_products.is_empty() && self.of_categories.is_empty())
    }

    /// Returns whether it gives `line` as other goods.
    #[must_use]
    pub fn gives(&self, line: &CartLine) -> bool {
        line.is_one_of(&self.of_products) || self.of_categories.contains(&line.category)
    }
}

/// The kind of customer who places the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// A customer without an account.
    Guest,
    /// A customer who is signed in.
    Customer,
}

impl Group {
    /// Returns the group with the wire name `text`, or `None` if there is none.
    #[must_use]
    pub fn from_name(text: &str) -> Option<Self> {
        match text {
            "guest" => Some(Self::Guest),
            "customer" => Some(Self::Customer),
            _ => None,
        }
    }
}

/// The terms of a discount: everything that an admin can set except its code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// The name that customers see: 1 to 100 characters.
    pub name: String,
    /// The currency of its amounts, and of the orders that it is for; without, the shop's. Never changes. A discount without
    /// a currency and without amounts is for orders in all currencies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// What the discount takes off.
    pub benefit: Benefit,
    /// The products it applies to. It applies to all products if this and `categories` are empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub products: Vec<ProductId>,
    /// The categories it applies to, in addition to `products`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<Category>,
    /// The start of its validity, inclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<Time>,
    /// The end of its validity, exclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Time>,
    /// The least that the matching lines must cost before any discount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum_amount: Option<Money>,
    /// The group of customers it is for, or `None` for everybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_group: Option<Group>,
    /// Whether it is valid only for a customer's first order.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub first_order: bool,
    /// A further condition on the order, in CEL ([`crate::screening::cel`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    /// The most orders that may use it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage_limit: Option<u32>,
    /// The most orders of one customer that may use it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage_limit_per_customer: Option<u32>,
    /// Its priority: discounts with lower numbers are applied first.
    pub priority: u32,
    /// Whether it can be combined with other discounts.
    pub stackable: bool,
    /// The most that it takes off one order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_amount: Option<Money>,
}

impl Terms {
    /// Returns whether the discount applies to `line`.
    #[must_use]
    pub fn matches(&self, line: &CartLine) -> bool {
        let all = self.products.is_empty() && self.categories.is_empty();
        all || line.is_one_of(&self.products) || self.categories.contains(&line.category)
    }

    /// Returns the only currency of the orders that the discount is for: its own, or that of its amounts.
    #[must_use]
    pub fn only_currency(&self) -> Option<Currency> {
        let of_benefit = match &self.benefit {
            Benefit::Amount { amount } => Some(*amount),
            Benefit::FixedPrice { price } => Some(*price),
            Benefit::Percentage { .. } | Benefit::BuyXGetY(_) | Benefit::FreeShipping { .. } => {
                None
            }
        };
        let amount = of_benefit.or(self.minimum_amount).or(self.max_amount);
        self.currency.or(amount.map(Money::currency))
    }

    /// Returns how often one customer may use the discount: once if it is for first orders.
    #[must_use]
    pub fn limit_per_customer(&self) -> Option<u32> {
        if self.first_order {
            Some(1)
        } else {
            self.usage_limit_per_customer
        }
    }
}

/// Which discounts an order has if not all of them can be combined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exclusive {
    /// Those that come first by their priority.
    #[default]
    Priority,
    /// Those with which the shopper pays the least.
    Best,
}

impl Exclusive {
    /// Returns the choice with the wire name `text`, or `None` if there is none.
    #[must_use]
    pub fn from_name(text: &str) -> Option<Self> {
        match text {
            "priority" => Some(Self::Priority),
            "best" => Some(Self::Best),
            _ => None,
        }
    }
}

/// What the shop has decided about all discounts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiscountSettings {
    /// Which discounts an order has if not all of them can be combined.
    pub exclusive: Exclusive,
}

/// The limits that a discount with a code has lacked for a time: once it has them, they count the uses of that time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unlimited {
    /// Whether it had no limit for all orders together. The uses were counted apart then.
    pub in_total: bool,
    /// Whether it had no limit for each customer. The uses of single customers were not counted then.
    pub per_customer: bool,
}

/// A discount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discount {
    /// The discount's identifier.
    pub id: DiscountId,
    /// The code that shoppers enter. A discount without a code is applied automatically. Never changes.
    pub code: Option<Code>,
    /// What it takes off, and when.
    pub terms: Terms,
    /// Whether an admin has ended it, which is permanent.
    pub ended: bool,
    /// Whether it has codes that one order each can use, instead of a code of its own. Never changes.
    pub single_use_codes: bool,
    /// The limits that it has not had all the time.
    pub was_unlimited: Unlimited,
    /// The version, which starts at 1 and grows by 1 with each change.
    pub version: u64,
    /// When it was created.
    pub created_at: Time,
    /// When it last changed.
    pub updated_at: Time,
    /// The hash of the request that created it, if that had an `Idempotency-Key`.
    pub request_hash: Option<String>,
    /// The event of its last change, whose number is `version`.
    pub event: Stamp,
}

impl Discount {
    /// Returns the key by which discounts are applied: priority first, then age (older first).
    #[must_use]
    pub fn precedence(&self) -> (u32, Time, DiscountId) {
        (self.terms.priority, self.created_at, self.id)
    }
}

/// An error of an operation on discounts.
#[derive(Debug, thiserror::Error)]
pub enum DiscountError {
    /// There is no discount with this identifier.
    #[error("there is no such discount")]
    NotFound,
    /// The discount has changed since it was read.
    #[error("the discount has changed since it was read")]
    Stale,
    /// The discount has ended.
    #[error("An ended discount cannot be changed. Create a new one.")]
    Ended,
    /// Another discount has its code.
    #[error("Another discount already has this code. Choose another code or end that discount.")]
    CodeTaken,
    /// The discount was created without `single_use_codes`.
    #[error(
        "Only a discount that was created with single_use_codes has codes that one order each can use."
    )]
    NoSingleUseCodes,
    /// The discount would end before it starts.
    #[error("this must be later than starts_at")]
    Window,
    /// The shop has the most automatic discounts that are allowed.
    #[error("The shop has too many discounts without a code. End one first.")]
    TooMany,
    /// The idempotency key was used for another discount.
    #[error("the idempotency key was used with another request")]
    KeyReused,
    /// The database could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<DiscountError> for Problem {
    fn from(error: DiscountError) -> Self {
        match error {
            DiscountError::NotFound => Self::NotFound("discount"),
            DiscountError::Stale => Self::PreconditionFailed,
            DiscountError::Ended
            | DiscountError::CodeTaken
            | DiscountError::NoSingleUseCodes
            | DiscountError::TooMany => Self::Conflict(error.to_string()),
            DiscountError::Window => Self::field("/ends_at", "range", error.to_string()),
            DiscountError::KeyReused => Self::IdempotencyKeyReused,
            DiscountError::Store(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pricing::fixtures;

    #[test]
    fn a_discount_for_a_variant_is_not_for_the_others_of_its_product() {
        let variant = |name: &str| CartLine {
            variant_id: ProductId::derived(&[name]).into(),
            ..fixtures::line("shirt", 1, "20.00")
        };
        let [small, large] = ["small", "large"].map(variant);
        let found = |products: &[&str]| {
            let rate = fixtures::percent("0.10");
            let mut terms = fixtures::discount("ten", rate).terms;
            terms.products = products
                .iter()
                .map(|name| ProductId::derived(&[name]))
                .collect();
            (terms.matches(&small), terms.matches(&large))
        };
        assert_eq!(found(&["small"]), (true, false));
        assert_eq!(found(&["shirt"]), (true, true));
        assert_eq!(found(&["trousers"]), (false, false));
        assert_eq!(found(&[]), (true, true));
    }
}
