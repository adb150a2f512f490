//! The prices of variants in price lists. A variant without a price in a list has no item, or one without prices, which
//! is in no index: so the events of each are numbered without a gap.

use serde::{Deserialize, Serialize};

use super::{PricingStore, SCHEMA, key};
use crate::aws::dynamo::{StoreError, Written};
use crate::http::page::{Page, PageRequest};
use crate::pricing::lists::{self, Break, ListPrice, ListPrices, PriceList};
use crate::values::clock::Time;
use crate::values::event::Stamp;
use crate::values::id::VariantId;

/// The prices of a variant in a list as they are stored.
#[derive(Debug, Serialize, Deserialize)]
struct PriceItem {
    pk: String,
    price_list: String,
    variant_id: VariantId,
    prices: Vec<Break>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    list: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    position: Option<String>,
    version: u64,
    schema: u32,
    updated_at: Time,
    event: Stamp,
}

impl From<&ListPrice> for PriceItem {
    fn from(price: &ListPrice) -> Self {
        let listed = !price.breaks.is_empty();
        Self {
            pk: lists::pk(&price.list, price.variant_id),
            price_list: price.list.clone(),
            variant_id: price.variant_id,
            prices: price.breaks.clone(),
            list: listed.then(|| prices_of(&price.list)),
            position: listed.then(|| price.variant_id.to_string()),
            version: price.version,
            schema: SCHEMA,
            updated_at: price.updated_at,
            event: price.event.clone(),
        }
    }
}

impl From<PriceItem> for ListPrice {
    fn from(item: PriceItem) -> Self {
        Self {
            list: item.price_list,
            variant_id: item.variant_id,
            breaks: item.prices,
            version: item.version,
            updated_at: item.updated_at,
            event: item.event,
        }
    }
}

/// Returns the partition of the index `by-list` that has the prices of `list`.
fn prices_of(list: &str) -> String {
    format!("prices#{list}")
}

impl PricingStore {
    /// Returns the prices that `lists` have for `variants`: half a read unit for each list and variant, whether it has a
    /// price or not. A price that was set a moment ago may not be seen.
    ///
    /// # Errors
    /// Returns [`StoreError`] if the database cannot be read.
    pub async fn list_prices(
        &self,
        lists: &[&PriceList],
        variants: impl Iterator<Item = VariantId> + Clone,
    ) -> Result<ListPrices, StoreError> {
        let keys = lists.iter().flat_map(|list| {
            let variants = variants.clone();
            variants.map(|variant| key(lists::pk(&list.id, variant)))
        });
        let found: Vec<PriceItem> = self.table.get_many(keys.collect(), false).await?;
        let found = found.into_iter().map(ListPrice::from).collect();
        Ok(ListPrices::new(lists, found))
    }

    /// Returns the prices of `variant` in `list`, or `None` if it never had any.
    ///
    /// # Errors
    /// Returns [`StoreError`] if the database cannot be read.
    pub async fn list_price(
        &self,
        list: &str,
        variant: VariantId,
    ) -> Result<Option<ListPrice>, StoreError> {
        let item: Option<PriceItem> = self.table.get(key(lists::pk(list, variant))).await?;
        Ok(item.map(ListPrice::from))
    }

    /// Returns a page of the prices of `list`, by the identifiers of their variants from the last to the first. The index
    /// is eventually consistent.
    ///
    /// # Errors
    /// Returns [`StoreError`] if the database cannot be read.
    pub async fn prices_in(
        &self,
        list: &str,
        page: &PageRequest,
    ) -> Result<Page<ListPrice>, StoreError> {
        let after = page.after.as_deref();
        let query = self
            .table
            .newest_first("by-list", "list", prices_of(list), after);
        let found: Vec<PriceItem> = query.first(page.limit + 1).await?;
        let found = found.into_iter().map(ListPrice::from).collect();
        Ok(Page::cut(found, page.limit, |price: &ListPrice| {
            price.variant_id.to_string()
        }))
    }

    /// Stores `price` in the place of the version before it. Returns whether it is stored: if another version is, read again
    /// and decide again.
    ///
    /// # Errors
    /// Returns [`StoreError`] if the database cannot be written.
    pub async fn replace_list_price(&self, price: &ListPrice) -> Result<bool, StoreError> {
        let write = self.table.put(&PriceItem::from(price))?;
        let write = match price.version.saturating_sub(1) {
            0 => write.when("attribute_not_exists(pk)"),
            before => write.when("version = :before").value(":before", &before)?,
        };
        if self.table.write(write).await? == Written::Done {
            return Ok(true);
        }
        // Our own write may be stored already if its response was lost.
        let stored = self.list_price(&price.list, price.variant_id).await?;
        Ok(stored.as_ref() == Some(price))
    }
}
