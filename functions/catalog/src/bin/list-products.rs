//! `GET /products`: list products, newest first.

use oxcart_function::{aws, catalog, http::routes, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let products = catalog::store::ProductStore::new(&aws)?;
    runtime::serve_http(&aws, &routes::LIST_PRODUCTS, |request| {
        catalog::api::list_products(&products, request)
    })
    .await
}
