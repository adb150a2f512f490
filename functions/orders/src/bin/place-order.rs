//! `POST /orders`: place an order.

use oxcart_function::{http::routes, lambda, orders::checkout};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let checkout = checkout::Checkout::new(&aws)?;
    lambda::serve(&aws, &routes::PLACE_ORDER, |request| {
        checkout::place_order(&checkout, request)
    })
    .await
}
