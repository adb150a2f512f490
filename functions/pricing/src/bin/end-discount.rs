//! `DELETE /discounts/{discount_id}`: end a discount permanently.

use oxcart_function::{aws, http::routes, pricing, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let store = pricing::store::PricingStore::new(&aws)?;
    runtime::serve_http(&aws, &routes::END_DISCOUNT, |request| {
        pricing::api::end_discount(&store, request)
    })
    .await
}
