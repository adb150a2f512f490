//! `GET /guest/orders/{order_id}`: answer the order of a guest, to whoever has its link.

use oxcart_function::{customers, http::routes, lambda, orders};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let orders = orders::OrderStore::new(&aws)?;
    let links = customers::link::Links::new(&aws)?;
    let get = |request| orders::guests::get_guest_order(&orders, &links, request);
    lambda::serve(&aws, &routes::GET_GUEST_ORDER, get).await
}
