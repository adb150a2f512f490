//! `POST /guest/orders/{order_id}/payments`: tries to pay a guest's pending order with another token.

use oxcart_function::customers::link::Links;
use oxcart_function::payments::gateway::configured::ConfiguredGateway;
use oxcart_function::payments::retries::api::{self, Retries};
use oxcart_function::{aws, http::routes, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let retries = Retries::new(&aws, ConfiguredGateway::new(&aws)?)?;
    let links = Links::new(&aws)?;
    runtime::serve_http(&aws, &routes::RETRY_GUEST_PAYMENT, |request| {
        api::retry_guest_payment(&retries, &links, request)
    })
    .await
}
