//! `GET /orders`: the caller's orders, newest first; for admins those of all with a status.

use oxcart_function::{http::routes, lambda, orders};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let orders = orders::OrderStore::new(&aws)?;
    lambda::serve(&aws, &routes::LIST_ORDERS, |request| {
        orders::api::list_orders(&orders, request)
    })
    .await
}
