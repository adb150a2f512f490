//! Queries of the orders that a customer placed earlier.

use std::collections::HashMap;

use super::{HeaderItem, LinesItem, OrderStore, lines_key};
use crate::aws::dynamo::StoreError;
use crate::orders::credit::{LATEST, PastOrder};
use crate::orders::model::Order;
use crate::orders::today::MOST_ORDERS;
use crate::values::id::{OrderId, ProductId};

impl OrderStore {
    /// Returns the customer's latest [`LATEST`] orders before `order`, newest first; with `whole_day`, also all others
    /// of its day, up to one more than [`MOST_ORDERS`]. The index may lag by a moment.
    ///
    /// # Errors
    /// Returns [`StoreError`] if a request to DynamoDB fails.
    pub async fn earlier_orders(
        &self,
        order: &Order,
        whole_day: bool,
    ) -> Result<Vec<PastOrder>, StoreError> {
        let customer = order.customer_id.to_string();
        let position = order.position();
        let query =
            self.table
                .newest_first("by-customer", "customer_id", &customer, Some(&position));
        let headers: Vec<HeaderItem> = query.first(LATEST).await?;
        let latest = headers.iter().map(HeaderItem::past);
        let mut found: Vec<PastOrder> = latest.collect::<Result<_, _>>()?;
        let began = order.created_at.midnight();
        let last = headers
            .last()
            .filter(|_| whole_day && found.len() == LATEST);
        if let (Some(last), Some(past)) = (last, found.last().copied())
            && past.created_at >= began
        {
            let query = self
                .table
                .query("customer_id = :customer AND #position BETWEEN :began AND :last")
                .name("#position", "position")
                .value(":customer", customer)
                .value(":began", began)
                .value(":last", &last.position);
            // BETWEEN includes its bounds, so the last one comes again.
            let rest = query.index("by-customer").descending();
            let rest: Vec<HeaderItem> = rest.first(MOST_ORDERS + 2 - LATEST).await?;
            for header in rest.iter().filter(|header| header.order_id != past.id) {
                found.push(header.past()?);
            }
        }
        Ok(found)
    }

    /// Returns the quantity of each product that the orders `ids` (at most 100) have together.
    ///
    /// # Errors
    /// Returns [`StoreError`] if a request to DynamoDB fails.
    pub async fn quantities(
        &self,
        ids: impl Iterator<Item = OrderId>,
    ) -> Result<HashMap<ProductId, u32>, StoreError> {
        // A consistent read has the lines of every order that the index has.
        let items: Vec<LinesItem> = self
            .table
            .get_many(ids.map(lines_key).collect(), true)
            .await?;
        let mut quantities: HashMap<ProductId, u32> = HashMap::new();
        for (product, quantity) in items.iter().flat_map(LinesItem::quantities) {
            let sum = quantities.entry(product).or_default();
            *sum = sum.saturating_add(quantity);
        }
        Ok(quantities)
    }
}
