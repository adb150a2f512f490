//! `GET /shipping-methods`: return all shipping methods.

use oxcart_function::{aws, http::routes, pricing, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let store = pricing::store::PricingStore::new(&aws)?;
    runtime::serve_http(&aws, &routes::GET_SHIPPING_METHODS, |request| {
        pricing::api::collections::get_shipping_methods(&store, request)
    })
    .await
}
