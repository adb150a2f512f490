//! Uses of discounts that may be used a limited number of times: an order takes them when it is placed and
//! gives them back when it fails or is cancelled.

use crate::pricing::model::Discount;
use crate::values::id::{CustomerId, DiscountId};

/// One use that an order takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Use {
    /// Of which discount.
    pub discount_id: DiscountId,
    /// Counted for this customer; `None` for all together.
    pub customer_id: Option<CustomerId>,
    /// How many there may be, as it was when it was taken.
    pub limit: u32,
}

/// The uses that an order of `customer` with `discount` takes.
#[must_use]
pub fn of(discount: &Discount, customer: Option<CustomerId>) -> Vec<Use> {
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
