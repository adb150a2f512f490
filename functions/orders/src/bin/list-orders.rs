//! `GET /orders`: list the caller's orders, newest first; for admins all orders with a status.

use oxcart_function::{aws, http::routes, orders, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let orders = orders::store::OrderStore::new(&aws)?;
    runtime::serve_http(&aws, &routes::LIST_ORDERS, |request| {
        orders::api::list_orders(&orders, request)
    })
    .await
}
