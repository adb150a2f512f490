//! `POST /orders/{order_id}/review`: let an order that a rule holds go on, or fail it.

use oxcart_function::{aws, http::routes, orders, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let reviews = orders::review::Reviews::new(&aws)?;
    runtime::serve_http(&aws, &routes::REVIEW_ORDER, |request| {
        orders::review::review_order(&reviews, request)
    })
    .await
}
