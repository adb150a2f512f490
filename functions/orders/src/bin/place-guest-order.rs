//! `POST /guest/orders`: place an order without an account.

use oxcart_function::{aws, customers, http::routes, orders, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let checkout = orders::checkout::Checkout::new(&aws)?;
    let links = customers::link::Links::new(&aws)?;
    let place = |request| orders::guests::place_guest_order(&checkout, &links, request);
    runtime::serve_http(&aws, &routes::PLACE_GUEST_ORDER, place).await
}
