//! `POST /guest/orders`: place an order without an account.

use oxcart_function::{customers, http::routes, lambda, orders};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let checkout = orders::checkout::Checkout::new(&aws)?;
    let links = customers::link::Links::new(&aws)?;
    let place = |request| orders::guests::place_guest_order(&checkout, &links, request);
    lambda::serve(&aws, &routes::PLACE_GUEST_ORDER, place).await
}
