//! The step `InventoryCheck`: holds the stock of all lines of an order, or of none.

use oxcart_function::{aws, inventory, orders, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let inventory = inventory::store::InventoryStore::new(&aws)?;
    let orders = orders::store::OrderStore::new(&aws)?;
    runtime::serve_step(&aws, |step| {
        inventory::steps::reserve_inventory(&inventory, &orders, step)
    })
    .await
}
