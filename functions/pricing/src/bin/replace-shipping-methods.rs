//! `PUT /shipping-methods`: replace all shipping methods.

use oxcart_function::{aws, http::routes, pricing, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let store = pricing::store::PricingStore::new(&aws)?;
    let currency = aws.settings().read(aws::settings::Setting::ShopCurrency)?;
    runtime::serve_http(&aws, &routes::REPLACE_SHIPPING_METHODS, |request| {
        pricing::api::collections::replace_shipping_methods(&store, currency, request)
    })
    .await
}
