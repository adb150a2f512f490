//! `ProductCreated`: a new product has stock, at zero.

use oxcart_function::{inventory, lambda};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let inventory = inventory::InventoryStore::new(&aws)?;
    lambda::serve_queue(|message| inventory::events::on_product_created(&inventory, message)).await
}
