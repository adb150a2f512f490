//! The step `ReleaseInventory`: releases the stock of an order that has failed or is cancelled.

use oxcart_function::{aws, inventory, orders, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let inventory = inventory::store::InventoryStore::new(&aws)?;
    let orders = orders::store::OrderStore::new(&aws)?;
    runtime::serve_step(&aws, |step| {
        inventory::steps::release_inventory(&inventory, &orders, step)
    })
    .await
}
