//! `PUT /search-settings`: replace the synonyms and boosts of the search.

use oxcart_function::{aws, catalog, http::routes, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let index = catalog::search::store::IndexStore::new(&aws, 0)?;
    runtime::serve_http(&aws, &routes::REPLACE_SEARCH_SETTINGS, |request| {
        catalog::search::admin::replace_search_settings(&index, request)
    })
    .await
}
