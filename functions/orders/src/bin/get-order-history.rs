//! `GET /orders/{order_id}/history`: what has happened to an order.

use oxcart_function::{http::routes, lambda, orders, platform};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let orders = orders::OrderStore::new(&aws)?;
    let log = platform::EventLog::new(&aws)?;
    lambda::serve(&aws, &routes::GET_ORDER_HISTORY, |request| {
        orders::api::get_order_history(&orders, &log, request)
    })
    .await
}
