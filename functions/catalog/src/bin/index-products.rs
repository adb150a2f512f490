//! Brings products into the search index as they change, from the queue of what changed.

use oxcart_function::{aws, catalog, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let sources = catalog::search::follow::Sources::new(&aws)?;
    runtime::serve_event(&aws, |batch| {
        catalog::search::follow::index_products(&sources, batch)
    })
    .await
}
