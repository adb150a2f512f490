//! `GET /discounts/{discount_id}`: answer one discount.

use oxcart_function::{http::routes, lambda, pricing};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let store = pricing::PricingStore::new(&aws)?;
    lambda::serve(&aws, &routes::GET_DISCOUNT, |request| {
        pricing::api::get_discount(&store, request)
    })
    .await
}
