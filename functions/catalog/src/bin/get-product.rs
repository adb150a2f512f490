//! `GET /products/{product_id}`: returns one product.

use oxcart_function::{aws, catalog, customers, http::routes, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let products = catalog::cache::catalogue::PublicCatalogue::new(&aws)?;
    let admins = customers::authorizer::Admins::new(&aws);
    runtime::serve_http(&aws, &routes::GET_PRODUCT, |request| {
        catalog::api::get_product(&products, &admins, request)
    })
    .await
}
