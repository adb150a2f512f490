//! `PUT /shipping-methods`: replace all shipping methods.

use oxcart_function::{http::routes, lambda, pricing, settings};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let store = pricing::PricingStore::new(&aws)?;
    let currency = aws.settings().read(settings::Setting::ShopCurrency)?;
    lambda::serve(&aws, &routes::REPLACE_SHIPPING_METHODS, |request| {
        pricing::api::sheets::replace_shipping_methods(&store, currency, request)
    })
    .await
}
