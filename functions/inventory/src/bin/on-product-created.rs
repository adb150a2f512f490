//! On `ProductCreated`: creates the stock of a new product, at zero.

use oxcart_function::{aws, inventory, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let inventory = inventory::store::InventoryStore::new(&aws)?;
    runtime::serve_queue(&aws, |message| {
        inventory::events::on_product_created(&inventory, message)
    })
    .await
}
