//! `POST /discounts/{discount_id}/codes`: make codes that one order each can use.

use oxcart_function::{aws, http::routes, pricing, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let store = pricing::store::PricingStore::new(&aws)?;
    runtime::serve_http(&aws, &routes::CREATE_DISCOUNT_CODES, |request| {
        pricing::codes::create_discount_codes(&store, request)
    })
    .await
}
