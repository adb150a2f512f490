//! `POST /orders`: place an order.

use oxcart_core::{lambda, orders::checkout};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let checkout = checkout::Checkout::new(&aws)?;
    lambda::serve(|request| checkout::place_order(&checkout, request)).await
}
