//! `GET /collections`: list all collections.

use oxcart_function::{aws, catalog, http::routes, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let collections = catalog::collections::store::CollectionStore::new(&aws)?;
    runtime::serve_http(&aws, &routes::LIST_COLLECTIONS, |request| {
        catalog::collections::api::list_collections(&collections, request)
    })
    .await
}
