//! `POST /exports`: create an export.

use oxcart_function::{aws, catalog, http::routes, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let exports = catalog::exports::store::ExportStore::new(&aws)?;
    let bucket = aws::bucket::Bucket::new(&aws)?;
    let queue = aws::queue::Queue::new(&aws, aws::settings::Setting::FileJobQueueUrl)?;
    runtime::serve_http(&aws, &routes::CREATE_EXPORT, |request| {
        catalog::exports::api::create_export(&exports, &bucket, &queue, request)
    })
    .await
}
