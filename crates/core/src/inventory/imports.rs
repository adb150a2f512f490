//! Imports of stock: rows with `sku`, `on_hand` and `backorder`. Their files are read as those of products
//! ([`crate::catalog::imports`]), which is where they are created and shown.

use std::collections::BTreeMap;

use futures::{StreamExt as _, TryStreamExt as _};

use crate::aws::Aws;
use crate::aws::dynamo::{self, Attempt, StoreError, Written};
use crate::aws::settings::SettingError;
use crate::catalog::imports::model::Import;
use crate::catalog::imports::piece::{AT_ONCE, Came, Fields, Importer, sku_key};
use crate::catalog::imports::run::{Notice, RunError, Runner};
use crate::catalog::sku::{InvalidSku, Sku};
use crate::catalog::store::ProductStore;
use crate::http::body;
use crate::http::exchange::IfMatch;
use crate::http::problem::Fault;
use crate::runtime::Message;
use crate::values::clock::Time;
use crate::values::id::VariantId;

use super::api;
use super::model::StockError;
use super::rules::{self, Adjustment, Level};
use super::store::InventoryStore;

/// What runs imports of stock.
#[derive(Clone, Debug)]
pub struct StockImports {
    runner: Runner,
    products: ProductStore,
    inventory: InventoryStore,
}

impl StockImports {
    /// Returns what runs this function's imports.
    ///
    /// # Errors
    /// [`SettingError`] if a setting is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        Ok(Self {
            runner: Runner::of_stock(aws)?,
            products: ProductStore::new(aws)?,
            inventory: InventoryStore::new(aws)?,
        })
    }
}

/// Goes on with the imports that `message` is about.
///
/// # Errors
/// [`RunError`]; what was done stays, and the message is delivered again.
pub async fn run_stock_imports(imports: &StockImports, message: Message) -> Result<(), RunError> {
    let notice: Notice = serde_json::from_str(&message.body)?;
    let now = message.sent_at;
    let importer = |import: &Import| StockImporter {
        products: &imports.products,
        inventory: &imports.inventory,
        dry_run: import.dry_run,
        now,
    };
    imports.runner.run(&notice, now, importer).await
}

/// Imports stock.
#[derive(Debug)]
pub(super) struct StockImporter<'a> {
    pub(super) products: &'a ProductStore,
    pub(super) inventory: &'a InventoryStore,
    /// Whether nothing is written.
    pub(super) dry_run: bool,
    pub(super) now: Time,
}

impl Importer for StockImporter<'_> {
    fn keys(&self, row: &Fields) -> Vec<String> {
        sku_key(row)
    }

    async fn import(&self, rows: &[Fields]) -> Result<Vec<Came>, StoreError> {
        let read = rows.iter().map(|row| {
            body::read_object(row.clone(), |body| {
                let sku = body.required("sku", |json| {
                    json.parsed(&InvalidSku.to_string(), str::parse::<Sku>)
                });
                let level = api::level(body);
                Some((sku?, level?))
            })
        });
        let read: Vec<_> = read.collect();
        let skus = read.iter().flatten().map(|(sku, _)| sku.clone());
        let variants = self.products.variants_with(skus).await?;
        let set = read.into_iter().map(|row| self.set(row, &variants));
        let set: Vec<_> = set.collect();
        futures::stream::iter(set)
            .buffered(AT_ONCE)
            .try_collect()
            .await
    }
}

impl StockImporter<'_> {
    /// Sets the stock of the variant of a row.
    async fn set(
        &self,
        row: Result<(Sku, Level), Vec<Fault>>,
        variants: &BTreeMap<Sku, VariantId>,
    ) -> Result<Came, StoreError> {
        let (sku, level) = match row {
            Ok(row) => row,
            Err(faults) => return Ok(Came::Faults(faults)),
        };
        let Some(variant_id) = variants.get(&sku).copied() else {
            return Ok(Came::unknown_sku());
        };
        let set = dynamo::change("the stock", || self.attempt(variant_id, level));
        match set.await {
            Ok(came) => Ok(came),
            Err(StockError::Store(error)) => Err(error),
            Err(error) => Ok(Came::fault(
                "/on_hand",
                "below_reserved",
                &error.to_string(),
            )),
        }
    }

    /// Sets the stock of a variant, unless somebody else writes it meanwhile.
    async fn attempt(
        &self,
        variant_id: VariantId,
        level: Level,
    ) -> Result<Attempt<Came>, StockError> {
        let stocks = self.inventory.stocks(variant_id).await?;
        let decided = rules::set_level(variant_id, &stocks, level, &IfMatch::Any, self.now)?;
        let written = match decided {
            Adjustment::Unchanged => return Ok(Attempt::Done(Came::Same)),
            Adjustment::Create(_) | Adjustment::Update(_) if self.dry_run => Written::Done,
            Adjustment::Create(stock) => self.inventory.create_stock(&stock).await?,
            Adjustment::Update(stock) => self.inventory.update_stock(&stock, None).await?,
        };
        Ok(match written {
            Written::Done => Attempt::Done(Came::Changed),
            Written::Refused(_) => Attempt::Overtaken,
        })
    }
}
