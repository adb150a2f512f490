//! Uses of discounts that may be used a limited number of times, which an order takes when it is placed and gives back
//! when it fails or is cancelled; and the use of a quote, which is good for one order.

use crate::pricing::model::Discount;
use crate::values::id::{CustomerId, DiscountId};

/// One use of a discount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Use {
    /// The discount.
    pub discount_id: DiscountId,
    /// The customer for whom it is counted; `None` if it is counted for all customers together.
    pub customer_id: Option<CustomerId>,
    /// How many uses there may be, according to the discount when the use was taken.
    pub limit: u32,
}

/// The use of a quote, which its order keeps whatever becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuoteUse {
    /// A hash of what is signed of the quote.
    pub hash: String,
    /// When the quote expires, in seconds since 1970. Afterwards nobody need know that it was used.
    pub expires_at_seconds: i64,
}

/// Returns the uses that an order of `customer` with `discount` takes.
#[must_use]
pub fn taken_with(discount: &Discount, customer: Option<CustomerId>) -> Vec<Use> {
    let discount_id = discount.id;
    let total = discount.terms.usage_limit.map(|limit| Use {
        discount_id,
        customer_id: None,
        limit,
    });
    let per_customer = discount.terms.limit_per_customer();
    let own = per_customer.zip(customer).map(|(limit, customer)| Use {
        discount_id,
        customer_id: Some(customer),
        limit,
    });
    total.into_iter().chain(own).collect()
}
