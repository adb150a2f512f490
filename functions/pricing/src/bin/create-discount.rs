//! `POST /discounts`: add a discount.

use oxcart_function::{http::routes, lambda, pricing, settings};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let store = pricing::PricingStore::new(&aws)?;
    let currency = aws.settings().read(settings::Setting::ShopCurrency)?;
    lambda::serve(&aws, &routes::CREATE_DISCOUNT, |request| {
        pricing::api::create_discount(&store, currency, request)
    })
    .await
}
