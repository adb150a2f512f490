//! `PATCH /products/{product_id}`: change a product that is not discontinued.

use oxcart_function::{catalog, http::routes, lambda, settings};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let products = catalog::ProductStore::new(&aws)?;
    let currency = aws.settings().read(settings::Setting::ShopCurrency)?;
    lambda::serve(&aws, &routes::UPDATE_PRODUCT, |request| {
        catalog::api::update_product(&products, currency, request)
    })
    .await
}
