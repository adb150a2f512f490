//! `GET /shipping-methods`: answer all shipping methods.

use oxcart_function::{http::routes, lambda, pricing};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let store = pricing::PricingStore::new(&aws)?;
    lambda::serve(&aws, &routes::GET_SHIPPING_METHODS, |request| {
        pricing::api::sheets::get_shipping_methods(&store, request)
    })
    .await
}
