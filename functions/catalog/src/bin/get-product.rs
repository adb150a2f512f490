//! `GET /products/{product_id}`: one product, whatever its status.

use oxcart_function::{catalog, http::routes, lambda};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let products = catalog::ProductStore::new(&aws)?;
    lambda::serve(&aws, &routes::GET_PRODUCT, |request| {
        catalog::api::get_product(&products, request)
    })
    .await
}
