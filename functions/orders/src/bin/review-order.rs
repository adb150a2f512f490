//! `POST /orders/{order_id}/review`: let an order that a rule holds go on, or fail it.

use oxcart_function::{http::routes, lambda, orders};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let reviews = orders::review::Reviews::new(&aws)?;
    lambda::serve(&aws, &routes::REVIEW_ORDER, |request| {
        orders::review::review_order(&reviews, request)
    })
    .await
}
