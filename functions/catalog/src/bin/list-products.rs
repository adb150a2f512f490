//! `GET /products`: what is for sale, newest first.

use oxcart_function::{catalog, http::routes, lambda};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let products = catalog::ProductStore::new(&aws)?;
    lambda::serve(&aws, &routes::LIST_PRODUCTS, |request| {
        catalog::api::list_products(&products, request)
    })
    .await
}
