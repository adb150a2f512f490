//! `POST /imports`: create an import and say where to upload its file.

use oxcart_function::{aws, catalog, http::routes, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let imports = catalog::imports::store::ImportStore::new(&aws)?;
    let bucket = aws::bucket::Bucket::new(&aws)?;
    runtime::serve_http(&aws, &routes::CREATE_IMPORT, |request| {
        catalog::imports::api::create_import(&imports, &bucket, request)
    })
    .await
}
