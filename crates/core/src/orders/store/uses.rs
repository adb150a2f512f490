//! Counts of the uses of discounts that may be used a limited number of times.
//!
//! A count is an item of the orders table: `order_id` = `discount-uses#<discount_id>`, `part` = `total` or
//! `customer#<customer_id>`, `uses`. An order's placement counts up what it takes in its own transaction,
//! on the condition that the limit is not reached; and the write that makes the order failed or cancelled
//! counts it down again in its own. A status changes once, so a use is given back once, and not before
//! the order has come to its end.

use serde::{Deserialize, Serialize};

use crate::aws::dynamo::{Key, StoreError, Table, Write};
use crate::orders::uses::Use;

/// A count as it is stored.
#[derive(Debug, Serialize, Deserialize)]
struct CountItem {
    order_id: String,
    part: String,
    #[serde(default)]
    uses: u32,
}

impl Use {
    fn partition(&self) -> String {
        format!("discount-uses#{}", self.discount_id)
    }

    fn part(&self) -> String {
        match self.customer_id {
            None => "total".to_owned(),
            Some(customer) => format!("customer#{customer}"),
        }
    }

    fn key(&self) -> Key {
        Key::new("order_id", self.partition()).and("part", self.part())
    }

    /// Counts it, if the limit is not reached.
    pub(super) fn take(&self, table: &Table) -> Result<Write, StoreError> {
        table
            .update(self.key(), "ADD uses :one")
            .when("attribute_not_exists(uses) OR uses < :limit")
            .value(":one", &1)?
            .value(":limit", &self.limit)
    }

    /// Takes it back; made once, with the change that ends the order.
    pub(super) fn give_back(&self, table: &Table) -> Result<Write, StoreError> {
        table
            .update(self.key(), "ADD uses :minus_one")
            .value(":minus_one", &-1)
    }
}

/// Those of `wanted` that cannot be taken now.
pub(super) async fn used_up(table: &Table, wanted: &[Use]) -> Result<Vec<Use>, StoreError> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let keys = wanted.iter().map(Use::key).collect();
    let counts: Vec<CountItem> = table.get_many(keys, true).await?;
    let full = |taken: &&Use| {
        counts.iter().any(|count| {
            let same = count.order_id == taken.partition() && count.part == taken.part();
            same && count.uses >= taken.limit
        })
    };
    Ok(wanted.iter().filter(full).copied().collect())
}

#[cfg(test)]
mod tests;
