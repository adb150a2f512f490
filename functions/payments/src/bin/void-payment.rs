//! Workflow step `VoidPayment`: gives back what was taken for an order that has ended.

use oxcart_function::lambda;
use oxcart_function::orders::OrderStore;
use oxcart_function::payments::gateway::Configured;
use oxcart_function::payments::{PaymentStore, steps};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let orders = OrderStore::new(&aws)?;
    let payments = PaymentStore::new(&aws)?;
    let gateway = Configured::new(&aws)?;
    lambda::serve_step(|step| steps::void_payment(&orders, &payments, &gateway, step)).await
}
