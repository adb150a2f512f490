//! `PUT /tax-rates`: replace all tax rates.

use oxcart_function::{http::routes, lambda, pricing};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let store = pricing::PricingStore::new(&aws)?;
    lambda::serve(&aws, &routes::REPLACE_TAX_RATES, |request| {
        pricing::api::sheets::replace_tax_rates(&store, request)
    })
    .await
}
