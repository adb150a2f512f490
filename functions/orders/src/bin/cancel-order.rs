//! `POST /orders/{order_id}/cancel`: cancel an order that has not been picked.

use oxcart_function::{aws, http::routes, orders, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let orders = orders::store::OrderStore::new(&aws)?;
    let workflow = orders::executions::OrderWorkflow::new(&aws)?;
    runtime::serve_http(&aws, &routes::CANCEL_ORDER, |request| {
        orders::api::cancel_order(&orders, &workflow, request)
    })
    .await
}
