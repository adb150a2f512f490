//! Stock as other services read it, from the inventory's table.

use std::collections::{BTreeMap, BTreeSet};

use crate::aws::Aws;
use crate::aws::dynamo::{Key, StoreError, Table};
use crate::aws::settings::{Setting, SettingError};
use crate::values::id::VariantId;

use super::item::{StockItem, stock_key};
use super::model::{Place, Stock};

/// Reads the stock in the inventory's table.
#[derive(Clone, Debug)]
pub struct StockStore {
    table: Table,
}

impl StockStore {
    /// Returns the table that the setting `INVENTORY_TABLE` names.
    ///
    /// # Errors
    /// [`SettingError`] if the setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        Ok(Self {
            table: Table::new(aws, Setting::InventoryTable)?,
        })
    }

    /// Returns how many of each variant can be reserved for an order; variants without stock are left out. A read that is
    /// not `consistent` may overlook the changes of the last second, at half the cost.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn available(
        &self,
        variants: impl IntoIterator<Item = VariantId>,
        consistent: bool,
    ) -> Result<BTreeMap<VariantId, u64>, StoreError> {
        // Orders are served from the main place alone.
        let place = Place::main();
        let variants: BTreeSet<VariantId> = variants.into_iter().collect();
        let keys = variants
            .into_iter()
            .map(|id| Key::new("pk", stock_key(id)).and("sk", &place));
        let items: Vec<StockItem> = self.table.get_many(keys.collect(), consistent).await?;
        let stocks = items.into_iter().map(Stock::try_from);
        let available = stocks.map(|stock| stock.map(|stock| (stock.variant_id, stock.available)));
        Ok(available.collect::<Result<_, _>>()?)
    }
}
