//! `PUT /tax-rates`: replace all tax rates.

use oxcart_function::{aws, http::routes, pricing, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let store = pricing::store::PricingStore::new(&aws)?;
    runtime::serve_http(&aws, &routes::REPLACE_TAX_RATES, |request| {
        pricing::api::collections::replace_tax_rates(&store, request)
    })
    .await
}
