//! `GET /orders/{order_id}/history`: what has happened to an order.

use oxcart_function::{aws, event_log, http::routes, orders, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let orders = orders::store::OrderStore::new(&aws)?;
    let log = event_log::store::EventLog::new(&aws)?;
    runtime::serve_http(&aws, &routes::GET_ORDER_HISTORY, |request| {
        orders::api::get_order_history(&orders, &log, request)
    })
    .await
}
