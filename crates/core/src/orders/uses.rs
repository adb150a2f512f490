//! Uses of discounts, which an order takes when it is placed and gives back when it fails or is cancelled; and the use of
//! a quote, which is good for one order.
//!
//! A limit of a discount with a code counts the orders before it, too, if it is introduced later. So all uses of a code
//! together are counted whether they are limited or not. Those of one customer are counted only while they are limited,
//! and the earlier ones are found among the customer's orders. Uses of automatic discounts are counted only while they
//! are limited, because most orders of a shop have the same ones and would wait for each other.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::customers::model::Email;
use crate::pricing::model::Discount;
use crate::values::digest::sha256_hex;
use crate::values::id::{CustomerId, DiscountId};

/// The number of counts over which the orders with a discount without a limit are spread. It must never be lowered.
pub(super) const SHARDS: u32 = 4;

/// One use of a discount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// The discount.
    pub discount_id: DiscountId,
    /// The count that it is a part of.
    pub counter: Counter,
    /// How many uses there may be, according to the discount when the use was taken; `None` if it had no limit.
    pub limit: Option<u32>,
}

/// A count of the uses of a discount. It displays as the sort key of its item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counter {
    /// By all customers together, while the discount has a limit.
    Total,
    /// By all customers together, while the discount has none: one of several counts.
    Unlimited(u32),
    /// By one customer.
    Customer(CustomerId),
    /// By the guests with one email address, of which this is a hash.
    Guest(String),
    /// By the order that has this code, in lower case, which only one order can use.
    Code(String),
}

impl fmt::Display for Counter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Total => f.write_str("total"),
            Self::Unlimited(shard) => write!(f, "total#{shard}"),
            Self::Customer(customer) => write!(f, "customer#{customer}"),
            Self::Guest(hash) => write!(f, "guest#{hash}"),
            Self::Code(code) => write!(f, "code#{code}"),
        }
    }
}

/// The use of a quote, which its order keeps whatever becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuoteUse {
    /// A hash of what is signed of the quote.
    pub hash: String,
    /// When the quote expires, in seconds since 1970. Afterwards nobody need know that it was used.
    pub expires_at_seconds: i64,
}

/// The customer or the guest for whom uses are counted.
#[derive(Clone, Copy, Debug)]
pub enum Taker<'a> {
    /// A customer who is signed in.
    Customer(CustomerId),
    /// A guest with an email address.
    Guest(&'a Email),
    /// A guest who has given no address.
    Unknown,
}

impl Taker<'_> {
    fn counter(self, discount: DiscountId) -> Option<Counter> {
        match self {
            Self::Customer(customer) => Some(Counter::Customer(customer)),
            // With the discount in it, one guest's uses of several discounts cannot be connected.
            Self::Guest(email) => {
                let hash = sha256_hex(format!("{discount}#{}", email.lowercase()));
                Some(Counter::Guest(hash))
            }
            Self::Unknown => None,
        }
    }
}

/// The uses of a discount that its limits count although they were taken before them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Earlier {
    /// By all customers together.
    pub all: u32,
    /// By the customer or guest who orders.
    pub own: u32,
}

/// Returns the uses that an order of `taker` with `discount` takes. `shard` chooses the count of those without a limit.
#[must_use]
pub fn taken_with(discount: &Discount, taker: Taker<'_>, earlier: Earlier, shard: u32) -> Vec<Use> {
    let counted = |counter, limit| Use {
        discount_id: discount.id,
        counter,
        limit,
    };
    let left = |limit: u32, earlier| Some(limit.saturating_sub(earlier));
    let total = match discount.terms.usage_limit {
        Some(limit) => Some(counted(Counter::Total, left(limit, earlier.all))),
        None if discount.code.is_some() => Some(counted(Counter::Unlimited(shard % SHARDS), None)),
        None => None,
    };
    let single = discount.code.as_ref().filter(|_| discount.single_use_codes);
    let single = single.map(|code| counted(Counter::Code(code.lowercase()), Some(1)));
    let limit = discount.terms.limit_per_customer();
    let own = limit.zip(taker.counter(discount.id));
    let own = own.map(|(limit, counter)| counted(counter, left(limit, earlier.own)));
    total.into_iter().chain(single).chain(own).collect()
}
