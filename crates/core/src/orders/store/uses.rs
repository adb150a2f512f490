//! Counts of the uses of discounts.
//!
//! A count is an item of the orders table: `order_id` = `discount-uses#<discount_id>`, `part` = `total` (while there is a
//! limit), `total#<shard>` (while there is none), `customer#<customer_id>`, `guest#<hash of the email address>` or
//! `code#<code in lower case>`, `uses`. The transaction that places an order counts up the uses that the order takes, on
//! the condition that the limit is not reached. The transaction that makes the order failed or cancelled counts them
//! down again. A status changes once, so a use is given back once.
//!
//! A quote that has been used is an item, too: `order_id` = `quote#<hash>`, `part` = `used`. The table's time to live
//! deletes it some time after the quote has expired.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::aws::dynamo::{Key, StoreError, Table, Write};
use crate::orders::uses::{Counter, QuoteUse, SHARDS, Use};
use crate::pricing::model::Code;
use crate::values::id::DiscountId;

/// A count as it is stored.
#[derive(Debug, Serialize, Deserialize)]
struct CountItem {
    order_id: String,
    part: String,
    #[serde(default)]
    uses: u32,
}

fn partition(discount: DiscountId) -> String {
    format!("discount-uses#{discount}")
}

fn key(discount: DiscountId, counter: &Counter) -> Key {
    Key::new("order_id", partition(discount)).and("part", counter)
}

impl Use {
    fn key(&self) -> Key {
        key(self.discount_id, &self.counter)
    }

    /// Takes the use, on the condition that the limit is not reached.
    pub(super) fn take(&self, table: &Table) -> Result<Write, StoreError> {
        let write = table.update(self.key(), "ADD uses :one");
        let write = write.value(":one", &1)?;
        match self.limit {
            None => Ok(write),
            Some(limit) => write
                .when("attribute_not_exists(uses) OR uses < :limit")
                .value(":limit", &limit),
        }
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
    let limited: Vec<&Use> = wanted
        .iter()
        .filter(|taken| taken.limit.is_some())
        .collect();
    if limited.is_empty() {
        return Ok(Vec::new());
    }
    let keys = limited.iter().map(|taken| taken.key()).collect();
    let counts: Vec<CountItem> = table.get_many(keys, true).await?;
    let full = |taken: &&Use| {
        let (partition, part) = (partition(taken.discount_id), taken.counter.to_string());
        let mut counts = counts.iter();
        let count = counts.find(|count| count.order_id == partition && count.part == part);
        let uses = count.map_or(0, |count| count.uses);
        taken.limit.is_some_and(|limit| uses >= limit)
    };
    Ok(limited.into_iter().filter(full).cloned().collect())
}

/// Returns those of `codes` of `discount` that an order has used, from eventually consistent reads.
pub(super) async fn used_codes(
    table: &Table,
    discount: DiscountId,
    codes: &[Code],
) -> Result<Vec<Code>, StoreError> {
    let counter = |code: &Code| Counter::Code(code.lowercase());
    let keys = codes.iter().map(|code| key(discount, &counter(code)));
    let counts: Vec<CountItem> = table.get_many(keys.collect(), false).await?;
    let used = counts.iter().filter(|count| count.uses > 0);
    let used: HashSet<&str> = used.map(|count| count.part.as_str()).collect();
    let is_used = |code: &&Code| used.contains(counter(code).to_string().as_str());
    Ok(codes.iter().filter(is_used).cloned().collect())
}

/// Returns how many uses of `discount` were taken while it had no limit.
pub(super) async fn unlimited(table: &Table, discount: DiscountId) -> Result<u32, StoreError> {
    let keys = (0..SHARDS).map(|shard| key(discount, &Counter::Unlimited(shard)));
    let counts: Vec<CountItem> = table.get_many(keys.collect(), true).await?;
    let uses = counts.iter().map(|count| count.uses);
    Ok(uses.fold(0, u32::saturating_add))
}

#[cfg(test)]
mod tests;
