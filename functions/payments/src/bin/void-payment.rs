//! Workflow step `VoidPayment`: gives back what was taken for an order that has ended.

use oxcart_function::orders::store::OrderStore;
use oxcart_function::payments::gateway::configured::Configured;
use oxcart_function::payments::steps;
use oxcart_function::payments::store::PaymentStore;
use oxcart_function::{aws, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let orders = OrderStore::new(&aws)?;
    let payments = PaymentStore::new(&aws)?;
    let gateway = Configured::new(&aws)?;
    runtime::serve_step(|step| steps::void_payment(&orders, &payments, &gateway, step)).await
}
