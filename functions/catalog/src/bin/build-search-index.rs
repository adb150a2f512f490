//! Every minute: go on building the search index, and merge its segments.

use oxcart_function::{aws, catalog, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let sources = catalog::search::follow::Sources::new(&aws)?;
    runtime::serve_event(&aws, |scheduled| {
        catalog::search::build::build_search_index(&sources, scheduled)
    })
    .await
}
