//! The queue of file jobs: go on with imports and exports.

use oxcart_function::{aws, catalog, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let jobs = catalog::file_jobs::Jobs::new(&aws)?;
    runtime::serve_queue(&aws, |message| {
        catalog::file_jobs::run_file_jobs(&jobs, message)
    })
    .await
}
