//! What customers have ordered before.

use std::collections::HashMap;

use super::{HeaderItem, LinesItem, OrderStore, lines_key};
use crate::aws::dynamo::StoreError;
use crate::orders::credit::{LATEST, Past};
use crate::orders::model::Order;
use crate::orders::today::MOST;
use crate::values::id::{OrderId, ProductId};

impl OrderStore {
    /// What the latest [`LATEST`] orders of the customer of `order` before it came to, newest first; with
    /// `whole_day`, all others of its day as well, up to one more than [`MOST`]. As they were a
    /// moment ago.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn before(&self, order: &Order, whole_day: bool) -> Result<Vec<Past>, StoreError> {
        let customer = order.customer_id.to_string();
        let position = order.position();
        let query =
            self.table
                .newest_first("by-customer", "customer_id", &customer, Some(&position));
        let headers: Vec<HeaderItem> = query.first(LATEST).await?;
        let latest = headers.iter().map(HeaderItem::past);
        let mut found: Vec<Past> = latest.collect::<Result<_, _>>()?;
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
            // BETWEEN answers its bounds too, so the last one comes again.
            let rest = query.index("by-customer").descending();
            let rest: Vec<HeaderItem> = rest.first(MOST + 2 - LATEST).await?;
            for header in rest.iter().filter(|header| header.order_id != past.id) {
                found.push(header.past()?);
            }
        }
        Ok(found)
    }

    /// How many of each product the orders `ids` (at most 100) have together.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn quantities(
        &self,
        ids: impl Iterator<Item = OrderId>,
    ) -> Result<HashMap<ProductId, u32>, StoreError> {
        // Consistently, so that the lines of an order that an index shows already are there.
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
