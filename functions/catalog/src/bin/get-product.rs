//! `GET /products/{product_id}`: return one product, whatever its status.

use oxcart_function::{aws, catalog, http::routes, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let products = catalog::store::ProductStore::new(&aws)?;
    runtime::serve_http(&aws, &routes::GET_PRODUCT, |request| {
        catalog::api::get_product(&products, request)
    })
    .await
}
