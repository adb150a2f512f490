//! `GET /search-index`: how large the search index is, and how far the next one is.

use oxcart_function::{aws, catalog, http::routes, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let index = catalog::search::store::IndexStore::new(&aws, 0)?;
    runtime::serve_http(&aws, &routes::GET_SEARCH_INDEX, |request| {
        catalog::search::admin::get_search_index(&index, request)
    })
    .await
}
