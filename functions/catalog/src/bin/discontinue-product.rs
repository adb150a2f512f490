//! `DELETE /products/{product_id}`: discontinue a product.

use oxcart_function::{aws, catalog, http::routes, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let products = catalog::store::ProductStore::new(&aws)?;
    runtime::serve_http(&aws, &routes::DISCONTINUE_PRODUCT, |request| {
        catalog::api::discontinue_product(&products, request)
    })
    .await
}
