//! Credit scores of customers, by a trait that a shop may implement with a bureau of its own.
//!
//! The default, [`OwnOrders`], derives the score from the customer's latest [`LATEST`] orders in this shop before the
//! one in question:
//!
//! | | |
//! |---|---|
//! | every customer, including guests and new ones | 650 |
//! | each confirmed order, on its way or delivered | +10 |
//! | each completed order | +20 |
//! | each order of the last 30 days whose payment was declined | -10 |
//!
//! The score stays within 300 to 850. With the default minimum of 600, a customer who tries one card after the other
//! is stopped at the seventh order, and a good customer is not.

use std::time::Duration;

use super::model::{FailureCode, Order, Status};
use crate::values::clock::Time;
use crate::values::id::{CustomerId, OrderId};
use crate::values::money::Money;

/// How many of a customer's latest orders count.
pub const LATEST: usize = 20;

/// An earlier order of a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PastOrder {
    /// Its identifier.
    pub id: OrderId,
    /// Its status.
    pub status: Status,
    /// Why it failed, if it did.
    pub failure: Option<FailureCode>,
    /// Its total.
    pub total: Money,
    /// When it was placed.
    pub created_at: Time,
}

/// The customer whose score is wanted, and what the shop knows about them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applicant {
    /// The customer; `None` for a guest.
    pub customer_id: Option<CustomerId>,
    /// The latest orders before the one in question, newest first. A guest has none.
    pub past: Vec<PastOrder>,
    /// When the order in question was placed.
    pub placed_at: Time,
}

impl Applicant {
    /// Returns the customer who placed `order` after the orders `past`.
    #[must_use]
    pub fn from_order(order: &Order, past: Vec<PastOrder>) -> Self {
        Self {
            customer_id: order.guest.is_none().then_some(order.customer_id),
            past,
            placed_at: order.created_at,
        }
    }
}

/// The score cannot be determined.
#[derive(Debug, thiserror::Error)]
#[error("the credit score is not known")]
pub struct ScoreUnknown(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// A source of credit scores.
pub trait CreditScores {
    /// Returns the score of `applicant`.
    ///
    /// # Errors
    /// Returns [`ScoreUnknown`] if it cannot be determined; the rule is then not passed.
    fn score(
        &self,
        applicant: &Applicant,
    ) -> impl Future<Output = Result<u32, ScoreUnknown>> + Send;
}

/// Scores derived from the customer's own orders in this shop.
#[derive(Clone, Copy, Debug, Default)]
pub struct OwnOrders;

const BASE: i64 = 650;
const WORST: i64 = 300;
const BEST: i64 = 850;
const LATELY: Duration = Duration::from_hours(30 * 24);

impl CreditScores for OwnOrders {
    async fn score(&self, applicant: &Applicant) -> Result<u32, ScoreUnknown> {
        Ok(score(applicant))
    }
}

fn score(applicant: &Applicant) -> u32 {
    let past = applicant.past.iter();
    let points = past.map(|order| points(order, applicant.placed_at));
    let score = (BASE + points.sum::<i64>()).clamp(WORST, BEST);
    u32::try_from(score).unwrap_or_default()
}

fn points(order: &PastOrder, now: Time) -> i64 {
    let lately = order.created_at.plus(LATELY) >= now;
    match order.status {
        Status::Confirmed | Status::Processing | Status::Shipped | Status::Delivered => 10,
        Status::Completed => 20,
        Status::Failed if order.failure == Some(FailureCode::PaymentDeclined) && lately => -10,
        Status::Failed | Status::Pending | Status::Returned | Status::Cancelled => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::orders::fixtures::{after, eur, placed_at};

    const DAY: u64 = 24 * 3600;

    /// Returns the score at `day` of a customer who placed the orders `past` on the first day.
    fn scored(past: &[(Status, Option<FailureCode>, usize)], day: u64) -> u32 {
        let orders = past.iter().flat_map(|(status, failure, count)| {
            let order = PastOrder {
                id: OrderId::derived(&["past"]),
                total: eur("10.00"),
                status: *status,
                failure: *failure,
                created_at: placed_at(),
            };
            std::iter::repeat_n(order, *count)
        });
        score(&Applicant {
            customer_id: None,
            past: orders.collect(),
            placed_at: after(day * DAY),
        })
    }

    #[test]
    fn a_score_is_derived_from_how_orders_ended() {
        let declined = Some(FailureCode::PaymentDeclined);
        assert_eq!(scored(&[], 0), 650);
        assert_eq!(scored(&[(Status::Delivered, None, 3)], 9), 680);
        assert_eq!(
            scored(
                &[(Status::Completed, None, 2), (Status::Shipped, None, 1)],
                9
            ),
            700
        );
        assert_eq!(scored(&[(Status::Failed, declined, 5)], 1), 600);
        assert_eq!(scored(&[(Status::Failed, declined, 6)], 1), 590);
        assert_eq!(scored(&[(Status::Failed, declined, 6)], 30), 590);
        assert_eq!(scored(&[(Status::Failed, declined, 6)], 31), 650);
        let harmless = [
            (Status::Failed, Some(FailureCode::OutOfStock), 5),
            (Status::Cancelled, None, 5),
            (Status::Pending, None, 5),
            (Status::Returned, None, 5),
        ];
        assert_eq!(scored(&harmless, 1), 650);
        assert_eq!(scored(&[(Status::Completed, None, 20)], 1), 850);
        assert_eq!(scored(&[(Status::Failed, declined, 60)], 1), 300);
    }
}
