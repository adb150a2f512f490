//! Workflow step `VoidPayment`: voids or refunds the payment of an order that has ended.

use oxcart_function::orders::store::OrderStore;
use oxcart_function::payments::gateway::configured::ConfiguredGateway;
use oxcart_function::payments::refunds::store::RefundStore;
use oxcart_function::payments::steps;
use oxcart_function::{aws, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let orders = OrderStore::new(&aws)?;
    let refunds = RefundStore::new(&aws)?;
    let gateway = ConfiguredGateway::new(&aws)?;
    runtime::serve_step(&aws, |step| {
        steps::void_payment(&orders, &refunds, &gateway, step)
    })
    .await
}
