//! Queries of the orders that a customer placed earlier.

use std::collections::HashMap;

use super::{HeaderItem, LinesItem, OrderStore, header_key, lines_key};
use crate::aws::dynamo::StoreError;
use crate::orders::credit::{LATEST, PastOrder};
use crate::orders::model::{Order, Status};
use crate::orders::today::MOST_ORDERS;
use crate::orders::uses::Taker;
use crate::values::id::{DiscountId, OrderId, ProductId};

/// Returns whether the order is neither failed nor cancelled.
fn is_kept(header: &HeaderItem) -> bool {
    let closed = [Status::Failed, Status::Cancelled];
    !closed.iter().any(|of| header.has_status(*of))
}

impl OrderStore {
    /// Returns whether one of the latest 100 orders of `taker` is neither failed nor cancelled. The index may lag by a
    /// moment.
    ///
    /// # Errors
    /// Returns [`StoreError`] if a request to DynamoDB fails.
    pub async fn has_ordered(&self, taker: Taker<'_>) -> Result<bool, StoreError> {
        Ok(!self.kept(taker).await?.is_empty())
    }

    /// Returns how many of the latest 100 orders of `taker` have `discount`, are neither failed nor cancelled, and are
    /// not in the count of the taker's uses. This may lag by a moment.
    ///
    /// # Errors
    /// Returns [`StoreError`] if a request to DynamoDB fails.
    pub async fn uncounted_uses(
        &self,
        taker: Taker<'_>,
        discount: DiscountId,
    ) -> Result<u32, StoreError> {
        let kept = self.kept(taker).await?;
        let keys = kept.iter().map(|header| lines_key(header.order_id));
        let lines: Vec<LinesItem> = self.table.get_many(keys.collect(), false).await?;
        let uncounted = lines.iter().filter(|lines| lines.has_uncounted(discount));
        Ok(u32::try_from(uncounted.count()).unwrap_or(u32::MAX))
    }

    /// Returns those of the latest 100 orders of `taker` that are neither failed nor cancelled.
    async fn kept(&self, taker: Taker<'_>) -> Result<Vec<HeaderItem>, StoreError> {
        let mut latest: Vec<HeaderItem> = match taker {
            Taker::Customer(customer) => {
                let index = "by-customer";
                let query = self
                    .table
                    .newest_first(index, "customer_id", customer, None);
                query.first(100).await?
            }
            Taker::Guest(email) => {
                let ids = self.guest_orders(email, None, 99).await?.items;
                let keys = ids.into_iter().map(header_key);
                self.table.get_many(keys.collect(), true).await?
            }
            Taker::Unknown => Vec::new(),
        };
        latest.retain(is_kept);
        Ok(latest)
    }

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
