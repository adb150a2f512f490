//! `GET /discounts/{discount_id}/codes`: list the codes that one order each can use.

use oxcart_function::{aws, http::routes, orders, pricing, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let store = pricing::store::PricingStore::new(&aws)?;
    let uses = orders::store::OrderStore::new(&aws)?;
    runtime::serve_http(&aws, &routes::LIST_DISCOUNT_CODES, |request| {
        orders::codes::list_discount_codes(&store, &uses, request)
    })
    .await
}
