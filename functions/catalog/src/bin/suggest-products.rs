//! `GET /products/suggest`: suggest products while somebody types.

use oxcart_function::{aws, catalog, http::routes, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let products = catalog::store::ProductStore::new(&aws)?;
    let search = catalog::search::index::SearchIndex::new(&aws)?;
    runtime::serve_http(&aws, &routes::SUGGEST_PRODUCTS, |request| {
        catalog::api::suggest_products(&products, &search, request)
    })
    .await
}
