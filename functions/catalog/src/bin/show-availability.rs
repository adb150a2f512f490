//! Shows what changes of stock, from the stream of the inventory's table, mean for the availability of products.

use oxcart_function::{aws, catalog, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let products = catalog::store::ProductStore::new(&aws)?;
    let display = catalog::availability::Display::new(&aws)?;
    runtime::serve_event(&aws, |batch| {
        catalog::availability::show_availability(&products, display, batch)
    })
    .await
}
