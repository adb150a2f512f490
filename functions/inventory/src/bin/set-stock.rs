//! `PUT /inventory/{product_id}`: sets what is on hand of a product.

use oxcart_function::{aws, http::routes, inventory, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let inventory = inventory::store::InventoryStore::new(&aws)?;
    runtime::serve_http(&aws, &routes::SET_STOCK, |request| {
        inventory::api::set_stock(&inventory, request)
    })
    .await
}
