//! `GET /price-lists/{price_list}/prices`: list the prices of a price list.

use oxcart_function::{aws, http::routes, pricing, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let store = pricing::store::PricingStore::new(&aws)?;
    runtime::serve_http(&aws, &routes::LIST_PRICES, |request| {
        pricing::api::lists::list_prices(&store, request)
    })
    .await
}
