//! Every minute: asks the gateway for the outcomes of refunds and captures that are due, and about authorisations that are
//! about to expire.

use oxcart_function::payments::gateway::configured::ConfiguredGateway;
use oxcart_function::payments::reconcile;
use oxcart_function::payments::refunds::store::RefundStore;
use oxcart_function::{aws, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let refunds = RefundStore::new(&aws)?;
    let gateway = ConfiguredGateway::new(&aws)?;
    runtime::serve_event(&aws, |scheduled| {
        reconcile::reconcile_payments(&refunds, &gateway, scheduled)
    })
    .await
}
