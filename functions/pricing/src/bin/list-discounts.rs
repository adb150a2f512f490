//! `GET /discounts`: list discounts.

use oxcart_function::{aws, http::routes, pricing, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let store = pricing::store::PricingStore::new(&aws)?;
    runtime::serve_http(&aws, &routes::LIST_DISCOUNTS, |request| {
        pricing::api::list_discounts(&store, request)
    })
    .await
}
