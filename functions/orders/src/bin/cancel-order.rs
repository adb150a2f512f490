//! `POST /orders/{order_id}/cancel`: cancel an order that has not been picked.

use oxcart_function::{http::routes, lambda, orders};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let orders = orders::OrderStore::new(&aws)?;
    let workflow = orders::OrderWorkflow::new(&aws)?;
    lambda::serve(&aws, &routes::CANCEL_ORDER, |request| {
        orders::api::cancel_order(&orders, &workflow, request)
    })
    .await
}
