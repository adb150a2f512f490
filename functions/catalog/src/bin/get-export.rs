//! `GET /exports/{export_id}`: return an export.

use oxcart_function::{aws, catalog, http::routes, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let exports = catalog::exports::store::ExportStore::new(&aws)?;
    let bucket = aws::bucket::Bucket::new(&aws)?;
    runtime::serve_http(&aws, &routes::GET_EXPORT, |request| {
        catalog::exports::api::get_export(&exports, &bucket, request)
    })
    .await
}
