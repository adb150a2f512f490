//! `DELETE /products/{product_id}`: sell a product never again.

use oxcart_core::{catalog, lambda};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let products = catalog::ProductStore::new(&aws)?;
    lambda::serve(|request| catalog::api::discontinue_product(&products, request)).await
}
