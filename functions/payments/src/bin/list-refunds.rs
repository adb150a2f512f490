//! `GET /payments/{payment_id}/refunds`: the refunds of a payment.

use oxcart_function::orders::store::OrderStore;
use oxcart_function::payments::refunds::api;
use oxcart_function::payments::refunds::store::RefundStore;
use oxcart_function::{aws, http::routes, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let refunds = RefundStore::new(&aws)?;
    let orders = OrderStore::new(&aws)?;
    runtime::serve_http(&aws, &routes::LIST_REFUNDS, |request| {
        api::list_refunds(&refunds, &orders, request)
    })
    .await
}
