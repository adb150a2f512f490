//! `POST /search-index/rebuild`: begin to build the search index anew.

use oxcart_function::{aws, catalog, http::routes, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let index = catalog::search::store::IndexStore::new(&aws, 0)?;
    runtime::serve_http(&aws, &routes::REBUILD_SEARCH_INDEX, |request| {
        catalog::search::admin::rebuild_search_index(&index, request)
    })
    .await
}
