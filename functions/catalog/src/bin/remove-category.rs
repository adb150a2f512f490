//! `DELETE /categories/{category}`: remove a category.

use oxcart_function::{aws, catalog, http::routes, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let categories = catalog::categories::store::CategoryStore::new(&aws)?;
    runtime::serve_http(&aws, &routes::REMOVE_CATEGORY, |request| {
        catalog::categories::api::remove_category(&categories, request)
    })
    .await
}
