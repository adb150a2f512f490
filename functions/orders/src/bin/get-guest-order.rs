//! `GET /guest/orders/{order_id}`: read a guest's order with its link.

use oxcart_function::{aws, customers, http::routes, orders, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let orders = orders::store::OrderStore::new(&aws)?;
    let links = customers::link::Links::new(&aws)?;
    let get = |request| orders::guests::get_guest_order(&orders, &links, request);
    runtime::serve_http(&aws, &routes::GET_GUEST_ORDER, get).await
}
