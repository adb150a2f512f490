//! `GET /orders/{order_id}`: read an order, for its owner and for admins.

use oxcart_function::{aws, http::routes, orders, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let orders = orders::store::OrderStore::new(&aws)?;
    runtime::serve_http(&aws, &routes::GET_ORDER, |request| {
        orders::api::get_order(&orders, request)
    })
    .await
}
