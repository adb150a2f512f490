//! `GET /orders/{order_id}/payments`: the payments of an order.

use oxcart_function::orders::store::OrderStore;
use oxcart_function::payments::api;
use oxcart_function::payments::store::PaymentStore;
use oxcart_function::{aws, http::routes, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let orders = OrderStore::new(&aws)?;
    let payments = PaymentStore::new(&aws)?;
    runtime::serve_http(&aws, &routes::LIST_ORDER_PAYMENTS, |request| {
        api::list_order_payments(&orders, &payments, request)
    })
    .await
}
