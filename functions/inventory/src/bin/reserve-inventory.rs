//! The step `InventoryCheck`: hold the stock of all lines of an order, or of none.

use oxcart_function::{inventory, lambda, orders};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let inventory = inventory::InventoryStore::new(&aws)?;
    let orders = orders::OrderStore::new(&aws)?;
    lambda::serve_step(|step| inventory::steps::reserve_inventory(&inventory, &orders, step)).await
}
