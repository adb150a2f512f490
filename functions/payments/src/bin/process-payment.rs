//! Workflow step `PaymentProcessing`: charges the order's total.

use oxcart_function::orders::store::OrderStore;
use oxcart_function::payments::gateway::configured::ConfiguredGateway;
use oxcart_function::payments::steps;
use oxcart_function::payments::store::PaymentStore;
use oxcart_function::{aws, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let orders = OrderStore::new(&aws)?;
    let payments = PaymentStore::new(&aws)?;
    let gateway = ConfiguredGateway::routed(&aws)?;
    runtime::serve_step(&aws, |step| {
        steps::process_payment(&orders, &payments, &gateway, step)
    })
    .await
}
