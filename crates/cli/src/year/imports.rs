//! An admin who imports products, prices and stock while others order, and exports them at the end.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::browse::products;
use super::ledger::Ledger;
use super::request::{Request, Who};
use super::seed::text;
use super::shop::Shop;
use crate::Error;

/// How many products a file has.
const PRODUCTS: u64 = 10;

/// The lowest price of an imported product, in the currency's smallest units. It is too high for the collection of the year.
const PRICE: u64 = 900_000;

/// The files that were imported: products with two variants each, then what they cost, then their stock, by turns. The
/// products are inactive, so that lists are as long as in a year without imports.
#[derive(Debug, Default)]
pub(super) struct Imports {
    /// How many files there were.
    files: u64,
    /// The price of each variant, by its SKU.
    prices: BTreeMap<String, u64>,
    /// The import that has the file that was uploaded last, and how many rows that has.
    open: Option<(String, u64)>,
}

impl Imports {
    /// Uploads the next file.
    ///
    /// # Errors
    /// If the shop or its bucket refuses it.
    pub(super) async fn begin(&mut self, shop: &Shop, ledger: &mut Ledger) -> Result<(), Error> {
        let batch = self.files / 3;
        let skus = (0..PRODUCTS).map(|number| {
            let product = batch * PRODUCTS + number;
            ["S", "M"].map(|size| (product, size, format!("IMPORT-{product}-{size}")))
        });
        let skus: Vec<(u64, &str, String)> = skus.flatten().collect();
        let amount = |units: u64| -> Result<String, Error> { text(&shop.amount(units)?, "amount") };
        let mut file = String::new();
        let (content, rows) = match self.files % 3 {
            0 => {
                file += "name,category,status,option1_name,option1_value,sku,price\n";
                for (product, size, sku) in &skus {
                    let price = PRICE + product;
                    let own = if *size == "S" {
                        format!("Imported {product},imported,inactive,size")
                    } else {
                        ",,,".to_owned()
                    };
                    writeln!(file, "{own},{size},{sku},{}", amount(price)?)?;
                    self.prices.insert(sku.clone(), price);
                }
                ledger.imported += PRODUCTS;
                ("products", PRODUCTS)
            }
            1 => {
                for (product, _, sku) in &skus {
                    let price = PRICE + product + 1;
                    writeln!(
                        file,
                        "{}",
                        json!({"sku": sku, "price": shop.amount(price)?})
                    )?;
                    self.prices.insert(sku.clone(), price);
                }
                ledger.price_changes += PRODUCTS;
                ("prices", PRODUCTS * 2)
            }
            _ => {
                file += "sku;on_hand\n";
                for (product, _, sku) in &skus {
                    writeln!(file, "{sku};{}", 1 + product % 7)?;
                }
                ("stock", PRODUCTS * 2)
            }
        };
        let create = Request::new("create-import", "POST", "/imports")
            .by(Who::Admin)
            .header("idempotency-key", format!("import-{}", self.files))
            .json(json!({"content": content}));
        let import = shop.send(&create).await?.expect(&[202])?;
        shop.upload(&text(&import, "upload_url")?, file).await?;
        self.open = Some((text(&import, "id")?, rows));
        self.files += 1;
        Ok(())
    }

    /// Returns what is wrong with the file that was uploaded last. Nothing may be on its way.
    ///
    /// # Errors
    /// If the shop fails or refuses the request.
    pub(super) async fn end(&mut self, shop: &Shop) -> Result<Option<String>, Error> {
        let Some((id, rows)) = self.open.take() else {
            return Ok(None);
        };
        let import = seen(shop, &id).await?;
        let is_right =
            import["status"] == "completed" && import["imported"] == rows && import["failed"] == 0;
        Ok((!is_right).then(|| format!("an import of {rows} rows ended as {import}")))
    }

    /// Exports all products and imports the file again. Returns what is wrong with it.
    ///
    /// # Errors
    /// If the shop fails or does not come to rest.
    pub(super) async fn check(&self, shop: &Shop, ledger: &Ledger) -> Result<Vec<String>, Error> {
        let create = Request::new("create-export", "POST", "/exports")
            .by(Who::Admin)
            .header("idempotency-key", "export")
            .json(json!({}));
        let export = shop.send(&create).await?.expect(&[202])?;
        shop.settle([]).await?;
        let get = Request::new("get-export", "GET", "/exports/{export_id}")
            .by(Who::Admin)
            .parameter("export_id", text(&export, "id")?);
        let export = shop.send(&get).await?.expect(&[200])?;
        let file = shop.download(&text(&export, "download_url")?).await?;
        let expected = products(ledger).count() as u64 + ledger.imported;
        let mut wrong = self.compare(shop, &file, expected)?;
        let create = Request::new("create-import", "POST", "/imports")
            .by(Who::Admin)
            .header("idempotency-key", "import-of-the-export")
            .json(json!({}));
        let import = shop.send(&create).await?.expect(&[202])?;
        shop.upload(&text(&import, "upload_url")?, file).await?;
        shop.settle([]).await?;
        let import = seen(shop, &text(&import, "id")?).await?;
        if import["imported"] != expected || import["changed"] != 0 {
            wrong.push(format!("the import of the export ended as {import}"));
        }
        Ok(wrong)
    }

    /// Returns what is wrong with the `file` of an export of `expected` products.
    fn compare(&self, shop: &Shop, file: &str, expected: u64) -> Result<Vec<String>, Error> {
        let mut wrong = Vec::new();
        let mut prices: BTreeMap<String, u64> = BTreeMap::new();
        let mut count = 0;
        for line in file.lines() {
            count += 1;
            let product: Value = serde_json::from_str(line)?;
            let variants = product["variants"].as_array();
            for variant in variants.into_iter().flatten() {
                let sku = variant["sku"].as_str().unwrap_or_default();
                let price = shop.units(variant["price"]["amount"].as_str().unwrap_or_default());
                if sku.starts_with("IMPORT-")
                    && prices
                        .insert(sku.to_owned(), price.unwrap_or_default())
                        .is_some()
                {
                    wrong.push(format!("the export has {sku} twice"));
                }
            }
        }
        if prices != self.prices {
            wrong.push(format!(
                "of {} imported variants, the export has {}, or other prices",
                self.prices.len(),
                prices.len()
            ));
        }
        if count != expected {
            wrong.push(format!(
                "the export has {count} products instead of {expected}"
            ));
        }
        Ok(wrong)
    }
}

/// Returns the import with `id`.
async fn seen(shop: &Shop, id: &str) -> Result<Value, Error> {
    let get = Request::new("get-import", "GET", "/imports/{import_id}")
        .by(Who::Admin)
        .parameter("import_id", id);
    shop.send(&get).await?.expect(&[200])
}
