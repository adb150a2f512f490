//! `GET /discounts`: list discounts.

use oxcart_function::{http::routes, lambda, pricing};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let store = pricing::PricingStore::new(&aws)?;
    lambda::serve(&aws, &routes::LIST_DISCOUNTS, |request| {
        pricing::api::list_discounts(&store, request)
    })
    .await
}
