//! `POST /products`: put a product on sale.

use oxcart_function::{catalog, http::routes, lambda, settings};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let products = catalog::ProductStore::new(&aws)?;
    let currency = aws.settings().read(settings::Setting::ShopCurrency)?;
    lambda::serve(&aws, &routes::CREATE_PRODUCT, |request| {
        catalog::api::create_product(&products, currency, request)
    })
    .await
}
