//! `GET /inventory/{product_id}`: returns what is on hand, reserved and available of a product.

use oxcart_function::{aws, http::routes, inventory, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let inventory = inventory::store::InventoryStore::new(&aws)?;
    runtime::serve_http(&aws, &routes::GET_STOCK, |request| {
        inventory::api::get_stock(&inventory, request)
    })
    .await
}
