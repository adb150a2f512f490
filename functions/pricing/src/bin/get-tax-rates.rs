//! `GET /tax-rates`: answer all tax rates.

use oxcart_function::{http::routes, lambda, pricing};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let store = pricing::PricingStore::new(&aws)?;
    lambda::serve(&aws, &routes::GET_TAX_RATES, |request| {
        pricing::api::sheets::get_tax_rates(&store, request)
    })
    .await
}
