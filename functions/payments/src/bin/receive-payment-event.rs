//! `POST /webhooks/payments/{provider}`: takes an event of the payment gateway.

use oxcart_function::orders::executions::OrderWorkflow;
use oxcart_function::payments::gateway::configured::ConfiguredGateway;
use oxcart_function::payments::refunds::store::RefundStore;
use oxcart_function::payments::webhooks;
use oxcart_function::{aws, http::routes, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let refunds = RefundStore::new(&aws)?;
    let gateway = ConfiguredGateway::new(&aws)?;
    let workflow = OrderWorkflow::new(&aws)?;
    runtime::serve_http_uncounted(&routes::RECEIVE_PAYMENT_EVENT, |request| {
        webhooks::receive_payment_event(&refunds, &gateway, &workflow, request)
    })
    .await
}
