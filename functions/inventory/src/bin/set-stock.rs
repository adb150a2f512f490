//! `PUT /inventory/{product_id}`: set what is on hand of a product.

use oxcart_function::{http::routes, inventory, lambda};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let inventory = inventory::InventoryStore::new(&aws)?;
    lambda::serve(&aws, &routes::SET_STOCK, |request| {
        inventory::api::set_stock(&inventory, request)
    })
    .await
}
