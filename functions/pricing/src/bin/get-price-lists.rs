//! `GET /price-lists`: return all price lists.

use oxcart_function::{aws, http::routes, pricing, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let store = pricing::store::PricingStore::new(&aws)?;
    runtime::serve_http(&aws, &routes::GET_PRICE_LISTS, |request| {
        pricing::api::lists::get_price_lists(&store, request)
    })
    .await
}
