//! `GET /orders/{order_id}`: an order, for its owner and for admins.

use oxcart_function::{http::routes, lambda, orders};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let orders = orders::OrderStore::new(&aws)?;
    lambda::serve(&aws, &routes::GET_ORDER, |request| {
        orders::api::get_order(&orders, request)
    })
    .await
}
