//! `POST /orders/{order_id}/payments`: tries to pay a pending order with another token.

use oxcart_function::payments::gateway::configured::ConfiguredGateway;
use oxcart_function::payments::retries::api::{self, Retries};
use oxcart_function::{aws, http::routes, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let retries = Retries::new(&aws, ConfiguredGateway::new(&aws)?)?;
    runtime::serve_http(&aws, &routes::RETRY_PAYMENT, |request| {
        api::retry_payment(&retries, request)
    })
    .await
}
