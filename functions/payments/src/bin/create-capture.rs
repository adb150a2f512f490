//! `POST /payments/{payment_id}/captures`: captures a part of a payment that was authorised, or all that is left.

use oxcart_function::orders::store::OrderStore;
use oxcart_function::payments::captures::api;
use oxcart_function::payments::gateway::configured::ConfiguredGateway;
use oxcart_function::payments::store::PaymentStore;
use oxcart_function::{aws, http::routes, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let payments = PaymentStore::new(&aws)?;
    let orders = OrderStore::new(&aws)?;
    let gateway = ConfiguredGateway::new(&aws)?;
    runtime::serve_http(&aws, &routes::CREATE_CAPTURE, |request| {
        api::create_capture(&payments, &orders, &gateway, request)
    })
    .await
}
