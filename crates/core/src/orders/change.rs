//! How a stored order changes: it is read, the rules decide, and what they say is written unless another came
//! between.

use super::model::Order;
use super::rules;
use super::store::OrderStore;
use crate::aws::dynamo::{self, Attempt, StoreError};
use crate::values::id::OrderId;

/// How [`apply`] ended, with the order as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It was changed.
    Made(Order),
    /// It was right already.
    Unneeded(Order),
}

impl Change {
    /// The order as it is now.
    #[must_use]
    pub fn into_order(self) -> Order {
        match self {
            Self::Made(order) | Self::Unneeded(order) => order,
        }
    }
}

/// Reads the order `id`, lets `decide` say what it should be (`None`: as it is), and writes that;
/// again if another came between, because then the decision may be another. `None` if there is
/// no such order.
///
/// # Errors
/// What `decide` refuses, and [`StoreError`]; [`StoreError::Busy`] if others keep coming between.
pub async fn apply<E: From<StoreError>>(
    orders: &OrderStore,
    id: OrderId,
    decide: impl Fn(Order) -> Result<Option<Order>, E>,
) -> Result<Option<Change>, E> {
    dynamo::change("the order", || async {
        let Some(order) = orders.get(id).await? else {
            return Ok(Attempt::Done(None));
        };
        let Some(next) = decide(order.clone())? else {
            return Ok(Attempt::Done(Some(Change::Unneeded(order))));
        };
        let given_back = rules::given_back(order.status, &next);
        Ok(match orders.replace(next, &given_back).await? {
            Some(order) => Attempt::Done(Some(Change::Made(order))),
            None => Attempt::Overtaken,
        })
    })
    .await
}
