//! Which order has which number: the index `by-number` of the lines, which may lag by a moment.

use serde::Deserialize;

use super::OrderStore;
use crate::aws::dynamo::StoreError;
use crate::orders::model::Order;
use crate::orders::number::OrderNumber;
use crate::values::id::OrderId;

/// How many numbers an order tries. In a shop with a million orders, one in a million finds the first one taken.
const ATTEMPTS: u32 = 5;

/// How many orders are read that have the same number, which is given to one only.
const MOST_WITH_ONE: usize = 10;

impl OrderStore {
    /// Returns a number for the order `id` that no other order has.
    ///
    /// # Errors
    /// Returns [`StoreError`] if a request to DynamoDB fails.
    pub async fn free_number(&self, id: OrderId) -> Result<OrderNumber, StoreError> {
        for attempt in 0..ATTEMPTS {
            let number = OrderNumber::derived(id, attempt);
            let mut others = self.ids_with(number).await?.into_iter();
            if others.all(|other| other == id) {
                return Ok(number);
            }
        }
        Err(StoreError::Busy(
            "every number that was tried is taken".into(),
        ))
    }

    /// Returns the order that has `number`, or `None` if there is none.
    ///
    /// # Errors
    /// Returns [`StoreError`] if a request to DynamoDB fails.
    pub async fn get_by_number(&self, number: OrderNumber) -> Result<Option<Order>, StoreError> {
        match self.ids_with(number).await?.first() {
            Some(id) => self.get(*id).await,
            None => Ok(None),
        }
    }

    async fn ids_with(&self, number: OrderNumber) -> Result<Vec<OrderId>, StoreError> {
        #[derive(Deserialize)]
        struct Numbered {
            order_id: OrderId,
        }
        let query = self.table.query("#number = :number");
        let query = query.name("#number", "number").value(":number", number);
        let found: Vec<Numbered> = query.index("by-number").first(MOST_WITH_ONE).await?;
        Ok(found.into_iter().map(|item| item.order_id).collect())
    }
}
