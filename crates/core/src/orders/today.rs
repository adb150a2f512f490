//! What a customer has ordered earlier on the day of an order: what a shop's limits per day are about.
//!
//! A day is one of UTC, by the orders' own times. An order counts from when it is placed, whatever
//! becomes of it, unless it has failed or is cancelled by the time that it is asked for.

use std::collections::HashMap;

use super::credit::Past;
use super::model::{Course, Order};
use crate::rules::view::Fact;
use crate::values::id::ProductId;
use crate::values::money::Money;

/// The most earlier orders of a day that are looked at: the lines of as many are read in one batch
/// (DynamoDB takes 100 keys). With more, nothing is known of the day: whatever was not looked at might
/// count, so a limit is not passed by placing ever more orders.
pub const MOST: usize = 100;

/// What was ordered earlier on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Day {
    /// How many orders.
    pub orders: u32,
    /// What they come to together.
    pub spent: Fact<Money>,
    /// How many of each product; absent if nobody asked.
    pub quantities: Fact<HashMap<ProductId, u32>>,
}

impl Day {
    /// How many of `product`.
    #[must_use]
    pub fn ordered(&self, product: ProductId) -> Fact<u32> {
        let of = |found: &HashMap<_, _>| Fact::Known(found.get(&product).copied().unwrap_or(0));
        self.quantities.and_then(of)
    }
}

/// Those of `earlier`, orders before `order`, that count towards its day; `None` if it has more than
/// [`MOST`].
#[must_use]
pub fn counted(order: &Order, earlier: &[Past]) -> Option<Vec<Past>> {
    let began = order.created_at.midnight();
    let of_day = earlier.iter().filter(|past| past.created_at >= began);
    if of_day.clone().count() > MOST {
        return None;
    }
    let counted = of_day.filter(|past| match past.status.course() {
        Course::Undecided | Course::Confirmed => true,
        Course::Closed => false,
    });
    Some(counted.copied().collect())
}

/// What `counted`, orders of the day of `order`, come to together; not known if another currency is
/// among them.
#[must_use]
pub fn spent(order: &Order, counted: &[Past]) -> Fact<Money> {
    let totals = counted.iter().map(|past| past.total);
    match Money::sum(order.total.currency(), totals) {
        Ok(spent) => Fact::Known(spent),
        Err(error) => Fact::Unknown(error.to_string()),
    }
}

#[cfg(test)]
mod tests;
