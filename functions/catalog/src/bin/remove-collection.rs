//! `DELETE /collections/{collection}`: remove a collection.

use oxcart_function::{aws, catalog, http::routes, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let collections = catalog::collections::store::CollectionStore::new(&aws)?;
    runtime::serve_http(&aws, &routes::REMOVE_COLLECTION, |request| {
        catalog::collections::api::remove_collection(&collections, request)
    })
    .await
}
