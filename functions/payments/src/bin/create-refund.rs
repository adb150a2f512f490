//! `POST /payments/{payment_id}/refunds`: refunds a payment in part or in full.

use oxcart_function::orders::store::OrderStore;
use oxcart_function::payments::gateway::configured::ConfiguredGateway;
use oxcart_function::payments::refunds::api;
use oxcart_function::payments::refunds::store::RefundStore;
use oxcart_function::{aws, http::routes, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let refunds = RefundStore::new(&aws)?;
    let orders = OrderStore::new(&aws)?;
    let gateway = ConfiguredGateway::new(&aws)?;
    runtime::serve_http(&aws, &routes::CREATE_REFUND, |request| {
        api::create_refund(&refunds, &orders, &gateway, request)
    })
    .await
}
