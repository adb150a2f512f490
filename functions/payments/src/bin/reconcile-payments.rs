//! Every minute: asks the gateway for the outcome of each refund that is due.

use oxcart_function::payments::gateway::configured::ConfiguredGateway;
use oxcart_function::payments::refunds::settle;
use oxcart_function::payments::refunds::store::RefundStore;
use oxcart_function::{aws, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let refunds = RefundStore::new(&aws)?;
    let gateway = ConfiguredGateway::new(&aws)?;
    runtime::serve_event(&aws, |scheduled| {
        settle::reconcile_payments(&refunds, &gateway, scheduled)
    })
    .await
}
