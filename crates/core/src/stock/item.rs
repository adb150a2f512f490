//! The stored shape of stock.

use serde::de::Error as _;
use serde::{Deserialize, Serialize};

use super::model::Stock;
use crate::values::clock::Time;
use crate::values::event::Stamp;
use crate::values::id::VariantId;

/// The version of the shape of the items that are written now.
const SCHEMA: u32 = 1;

/// Stock as stored.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StockItem {
    pk: String,
    sk: String,
    available: u64,
    reserved: u64,
    /// Absent from stock that earlier releases wrote last.
    #[serde(default)]
    backorder: u64,
    version: u64,
    schema: u32,
    updated_at: Time,
    event: Stamp,
}

impl StockItem {
    pub(crate) fn new(stock: &Stock) -> Self {
        Self {
            pk: stock_key(stock.variant_id),
            sk: stock.place.to_string(),
            available: stock.available,
            reserved: stock.reserved,
            backorder: stock.backorder,
            version: stock.version,
            schema: SCHEMA,
            updated_at: stock.updated_at,
            event: stock.event.clone(),
        }
    }
}

impl TryFrom<StockItem> for Stock {
    type Error = serde_dynamo::Error;

    fn try_from(item: StockItem) -> Result<Self, serde_dynamo::Error> {
        let id = item.pk.strip_prefix("stock#").unwrap_or_default();
        Ok(Self {
            variant_id: id.parse().map_err(serde_dynamo::Error::custom)?,
            place: item.sk.parse().map_err(serde_dynamo::Error::custom)?,
            available: item.available,
            reserved: item.reserved,
            backorder: item.backorder,
            version: item.version,
            updated_at: item.updated_at,
            event: item.event,
        })
    }
}

impl Stock {
    /// Returns the stock that `image`, an item of the inventory's table, is.
    ///
    /// # Errors
    /// If it is not stock.
    pub(crate) fn from_image(image: serde_dynamo::Item) -> Result<Self, serde_dynamo::Error> {
        let item: StockItem = serde_dynamo::from_item(image)?;
        item.try_into()
    }
}

/// Returns the partition key of a variant's stock.
pub(crate) fn stock_key(variant_id: VariantId) -> String {
    format!("stock#{variant_id}")
}
