//! `GET /categories`: list all categories.

use oxcart_function::{aws, catalog, http::routes, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let categories = catalog::categories::store::CategoryStore::new(&aws)?;
    runtime::serve_http(&aws, &routes::LIST_CATEGORIES, |request| {
        catalog::categories::api::list_categories(&categories, request)
    })
    .await
}
