//! `GET /discount-settings`: return what is decided about all discounts.

use oxcart_function::{aws, http::routes, pricing, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let store = pricing::store::PricingStore::new(&aws)?;
    runtime::serve_http(&aws, &routes::GET_DISCOUNT_SETTINGS, |request| {
        pricing::api::settings::get_discount_settings(&store, request)
    })
    .await
}
