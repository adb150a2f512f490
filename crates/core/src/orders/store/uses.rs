//! Counts of the uses of discounts that may be used a limited number of times.
//!
//! A count is an item of the orders table: `order_id` = `discount-uses#<discount_id>`, `part` = `total` or
//! `customer#<customer_id>`, `uses`. The transaction that places an order counts up the uses that the order takes, on
//! the condition that the limit is not reached. The transaction that makes the order failed or cancelled counts them
//! down again. A status changes once, so a use is given back once.
//!
//! A quote that has been used is an item, too: `order_id` = `quote#<hash>`, `part` = `used`. The table's time to live
//! deletes it some time after the quote has expired.

use serde::{Deserialize, Serialize};

use crate::aws::dynamo::{Key, StoreError, Table, Write};
use crate::orders::uses::{QuoteUse, Use};

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

    /// Takes the use, on the condition that the limit is not reached.
    pub(super) fn take(&self, table: &Table) -> Result<Write, StoreError> {
        table
            .update(self.key(), "ADD uses :one")
            .when("attribute_not_exists(uses) OR uses < :limit")
            .value(":one", &1)?
            .value(":limit", &self.limit)
    }

    /// Gives the use back. This is written once, with the change that closes the order.
    pub(super) fn give_back(&self, table: &Table) -> Result<Write, StoreError> {
        table
            .update(self.key(), "ADD uses :minus_one")
            .value(":minus_one", &-1)
    }
}

/// A quote that has been used, as it is stored.
#[derive(Serialize)]
struct UsedQuoteItem {
    order_id: String,
    part: &'static str,
    /// In seconds since 1970.
    expires_at: i64,
}

/// Uses `quote` up, on the condition that no other order has used it.
pub(super) fn use_quote(table: &Table, quote: &QuoteUse) -> Result<Write, StoreError> {
    let used = UsedQuoteItem {
        order_id: format!("quote#{}", quote.hash),
        part: "used",
        expires_at: quote.expires_at_seconds,
    };
    Ok(table.put(&used)?.when("attribute_not_exists(order_id)"))
}

/// Returns those of `wanted` that have reached their limit.
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
