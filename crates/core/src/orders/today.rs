//! What a customer ordered earlier on the day of an order, for limits per day.
//!
//! Days are UTC days, by the times at which the orders were placed. An order counts from the moment it is placed,
//! unless it is failed or cancelled by the time of the question.

use std::collections::HashMap;

use super::credit::PastOrder;
use super::model::{Course, Order};
use crate::screening::view::Fact;
use crate::values::id::ProductId;
use crate::values::money::Money;

/// The most earlier orders of a day that are looked at, because their lines are read in one batch of at most 100 keys
/// (`BatchGetItem`'s quota). With more orders than that the day is unknown, so that a limit cannot be evaded by placing
/// ever more orders.
pub const MOST_ORDERS: usize = 100;

/// What a customer ordered earlier on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Day {
    /// The number of orders.
    pub orders: u32,
    /// The sum of their totals.
    pub spent: Fact<Money>,
    /// The quantity of each product; absent if no rule asks for it.
    pub quantities: Fact<HashMap<ProductId, u32>>,
}

impl Day {
    /// Returns the quantity of `product`.
    #[must_use]
    pub fn ordered(&self, product: ProductId) -> Fact<u32> {
        let quantity =
            |known: &HashMap<_, _>| Fact::Known(known.get(&product).copied().unwrap_or(0));
        self.quantities.and_then(quantity)
    }
}

/// Returns those of `earlier`, the customer's orders before `order`, that count towards its day; or `None` if the day
/// has more than [`MOST_ORDERS`].
#[must_use]
pub fn counted(order: &Order, earlier: &[PastOrder]) -> Option<Vec<PastOrder>> {
    let began = order.created_at.midnight();
    let of_day = earlier.iter().filter(|past| past.created_at >= began);
    if of_day.clone().count() > MOST_ORDERS {
        return None;
    }
    let counted = of_day.filter(|past| match past.status.course() {
        Course::Undecided | Course::Confirmed => true,
        Course::Closed => false,
    });
    Some(counted.copied().collect())
}

/// Returns the sum of the totals of `counted`, orders of the day of `order`; unknown if their currencies differ.
#[must_use]
pub fn spent(order: &Order, counted: &[PastOrder]) -> Fact<Money> {
    let totals = counted.iter().map(|past| past.total);
    match Money::sum(order.total.currency(), totals) {
        Ok(spent) => Fact::Known(spent),
        Err(error) => Fact::Unknown(error.to_string()),
    }
}

#[cfg(test)]
mod tests;
