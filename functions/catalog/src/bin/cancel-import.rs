//! `POST /imports/{import_id}/cancel`: stop an import.

use oxcart_function::{aws, catalog, http::routes, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let imports = catalog::imports::store::ImportStore::new(&aws)?;
    runtime::serve_http(&aws, &routes::CANCEL_IMPORT, |request| {
        catalog::imports::api::cancel_import(&imports, request)
    })
    .await
}
