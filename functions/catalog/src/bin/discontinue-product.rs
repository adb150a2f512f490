//! `DELETE /products/{product_id}`: sell a product never again.

use oxcart_function::{catalog, http::routes, lambda};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let products = catalog::ProductStore::new(&aws)?;
    lambda::serve(&aws, &routes::DISCONTINUE_PRODUCT, |request| {
        catalog::api::discontinue_product(&products, request)
    })
    .await
}
