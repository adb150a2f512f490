//! `PUT /price-lists`: replace all price lists.

use oxcart_function::{aws, http::routes, pricing, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let store = pricing::store::PricingStore::new(&aws)?;
    let currency = aws.settings().read(aws::settings::Setting::ShopCurrency)?;
    runtime::serve_http(&aws, &routes::REPLACE_PRICE_LISTS, |request| {
        pricing::api::lists::replace_price_lists(&store, currency, request)
    })
    .await
}
