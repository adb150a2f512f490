//! `GET /discounts/{discount_id}`: return a discount.

use oxcart_function::{aws, http::routes, pricing, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let store = pricing::store::PricingStore::new(&aws)?;
    runtime::serve_http(&aws, &routes::GET_DISCOUNT, |request| {
        pricing::api::get_discount(&store, request)
    })
    .await
}
