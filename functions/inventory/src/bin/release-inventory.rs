//! The step `ReleaseInventory`: give back what an order that ended so held.

use oxcart_function::{inventory, lambda, orders};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let inventory = inventory::InventoryStore::new(&aws)?;
    let orders = orders::OrderStore::new(&aws)?;
    lambda::serve_step(|step| inventory::steps::release_inventory(&inventory, &orders, step)).await
}
