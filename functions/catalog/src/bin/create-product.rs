//! `POST /products`: create a product.

use oxcart_function::{aws, catalog, http::routes, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let products = catalog::store::ProductStore::new(&aws)?;
    let currency = aws.settings().read(aws::settings::Setting::ShopCurrency)?;
    runtime::serve_http(&aws, &routes::CREATE_PRODUCT, |request| {
        catalog::api::create_product(&products, currency, request)
    })
    .await
}
