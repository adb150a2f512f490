//! `PUT /categories/{category}`: create or change a category.

use oxcart_function::{aws, catalog, http::routes, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let categories = catalog::categories::store::CategoryStore::new(&aws)?;
    runtime::serve_http(&aws, &routes::PUT_CATEGORY, |request| {
        catalog::categories::api::put_category(&categories, request)
    })
    .await
}
