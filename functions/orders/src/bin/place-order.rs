//! `POST /orders`: place an order.

use oxcart_function::{aws, http::routes, orders::checkout, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let checkout = checkout::Checkout::new(&aws)?;
    runtime::serve_http(&aws, &routes::PLACE_ORDER, |request| {
        checkout::place_order(&checkout, request)
    })
    .await
}
