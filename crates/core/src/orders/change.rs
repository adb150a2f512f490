//! How a stored order changes: it is read, the rules decide, and their decision is written unless another writer
//! changed the order in between.

use super::model::Order;
use super::rules;
use super::store::OrderStore;
use crate::aws::dynamo::{self, Attempt, StoreError};
use crate::values::id::OrderId;

/// How [`apply`] ended, with the order as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The order was changed.
    Made(Order),
    /// The order needed no change.
    Unneeded(Order),
}

impl Change {
    /// Returns the order as it is now.
    #[must_use]
    pub fn into_order(self) -> Order {
        match self {
            Self::Made(order) | Self::Unneeded(order) => order,
        }
    }
}

/// Reads the order `id`, lets `decide` say what it should be (`None`: it stays as it is), and writes that. If
/// another writer changed the order in between, it is read and decided again. Returns `None` if there is no such
/// order.
///
/// # Errors
/// Returns the errors of `decide`, and [`StoreError`] if a request to DynamoDB fails or other writers keep changing the
/// order.
pub async fn apply<E: From<StoreError>>(
    orders: &OrderStore,
    id: OrderId,
    decide: impl Fn(Order) -> Result<Option<Order>, E>,
) -> Result<Option<Change>, E> {
    dynamo::change("the order", || async {
        match orders.get(id).await? {
            Some(order) => Ok(match attempt(orders, order, &decide).await? {
                Attempt::Done(change) => Attempt::Done(Some(change)),
                Attempt::Overtaken => Attempt::Overtaken,
            }),
            None => Ok(Attempt::Done(None)),
        }
    })
    .await
}

/// As [`apply`], for an `order` that was read a moment ago: it is read again only if another writer changed it
/// since.
///
/// # Errors
/// As [`apply`].
pub async fn apply_to<E: From<StoreError>>(
    orders: &OrderStore,
    order: Order,
    decide: impl Fn(Order) -> Result<Option<Order>, E>,
) -> Result<Option<Change>, E> {
    let id = order.id;
    match attempt(orders, order, &decide).await? {
        Attempt::Done(change) => Ok(Some(change)),
        Attempt::Overtaken => apply(orders, id, decide).await,
    }
}

async fn attempt<E: From<StoreError>>(
    orders: &OrderStore,
    order: Order,
    decide: &impl Fn(Order) -> Result<Option<Order>, E>,
) -> Result<Attempt<Change>, E> {
    let Some(next) = decide(order.clone())? else {
        return Ok(Attempt::Done(Change::Unneeded(order)));
    };
    let given_back = rules::given_back(order.status, &next);
    Ok(match orders.replace(next, &given_back).await? {
        Some(order) => Attempt::Done(Change::Made(order)),
        None => Attempt::Overtaken,
    })
}
