//! `GET /categories/{category}`: read one category.

use oxcart_function::{aws, catalog, http::routes, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let categories = catalog::categories::store::CategoryStore::new(&aws)?;
    runtime::serve_http(&aws, &routes::GET_CATEGORY, |request| {
        catalog::categories::api::get_category(&categories, request)
    })
    .await
}
