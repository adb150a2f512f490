//! `GET /search-settings`: what the shop has decided about its search.

use oxcart_function::{aws, catalog, http::routes, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let index = catalog::search::store::IndexStore::new(&aws, 0)?;
    runtime::serve_http(&aws, &routes::GET_SEARCH_SETTINGS, |request| {
        catalog::search::admin::get_search_settings(&index, request)
    })
    .await
}
