//! `POST /guest/orders/{order_id}/cancel`: cancel a guest's order with its link.

use oxcart_function::{aws, customers, http::routes, orders, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let orders = orders::store::OrderStore::new(&aws)?;
    let links = customers::link::Links::new(&aws)?;
    let workflow = orders::executions::OrderWorkflow::new(&aws)?;
    runtime::serve_http(&aws, &routes::CANCEL_GUEST_ORDER, |request| {
        orders::guests::cancel_guest_order(&orders, &links, &workflow, request)
    })
    .await
}
