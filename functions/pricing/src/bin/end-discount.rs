//! `DELETE /discounts/{discount_id}`: end a discount for good.

use oxcart_function::{http::routes, lambda, pricing};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let store = pricing::PricingStore::new(&aws)?;
    lambda::serve(&aws, &routes::END_DISCOUNT, |request| {
        pricing::api::end_discount(&store, request)
    })
    .await
}
