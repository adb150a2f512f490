//! Codes that one order each can use. Their items, by `pk`:
//!
//! - `code#<code in lower case>`: as for the code of a discount, with `single_use`. The index `by-list` lists the codes
//!   of each discount.
//! - `codes#<discount_id>`: how many codes the discount has.
//! - `codes#<discount_id>#<name>`: the batch of codes that one request made.

use serde::{Deserialize, Serialize};

use super::{CodeItem, PricingStore, code_pk, key};
use crate::aws::dynamo::{StoreError, Written};
use crate::http::page::{Page, PageRequest};
use crate::pricing::batch::Batch;
use crate::pricing::model::{Code, DiscountError};
use crate::values::clock::Time;
use crate::values::id::DiscountId;

/// The codes of one transaction, which has at most 100 writes: beside the codes, what the batch has stored and how many
/// codes the discount has.
const CODES_AT_ONCE: usize = 98;

/// A batch as it is stored.
#[derive(Debug, Serialize, Deserialize)]
struct BatchItem {
    pk: String,
    seed: String,
    wanted: u32,
    made: u32,
    request_hash: String,
    created_at: Time,
}

/// How many codes a discount has.
#[derive(Debug, Deserialize)]
struct NumberItem {
    codes: u32,
}

/// Returns the key of the number of the codes of `discount`, and the partition of the index `by-list` that has them.
fn codes_of(discount: DiscountId) -> String {
    format!("codes#{discount}")
}

fn batch_pk(batch: &Batch) -> String {
    format!("{}#{}", codes_of(batch.discount_id), batch.name)
}

impl PricingStore {
    /// Stores `batch` and returns it with `false`, or returns the batch that the same request began before with `true`.
    ///
    /// # Errors
    /// Returns [`DiscountError::KeyReused`] if the idempotency key was used with another body.
    pub async fn begin_batch(&self, batch: Batch) -> Result<(Batch, bool), DiscountError> {
        let item = BatchItem {
            pk: batch_pk(&batch),
            seed: batch.seed.clone(),
            wanted: batch.count,
            made: batch.stored,
            request_hash: batch.request_hash.clone(),
            created_at: batch.created_at,
        };
        let write = self.table.put(&item)?.when("attribute_not_exists(pk)");
        if self.table.write(write).await? == Written::Done {
            return Ok((batch, false));
        }
        let item = self.batch(&batch).await?;
        let item = item.filter(|item| item.request_hash == batch.request_hash);
        let item = item.ok_or(DiscountError::KeyReused)?;
        let begun = Batch {
            seed: item.seed,
            count: item.wanted,
            stored: item.made,
            created_at: item.created_at,
            ..batch
        };
        Ok((begun, true))
    }

    async fn batch(&self, batch: &Batch) -> Result<Option<BatchItem>, StoreError> {
        self.table.get(key(batch_pk(batch))).await
    }

    /// Stores those of the `codes` of `batch` that are not stored yet. The same request may do so at the same time.
    ///
    /// # Errors
    /// Returns [`DiscountError::CodeTaken`] if another discount has one of the codes.
    pub async fn store_codes(&self, batch: &Batch, codes: &[Code]) -> Result<(), DiscountError> {
        let mut made = batch.stored;
        loop {
            let left = codes
                .iter()
                .skip(usize::try_from(made).unwrap_or(usize::MAX));
            let some: Vec<&Code> = left.take(CODES_AT_ONCE).collect();
            if some.is_empty() {
                return Ok(());
            }
            let more = u32::try_from(some.len()).unwrap_or(u32::MAX);
            let progress = self.table.update(key(batch_pk(batch)), "ADD made :more");
            let progress = progress.when("made = :before").value(":before", &made)?;
            let number = self
                .table
                .update(key(codes_of(batch.discount_id)), "ADD codes :more");
            let mut writes = vec![
                progress.value(":more", &more)?,
                number.value(":more", &more)?,
            ];
            for code in some {
                let item = CodeItem {
                    pk: code_pk(code),
                    discount_id: batch.discount_id,
                    single_use: Some(code.clone()),
                    list: Some(codes_of(batch.discount_id)),
                    position: Some(format!("{}#{code}", batch.created_at)),
                };
                writes.push(self.table.put(&item)?.when("attribute_not_exists(pk)"));
            }
            match self.table.transact(writes).await? {
                Written::Done => made += more,
                // The same request was quicker, or the response to this write was lost.
                Written::Refused(places) if places.contains(&0) => {
                    let item = self.batch(batch).await?;
                    made = item.map_or(made, |item| item.made);
                }
                Written::Refused(_) => return Err(DiscountError::CodeTaken),
            }
        }
    }

    /// Returns how many codes that one order each can use `discount` has.
    ///
    /// # Errors
    /// Returns [`StoreError`] if the database cannot be read.
    pub async fn number_of_codes(&self, discount: DiscountId) -> Result<u32, StoreError> {
        let item: Option<NumberItem> = self.table.get(key(codes_of(discount))).await?;
        Ok(item.map_or(0, |item| item.codes))
    }

    /// Returns a page of the codes of `discount` that one order each can use, newest first. The index is eventually
    /// consistent.
    ///
    /// # Errors
    /// Returns [`StoreError`] if the database cannot be read.
    pub async fn codes(
        &self,
        discount: DiscountId,
        page: &PageRequest,
    ) -> Result<Page<Code>, StoreError> {
        let after = page.after.as_deref();
        let query = self
            .table
            .newest_first("by-list", "list", codes_of(discount), after);
        let found: Vec<CodeItem> = query.first(page.limit + 1).await?;
        let position = |item: &CodeItem| item.position.clone().unwrap_or_default();
        let cut = Page::cut(found, page.limit, position);
        let codes = cut.items.into_iter().filter_map(|item| item.single_use);
        Ok(Page {
            items: codes.collect(),
            next: cut.next,
        })
    }
}
