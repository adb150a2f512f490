//! On `PaymentRefunded`: brings the pieces back into stock that the refund is to restock.

use oxcart_function::{aws, inventory, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let inventory = inventory::store::InventoryStore::new(&aws)?;
    runtime::serve_queue(&aws, |message| {
        inventory::events::restock_inventory(&inventory, message)
    })
    .await
}
