//! `PUT /orders/{order_id}/shipping-address`: correct the address of an order that has not been shipped.

use oxcart_function::{aws, http::routes, orders, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let corrections = orders::corrections::Corrections::new(&aws)?;
    runtime::serve_http(&aws, &routes::CORRECT_ADDRESS, |request| {
        orders::corrections::correct_address(&corrections, request)
    })
    .await
}
