//! `PUT /price-lists/{price_list}/prices/{variant_id}`: set the prices of a variant in a price list.

use oxcart_function::{aws, http::routes, pricing, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let prices = pricing::api::lists::Prices::new(&aws)?;
    runtime::serve_http(&aws, &routes::SET_LIST_PRICE, |request| {
        pricing::api::lists::set_list_price(&prices, request)
    })
    .await
}
