//! `GET /inventory/{product_id}`: what is on hand, reserved and available of a product.

use oxcart_function::{http::routes, inventory, lambda};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let inventory = inventory::InventoryStore::new(&aws)?;
    lambda::serve(&aws, &routes::GET_STOCK, |request| {
        inventory::api::get_stock(&inventory, request)
    })
    .await
}
